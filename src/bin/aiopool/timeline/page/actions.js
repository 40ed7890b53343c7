// What the search, the buttons, the pointer and a click do.

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
