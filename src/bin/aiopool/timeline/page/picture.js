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
    this.paintGrid();
    for (const lane of this.lanes) {
      const y = AXIS + lane.y - top;
      if (y + lane.h < AXIS || y > this.height) continue;
      pen.save();
      pen.beginPath();
      pen.rect(this.gutter, AXIS, this.width - this.gutter, this.height - AXIS);
      pen.clip();
      this.paintLane(lane, y);
      pen.restore();
      this.paintLabel(lane, y);
    }
    pen.fillStyle = theme.line;
    pen.fillRect(this.gutter - 1, 0, 1, this.height);
    this.paintAxis();
    this.paintOverview();
    Object.assign(this.scroller.dataset, { from: this.from, to: this.to, selected: this.selected });
  }

  paintGrid() {
    const { pen, theme } = this;
    pen.fillStyle = theme.grid;
    for (const time of this.ticks().times) pen.fillRect(Math.round(this.x(time)), AXIS, 1, this.height - AXIS);
  }

  ticks() {
    const count = Math.max(2, Math.floor((this.width - this.gutter) / 110));
    const step = roundStep((this.to - this.from) / count);
    const first = Math.ceil((this.from - this.run.begin) / step), times = [];
    for (let i = first; this.run.begin + i * step <= this.to; i += 1) times.push(this.run.begin + i * step);
    return { step, times };
  }

  paintAxis() {
    const { pen, theme } = this, { step, times } = this.ticks();
    pen.fillStyle = theme.card;
    pen.fillRect(0, 0, this.width, AXIS);
    pen.fillStyle = theme.line;
    pen.fillRect(0, AXIS - 1, this.width, 1);
    pen.font = `11px ${theme.font}`;
    pen.textBaseline = "middle";
    pen.fillStyle = theme.soft;
    for (const time of times) {
      const x = Math.round(this.x(time)), text = pointText(time - this.run.begin, step);
      if (x < this.gutter) continue;
      pen.fillRect(x, AXIS - 6, 1, 5);
      if (x + 4 + pen.measureText(text).width < this.width) pen.fillText(text, x + 4, AXIS / 2 - 1);
    }
    if (this.selected >= 0) this.paintPlaceOf(this.selected);
  }

  /** A mark on the axis, to find the selected task by. */
  paintPlaceOf(task) {
    const { pen } = this, { started, ended } = this.run.tasks;
    const x0 = this.x(hasStarted(this.run, task) ? started[task] : ended[task]), x1 = this.x(ended[task]);
    const x = (Math.max(x0, this.gutter) + Math.min(x1, this.width)) / 2;
    if (x1 < this.gutter || x0 > this.width) return;
    pen.fillStyle = this.theme.ink;
    pen.beginPath();
    pen.moveTo(x - 5, AXIS - 9);
    pen.lineTo(x + 5, AXIS - 9);
    pen.lineTo(x, AXIS - 1);
    pen.fill();
  }

  paintLabel(lane, y) {
    const { pen, theme } = this;
    const skips = lane.h < 13 ? Math.ceil(13 / lane.h) : 1;
    if (skips > 1 && (Number(lane.label.split(" ")[1]) - 1) % skips !== 0) return;
    const isTitle = lane.kind === "title";
    pen.font = `${isTitle ? "600 13px" : "12px"} ${theme.font}`;
    pen.textBaseline = "middle";
    pen.fillStyle = isTitle ? theme.ink : theme.soft;
    const middle = skips > 1 ? y + 6 : y + lane.h / 2;
    if (middle < AXIS + 5) return;
    const room = isTitle ? this.width - 12 : this.gutter - 12;
    pen.fillText(shortened(pen, lane.label, room), 8, middle);
  }

  paintLane(lane, y) {
    if (lane.kind === "queue") this.paintQueue(lane, y);
    else if (lane.kind === "group") this.paintCurve(lane.curve, y + 4, lane.h - 5, groupColour(this.theme, this.ranks, lane.group));
    else if (lane.slices) this.paintRow(lane, y);
  }

  paintQueue(lane, y) {
    const { pen, theme, run } = this;
    this.paintCurve(lane.curve, y + 5, lane.h - 13, theme.waiting);
    for (const task of lane.unstarted) {
      const x = this.x(run.tasks.ended[task]);
      if (x < this.gutter || x > this.width) continue;
      pen.globalAlpha = this.isDim(task) ? 0.15 : 1;
      pen.fillStyle = theme.status[run.outcomes[run.tasks.outcome[task]]] ?? theme.soft;
      const size = task === this.selected ? 5 : 3;
      pen.fillRect(x - size / 2, y + lane.h - 7, size, 6);
    }
    pen.globalAlpha = 1;
  }

  /** Paints the greatest number in each column. */
  paintCurve({ times, counts, greatest }, y, height, colour) {
    const { pen, theme } = this;
    pen.fillStyle = theme.line;
    pen.fillRect(this.gutter, Math.round(y + height), this.width - this.gutter, 1);
    pen.fillStyle = colour;
    let i = lastAt(times, this.from);
    for (let x = this.gutter; x < this.width; x += 1) {
      const end = this.time(x + 1);
      let count = counts[i] ?? 0;
      while (i + 1 < times.length && times[i + 1] < end) {
        i += 1;
        count = Math.max(count, counts[i]);
      }
      if (count > 0) {
        const h = Math.max(1, (count / greatest) * height);
        pen.fillRect(x, y + height - h, 1, h);
      }
    }
    const most = `${countText(greatest)}`;
    pen.font = `11px ${theme.font}`;
    pen.textBaseline = "top";
    const width = pen.measureText(most).width;
    pen.fillStyle = theme.card;
    pen.globalAlpha = 0.85;
    pen.fillRect(this.gutter + 2, y - 2, width + 6, 13);
    pen.globalAlpha = 1;
    pen.fillStyle = theme.ink;
    pen.fillText(most, this.gutter + 5, y - 1);
  }

  paintRow(lane, y) {
    const { pen, theme } = this, { from, to, task } = this.run.slices;
    const gap = lane.h >= 12 ? 2 : 1;
    if (lane.kind === "permit") {
      pen.fillStyle = theme.idle;
      pen.fillRect(this.x(this.run.begin), y + gap, this.x(this.run.end) - this.x(this.run.begin), lane.h - gap);
    }
    const { slices } = lane;
    let place = firstEndingAfter(slices, to, this.from);
    let thin = null;
    for (; place < slices.length && from[slices[place]] <= this.to; place += 1) {
      const slice = slices[place], x0 = this.x(from[slice]), x1 = this.x(to[slice]);
      if (x1 - x0 < 2) {
        const column = Math.floor(x0);
        if (thin?.column !== column) {
          this.paintThin(thin, y + gap, lane.h - gap);
          thin = { column, cover: 0, task: -1, isLent: lane.kind === "lent" };
        }
        thin.cover += Math.max(x1 - x0, 0.05);
        if (thin.task < 0 || this.stands(task[slice]) > this.stands(thin.task)) thin.task = task[slice];
        continue;
      }
      this.paintThin(thin, y + gap, lane.h - gap);
      thin = null;
      this.paintSlice(lane, place, Math.max(x0, this.gutter - 4), Math.min(x1, this.width + 4), y + gap, lane.h - gap);
    }
    this.paintThin(thin, y + gap, lane.h - gap);
  }

  /** Which of several tasks in one column is shown. */
  stands(task) {
    return (task === this.selected ? 4 : 0) + (this.matches?.[task] ? 2 : 0) + (hasFailed(this.run, task) ? 1 : 0);
  }

  /** Paints a column of tasks that are too short to be told apart: the more of it they fill, the stronger. */
  paintThin(thin, y, height) {
    if (thin === null) return;
    const { pen } = this, { task } = thin;
    pen.fillStyle = hasFailed(this.run, task) ? this.statusOf(task) : thin.isLent ? this.theme.lent : this.colourOf(task);
    pen.globalAlpha = this.isDim(task) ? 0.12 : Math.min(1, 0.3 + 0.7 * thin.cover);
    pen.fillRect(thin.column, y, Math.max(1, Math.min(2, thin.cover)), height);
    pen.globalAlpha = 1;
    if (task === this.selected) this.outline(thin.column - 1, y, 3, height);
  }

  paintSlice(lane, place, x0, x1, y, height) {
    const { pen, theme } = this, slice = lane.slices[place], task = this.run.slices.task[slice];
    const width = Math.max(1, x1 - x0 - (x1 - x0 > 4 ? 1 : 0));
    const outcome = this.run.outcomes[this.run.tasks.outcome[task]], isLent = lane.kind === "lent";
    const isOdd = outcome !== "completed";
    pen.globalAlpha = this.isDim(task) ? 0.13 : isOdd ? 0.4 : place % 2 === 1 ? 0.82 : 1;
    pen.fillStyle = isLent ? theme.lent : this.colourOf(task);
    pen.fillRect(x0, y, width, height);
    if (isOdd && !this.isDim(task)) {
      pen.globalAlpha = 1;
      pen.fillStyle = this.stripes[outcome] ?? theme.soft;
      pen.fillRect(x0, y, width, height);
      pen.strokeStyle = this.statusOf(task);
      pen.lineWidth = 1.5;
      pen.strokeRect(x0 + 0.75, y + 0.75, Math.max(0.5, width - 1.5), height - 1.5);
    }
    pen.globalAlpha = this.isDim(task) ? 0.3 : 1;
    if (width > 34 && height >= 13) this.paintName(task, x0, width, y + height / 2, isLent || isOdd);
    pen.globalAlpha = 1;
    if (task === this.selected) {
      this.paintWait(task, y + height / 2);
      this.outline(x0, y, width, height);
    }
  }

  paintName(task, x, width, middle, isOnPaper) {
    const { pen, theme } = this, left = Math.max(x, this.gutter) + 5;
    pen.font = `11px ${theme.font}`;
    pen.textBaseline = "middle";
    const text = shortened(pen, this.run.tasks.name[task], x + width - left - 4);
    if (text === "") return;
    if (isOnPaper) {
      pen.fillStyle = theme.card;
      pen.fillRect(left - 2, middle - 6, pen.measureText(text).width + 4, 12);
    }
    pen.fillStyle = isOnPaper ? theme.ink : theme["on-bar"];
    pen.fillText(text, left, middle + 0.5);
  }

  /** A line from the submission of a task to its start. */
  paintWait(task, middle) {
    const { pen } = this, x0 = this.x(this.run.tasks.submitted[task]), x1 = this.x(this.run.tasks.started[task]);
    pen.fillStyle = this.theme.ink;
    pen.fillRect(x0, middle - 1, Math.max(0, x1 - x0), 2);
    pen.fillRect(x0 - 1, middle - 5, 2, 10);
  }

  outline(x, y, width, height) {
    this.pen.strokeStyle = this.theme.ink;
    this.pen.lineWidth = 2;
    this.pen.strokeRect(x, y, width, height);
  }

  isDim(task) {
    return this.matches !== null && !this.matches[task] && task !== this.selected;
  }

  colourOf(task) {
    return groupColour(this.theme, this.ranks, this.run.tasks.group[task]);
  }

  statusOf(task) {
    return this.theme.status[this.run.outcomes[this.run.tasks.outcome[task]]] ?? this.theme.soft;
  }

  paintOverview() {
    const { theme, run } = this, pen = this.overviewPen, width = this.overview.clientWidth, height = 44;
    const x = (time) => ((time - run.begin) / (run.end - run.begin)) * width;
    pen.clearRect(0, 0, width, height);
    const { times, counts, greatest } = this.active;
    pen.fillStyle = theme.accent;
    pen.globalAlpha = 0.55;
    for (let column = 0, i = -1; column < width; column += 1) {
      const begin = run.begin + (column / width) * (run.end - run.begin);
      const end = run.begin + ((column + 1) / width) * (run.end - run.begin);
      // The mean, so that gaps are seen that are shorter than a column.
      let sum = 0, at = begin;
      while (at < end) {
        const until = Math.min(end, times[i + 1] ?? end);
        sum += (counts[i] ?? 0) * Math.max(0, until - at);
        at = Math.max(at, until);
        if (until < end || times[i + 1] === end) i += 1;
        else break;
      }
      const h = (sum / (end - begin) / greatest) * (height - 6);
      pen.fillRect(column, height - h, 1, h);
    }
    pen.globalAlpha = 0.72;
    pen.fillStyle = theme.idle;
    const from = x(this.from), to = x(this.to);
    pen.fillRect(0, 0, from, height);
    pen.fillRect(to, 0, width - to, height);
    pen.globalAlpha = 1;
    pen.strokeStyle = theme.ink;
    pen.lineWidth = 1.5;
    pen.strokeRect(Math.max(1, from), 1, Math.max(2, Math.min(width - 1, to) - Math.max(1, from)), height - 2);
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

/** The place of the first of some slices, in order and apart, that ends after a time. */
function firstEndingAfter(slices, to, time) {
  let low = 0, high = slices.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (to[slices[middle]] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** As much of a text as fits, with an ellipsis. Nothing if hardly a letter does. */
function shortened(pen, text, room) {
  // No text is longer than this in the picture, and measuring has its price.
  const most = text.length > 200 ? text.slice(0, 200) : text;
  const width = pen.measureText(most).width;
  if (width <= room) return most;
  const letters = Math.floor((most.length * (room - 10)) / width);
  return letters < 2 ? "" : `${most.slice(0, letters)}…`;
}
