// The picture of the lanes, on a canvas that shows a part of the time and of the lanes.

const AXIS = 24;
/** The shortest time that fills the picture, in microseconds. */
const CLOSEST = 0.05;

class Picture {
  constructor(run, lanes, ranks) {
    Object.assign(this, { run, lanes, ranks });
    this.canvas = document.getElementById("rows");
    this.overview = document.getElementById("overview");
    this.scroller = document.getElementById("scroller");
    this.spacer = document.getElementById("spacer");
    this.from = run.begin;
    this.to = run.end;
    this.matches = null;
    this.selected = -1;
    this.lanesHeight = lanes.reduce((sum, lane) => sum + lane.h, 0);
    const { slices } = run;
    const spans = [...slices.task.keys()].filter((slice) => slices.row[slice] < LENT);
    this.active = curve(spans.map((slice) => [slices.from[slice], slices.to[slice]]));
    this.laneOf = new Map(lanes.flatMap((lane) => (lane.slices ?? []).map((slice) => [slice, lane])));
    this.resize();
  }

  resize() {
    this.theme = readTheme();
    this.gutter = window.innerWidth < 600 ? 64 : 104;
    const height = Math.min(this.lanesHeight + AXIS + 6, Math.max(240, Math.round(window.innerHeight * 0.72)));
    this.scroller.style.height = `${height + 2}px`;
    this.width = this.scroller.clientWidth;
    this.height = height;
    this.pen = fit(this.canvas, this.width, height);
    this.overviewPen = fit(this.overview, this.overview.clientWidth, 44);
    this.stripes = Object.fromEntries(Object.entries(this.theme.status).map(([outcome, colour]) => [outcome, stripes(this.pen, colour)]));
    this.spacer.style.height = `${Math.max(0, this.lanesHeight + AXIS + 6 - height)}px`;
    this.draw();
  }

  /** Draws before the next frame, once. */
  draw() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = undefined;
      this.paint();
    });
  }

  show(from, to) {
    const { begin, end } = this.run;
    const length = Math.min(Math.max(to - from, CLOSEST), (end - begin) * 1.02);
    const slack = Math.max(0, (end - begin) * 0.01);
    this.from = Math.min(Math.max(from, begin - slack), end + slack - length);
    this.to = this.from + length;
    this.draw();
  }

  showAll() {
    this.show(this.run.begin - (this.run.end - this.run.begin) * 0.01, Infinity);
  }

  /** Makes the picture `factor` times as long a time, around one that stays in its place. */
  zoom(factor, around = (this.from + this.to) / 2) {
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }

  /** Moves by a part of what is shown. */
  move(part) {
    const by = (this.to - this.from) * part;
    this.show(this.from + by, this.to + by);
  }

  /** Shows a task, large enough to be seen and with what is around it. */
  reveal(task) {
    const { started, ended } = this.run.tasks;
    const begin = hasStarted(this.run, task) ? started[task] : ended[task];
    const length = ended[task] - begin, middle = (begin + ended[task]) / 2;
    const isSmall = length > 0 && length < (this.to - this.from) / 60;
    const shown = Math.max(length * 1.2, Math.min(this.to - this.from, isSmall ? length * 25 : Infinity));
    if (begin < this.from || ended[task] > this.to || isSmall) this.show(middle - shown / 2, middle + shown / 2);
    const lane = this.laneOfTask(task);
    const top = this.scroller.scrollTop;
    if (lane && (lane.y < top || lane.y + lane.h > top + this.height - AXIS)) this.scroller.scrollTop = lane.y - this.height / 2;
    this.draw();
  }

  laneOfTask(task) {
    const slice = this.run.slices.task.indexOf(task);
    return slice < 0 ? this.lanes.find((lane) => lane.unstarted?.includes(task)) : this.laneOf.get(slice);
  }

  x(time) {
    return this.gutter + ((time - this.from) / (this.to - this.from)) * (this.width - this.gutter);
  }

  time(x) {
    return this.from + ((x - this.gutter) / (this.width - this.gutter)) * (this.to - this.from);
  }

  /** What is at a place of the canvas: the time, the lane, and the task if there is one. */
  at(x, y) {
    const time = this.time(x), down = y - AXIS + this.scroller.scrollTop;
    const lane = y < AXIS ? undefined : this.lanes.find((lane) => down >= lane.y && down < lane.y + lane.h);
    if (lane === undefined || x < this.gutter) return { time, lane, task: -1 };
    const reach = ((this.to - this.from) / (this.width - this.gutter)) * 3;
    return { time, lane, task: lane.slices ? this.sliceAt(lane, time, reach) : this.markAt(lane, time, reach) };
  }

  sliceAt({ slices }, time, reach) {
    const { from, to, task } = this.run.slices;
    const near = slices[firstEndingAfter(slices, to, time - reach)];
    return near !== undefined && from[near] <= time + reach ? task[near] : -1;
  }

  markAt({ unstarted }, time, reach) {
    return unstarted?.find((task) => Math.abs(this.run.tasks.ended[task] - time) <= reach) ?? -1;
  }

  paint() {
    const { pen, theme } = this;
    pen.clearRect(0, 0, this.width, this.height);
    const top = this.scroller.scrollTop;
    paintGrid(this);
    for (const lane of this.lanes) {
      const y = AXIS + lane.y - top;
      if (y + lane.h < AXIS || y > this.height) continue;
      pen.save();
      pen.beginPath();
      pen.rect(this.gutter, AXIS, this.width - this.gutter, this.height - AXIS);
      pen.clip();
      this.paintLane(lane, y);
      pen.restore();
      paintLabel(this, lane, y);
    }
    pen.fillStyle = theme.line;
    pen.fillRect(this.gutter - 1, 0, 1, this.height);
    paintAxis(this);
    paintOverview(this);
    Object.assign(this.scroller.dataset, { from: this.from, to: this.to, selected: this.selected });
  }

  paintLane(lane, y) {
    if (lane.kind === "queue") paintQueue(this, lane, y);
    else if (lane.kind === "group") paintCurve(this, lane.curve, y + 4, lane.h - 5, groupColour(this.theme, this.ranks, lane.group));
    else if (lane.slices) paintRow(this, lane, y);
  }
}

/** Gives a canvas a size in pixels of the page, and returns its context. */
function fit(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}
