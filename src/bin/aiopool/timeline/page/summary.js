// The words and figures on top, and the legend.

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

function showFigures(run, picture) {
  const all = [...run.tasks.id.keys()];
  const waits = spread(all.map((task) => waitOf(run, task))), runs = spread(all.map((task) => runOf(run, task)));
  const failed = all.filter((task) => hasFailed(run, task));
  const kinds = run.outcomes.filter((outcome) => !["completed", "unfinished"].includes(outcome)).map((outcome) => outcome.replace("_", " "));
  const busy = busyPart(run);
  const figures = [
    ["Tasks", countText(run.count), run.count > 0 ? `${rateText(run)} a second` : ""],
    ["Permits in use", busy === null ? "–" : `${Math.round(busy * 100)} %`, `${sizesText(run)} · at most ${countText(picture.active.greatest)} at once`],
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
