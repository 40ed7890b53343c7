// The table of tasks: those that match, in the order of a column.

const ON_A_PAGE = 25;

const COLUMNS = [
  { label: "#", isNumber: true, key: (run, task) => run.tasks.id[task], text: (run, task) => String(run.tasks.id[task]) },
  { label: "Name", key: (run, task) => run.tasks.name[task], text: (run, task) => run.tasks.name[task] },
  { label: "Group", key: groupText, text: groupText },
  { label: "Outcome", key: outcomeText, text: outcomeText },
  { label: "Submitted", isNumber: true, key: (run, task) => run.tasks.submitted[task], text: (run, task) => timeText(run.tasks.submitted[task] - run.begin) },
  { label: "Waited", isNumber: true, key: waitOf, text: (run, task) => timeText(waitOf(run, task)) },
  { label: "Ran", isNumber: true, key: (run, task) => runOf(run, task) || -1, text: (run, task) => (hasStarted(run, task) ? timeText(runOf(run, task)) : "–") },
];

class TaskTable {
  constructor(run, select) {
    Object.assign(this, { run, select, page: 0, selected: -1 });
    this.columns = COLUMNS.filter((column) => column.label !== "Group" || run.groups.length > 0);
    this.order = { column: this.columns.at(-1), descends: true };
    this.place = document.getElementById("tasks");
    this.earlier = document.getElementById("earlier");
    this.later = document.getElementById("later");
    this.earlier.onclick = () => this.turn(-1);
    this.later.onclick = () => this.turn(1);
    this.filter(null);
  }

  /** Shows only the tasks that match. */
  filter(matches) {
    const all = [...this.run.tasks.id.keys()];
    this.tasks = matches === null ? all : all.filter((task) => matches[task]);
    this.sort();
  }

  sort() {
    const { column, descends } = this.order;
    const keys = new Map(this.tasks.map((task) => [task, column.key(this.run, task)]));
    const sign = descends ? -1 : 1;
    this.tasks.sort((a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      return x < y ? -sign : x > y ? sign : a - b;
    });
    this.page = 0;
    this.draw();
  }

  turn(by) {
    this.page += by;
    this.draw();
  }

  mark(task) {
    this.selected = task;
    this.draw();
  }

  draw() {
    const begin = this.page * ON_A_PAGE, shown = this.tasks.slice(begin, begin + ON_A_PAGE);
    const table = element("table"), head = element("thead"), body = element("tbody"), row = element("tr");
    row.append(...this.columns.map((column) => this.head(column)));
    head.append(row);
    body.append(...shown.map((task) => this.row(task)));
    table.append(head, body);
    this.place.replaceChildren(table);
    const end = begin + shown.length;
    document.getElementById("page").textContent = shown.length === 0 ? "No task" : `${countText(begin + 1)}–${countText(end)} of ${counted(this.tasks.length, "task")}`;
    this.earlier.disabled = begin === 0;
    this.later.disabled = end >= this.tasks.length;
  }

  head(column) {
    const cell = element("th", undefined, column.isNumber ? { class: "number" } : {});
    const isOrder = this.order.column === column;
    if (isOrder) cell.setAttribute("aria-sort", this.order.descends ? "descending" : "ascending");
    const button = element("button", column.label, { type: "button" });
    button.onclick = () => {
      this.order = { column, descends: isOrder ? !this.order.descends : Boolean(column.isNumber) };
      this.sort();
    };
    cell.append(button);
    return cell;
  }

  row(task) {
    const row = element("tr", undefined, { class: task === this.selected ? "is-task is-selected" : "is-task", tabindex: 0 });
    for (const column of this.columns) {
      const cell = element("td", undefined, { class: column.isNumber ? "number" : "" });
      const text = column.text(this.run, task);
      cell.append(column.isNumber ? text : element("bdi", text, { title: text }));
      if (column.label === "Outcome" && hasFailed(this.run, task)) cell.classList.add("failed");
      row.append(cell);
    }
    row.onclick = () => this.select(task);
    row.onkeydown = (event) => event.key === "Enter" && this.select(task);
    return row;
  }
}
