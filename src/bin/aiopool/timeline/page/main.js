// Puts the page together.

function main() {
  const run = readRun();
  const ranks = rankGroups(run);
  showSummary(run);
  showFigures(run);
  const lanes = makeLanes(run, ranks);
  showLegend(run, ranks, lanes);
  const picture = new Picture(run, lanes, ranks);
  const actions = new Actions(run, picture);
  listen(picture, actions.bound());
  showGroups(run, ranks);
  const later = () => picture.resize();
  window.addEventListener("resize", later);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", later);
  picture.showAll();
}

/** What the search, the buttons and a click do. */
class Actions {
  constructor(run, picture) {
    Object.assign(this, { run, picture, matching: [], place: -1 });
    this.box = document.getElementById("search");
    this.found = document.getElementById("found");
    this.tip = document.getElementById("tip");
    // In the order in which the tasks start, which is that of the picture.
    this.byTime = [...run.tasks.id.keys()].sort((a, b) => run.tasks.submitted[a] + waitOf(run, a) - run.tasks.submitted[b] - waitOf(run, b));
    this.table = new TaskTable(run, (task) => {
      this.select(task);
      this.reveal(task);
    });
    this.box.addEventListener("input", () => this.match());
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.go(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") this.box.blur();
    });
    const press = (id, action) => document.getElementById(id).addEventListener("click", action);
    press("next", () => this.go(1));
    press("previous", () => this.go(-1));
    press("in", () => picture.zoom(0.6));
    press("out", () => picture.zoom(1 / 0.6));
    press("fit", () => picture.showAll());
  }

  bound() {
    const search = () => {
      this.box.focus();
      this.box.select();
    };
    return { hover: this.hover.bind(this), select: this.select.bind(this), go: this.go.bind(this), search };
  }

  match() {
    const { run, picture } = this, text = this.box.value.trim().toLowerCase();
    this.place = -1;
    if (text === "") {
      [picture.matches, this.matching, this.found.textContent] = [null, [], ""];
    } else {
      const has = (task) => [run.tasks.name[task], groupText(run, task), outcomeText(run, task)].some((of) => of.toLowerCase().includes(text));
      picture.matches = Uint8Array.from(run.tasks.id.keys(), has);
      this.matching = this.byTime.filter((task) => picture.matches[task]);
      this.found.textContent = this.matching.length === 0 ? "none" : `${countText(this.matching.length)} found`;
    }
    for (const id of ["next", "previous"]) document.getElementById(id).disabled = this.matching.length === 0;
    this.table.filter(picture.matches);
    picture.draw();
  }

  /** Goes to the next match, or to the one before. */
  go(step) {
    const count = this.matching.length;
    if (count === 0) return;
    this.place = this.place < 0 && step < 0 ? count - 1 : (this.place + step + count) % count;
    this.found.textContent = `${countText(this.place + 1)} of ${countText(count)}`;
    this.select(this.matching[this.place]);
    this.picture.reveal(this.matching[this.place]);
  }

  reveal(task) {
    this.picture.reveal(task);
    document.getElementById("rows-title").scrollIntoView({ block: "nearest" });
  }

  select(task) {
    this.picture.selected = task;
    this.picture.draw();
    this.table.mark(task);
    const details = document.getElementById("details");
    details.hidden = task < 0;
    if (task >= 0) details.replaceChildren(...detailsOf(this.run, task));
  }

  hover({ task, lane, time }, event) {
    const { tip, picture } = this;
    picture.scroller.classList.toggle("is-over", task >= 0);
    const text = task >= 0 ? tipOf(this.run, task) : laneTip(this.run, lane, time);
    tip.hidden = text === null;
    if (text === null) return;
    tip.replaceChildren(element("b", text[0]), text[1]);
    const x = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
    const isLow = event.clientY + 18 + tip.offsetHeight > window.innerHeight;
    tip.style.left = `${Math.max(8, x)}px`;
    tip.style.top = `${isLow ? event.clientY - 12 - tip.offsetHeight : event.clientY + 18}px`;
  }
}

function tipOf(run, task) {
  const group = groupText(run, task);
  const ran = hasStarted(run, task) ? `, ran ${timeText(runOf(run, task))}` : "";
  const words = [`#${run.tasks.id[task]}, ${outcomeText(run, task)}`, `waited ${timeText(waitOf(run, task))}${ran}`];
  return [run.tasks.name[task], (group === "" ? words : [`group ${group}`, ...words]).join("\n")];
}

function laneTip(run, lane, time) {
  if (lane === undefined || time === undefined || lane.curve === undefined || time < run.begin) return null;
  const at = `at ${timeText(time - run.begin)}`;
  if (lane.kind === "queue") return [counted(countAt(lane.curve, time), "task waits", "tasks wait"), at];
  return [`group ${lane.label}`, `${countAt(lane.curve, time)} active, ${countText(countAt(lane.waiting, time))} waiting ${at}`];
}

function detailsOf(run, task) {
  const { tasks } = run, group = groupText(run, task);
  const facts = [
    ["task", tasks.name[task]], ["number", String(tasks.id[task])],
    run.pools.length > 1 && ["pool", run.pools[tasks.pool[task]].name],
    group !== "" && ["group", group], ["outcome", outcomeText(run, task)],
    ["waited", timeText(waitOf(run, task))], hasStarted(run, task) && ["ran", timeText(runOf(run, task))],
    ["submitted at", timeText(tasks.submitted[task] - run.begin)],
    hasStarted(run, task) && ["started at", timeText(tasks.started[task] - run.begin)],
    ["ended at", timeText(tasks.ended[task] - run.begin)],
    tasks.priority[task] !== 0 && ["priority", String(tasks.priority[task])],
    tasks.weight[task] !== 1 && ["weight", String(tasks.weight[task])],
  ];
  return facts.filter(Boolean).map(([label, text]) => {
    const fact = element("div"), value = element("dd");
    value.append(element("bdi", text));
    fact.append(element("dt", label), value);
    return fact;
  });
}

function showSummary(run) {
  const pools = run.pools.map((pool) => pool.name).join(", ");
  const text = `${counted(run.count, "task")} of the ${run.pools.length === 1 ? "pool" : "pools"} ${pools} in ${timeText(run.end - run.begin)}`;
  document.getElementById("summary").textContent = text;
  const notices = [
    run.cut_at !== null && `The trace is cut after ${timeText(run.cut_at - run.begin)}: it had reached the limit on its size.`,
    run.left_out > 0 && `${counted(run.left_out, "task")} ${run.left_out === 1 ? "is" : "are"} not in the trace.`,
    !run.is_whole && "The end of the trace is missing: the program may have been killed. What was written is shown.",
    run.count === 0 && "There is no task in the trace.",
  ].filter(Boolean);
  const notice = document.getElementById("notice");
  notice.hidden = notices.length === 0;
  notice.textContent = notices.join(" ");
}

function showFigures(run) {
  const all = [...run.tasks.id.keys()];
  const waits = spread(all.map((task) => waitOf(run, task))), runs = spread(all.map((task) => runOf(run, task)));
  const failed = all.filter((task) => hasFailed(run, task));
  const kinds = run.outcomes.filter((outcome) => !["completed", "unfinished"].includes(outcome)).map((outcome) => outcome.replace("_", " "));
  const busy = busyPart(run);
  const figures = [
    ["Tasks", countText(run.count), run.count > 0 ? `${rateText(run)} a second` : ""],
    ["Permits in use", busy === null ? "–" : `${Math.round(busy * 100)} %`, sizesText(run)],
    ["Waited, median", waits === null ? "–" : timeText(waits.median), waits === null ? "" : `95 %: ${timeText(waits.high)} · most: ${timeText(waits.greatest)}`],
    ["Ran, median", runs === null ? "–" : timeText(runs.median), runs === null ? "" : `95 %: ${timeText(runs.high)} · most: ${timeText(runs.greatest)}`],
    ["Failed", countText(failed.length), failed.length > 0 ? kinds.join(", ") : run.unfinished < 0 ? "all completed" : "some have not ended"],
  ];
  document.getElementById("figures").append(...figures.map(([label, number, more]) => {
    const figure = element("div", undefined, { class: label === "Failed" && failed.length > 0 ? "is-bad" : "" });
    figure.append(element("dt", label), element("dd", number), element("dd", more));
    return figure;
  }));
}

function rateText(run) {
  const rate = (run.count * 1e6) / (run.end - run.begin);
  return rate >= 100 ? countText(Math.round(rate)) : String(Number(rate.toPrecision(3)));
}

function sizesText(run) {
  const sizes = run.pools.map((pool) => [...new Set(pool.sizes.map(([, size]) => countText(size)))]);
  if (sizes.some((of) => of.length === 0)) return "without a limit";
  return sizes.map((of) => (of.length > 3 ? `${of[0]} … ${of[of.length - 1]}` : of.join(", "))).map((text) => `of ${text}`).join("; ");
}

/** The part of the permits that tasks hold, over the whole run. `null` without a limit. */
function busyPart(run) {
  let there = 0;
  for (const { sizes } of run.pools) {
    if (sizes.length === 0) return null;
    sizes.forEach(([at, size], i) => {
      const [from, to] = [Math.max(at, run.begin), Math.max(sizes[i + 1]?.[0] ?? run.end, run.begin)];
      there += Math.max(0, to - from) * size;
    });
  }
  let used = 0;
  const { slices } = run;
  for (let slice = 0; slice < slices.task.length; slice += 1) {
    if (slices.row[slice] < LENT) used += slices.to[slice] - slices.from[slice];
  }
  return there > 0 ? Math.min(1, used / there) : null;
}

function showLegend(run, ranks, lanes) {
  const entry = (background, label) => {
    const item = element("li"), swatch = element("span", undefined, { class: "swatch" });
    swatch.style.background = background;
    item.append(swatch, element("bdi", label, { title: label }));
    return item;
  };
  const groups = [...ranks.keys()].slice(0, OWN_COLOURS);
  const name = (group) => (group < 0 ? (ranks.size === 1 ? "task" : "(no group)") : run.groups[group]);
  const entries = groups.map((group) => entry(rankVariable(ranks, group), name(group)));
  if (ranks.size > OWN_COLOURS) entries.push(entry("var(--rest)", counted(ranks.size - OWN_COLOURS, "other group")));
  if (lanes.some((lane) => lane.kind === "lent")) entries.push(entry("var(--lent)", "has lent its permit"));
  entries.push(entry("var(--waiting)", "waiting"));
  for (const outcome of run.outcomes.filter((outcome) => outcome !== "completed")) {
    const colour = `var(${STATUS[outcome] ?? "--soft"})`;
    entries.push(entry(`repeating-linear-gradient(135deg, ${colour} 0 2px, transparent 2px 4px)`, outcome.replace("_", " ")));
  }
  document.getElementById("legend").append(...entries);
}

main();
