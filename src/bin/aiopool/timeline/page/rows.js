// The rows of permits and of what is lent: a bar for each task.

function paintRow(picture, lane, y) {
  const { pen, theme } = picture, { from, to, task } = picture.run.slices;
  const gap = lane.h >= 12 ? 2 : 1;
  if (lane.kind === "permit") {
    pen.fillStyle = theme.idle;
    pen.fillRect(picture.x(picture.run.begin), y + gap, picture.x(picture.run.end) - picture.x(picture.run.begin), lane.h - gap);
  }
  const { slices } = lane;
  let place = firstEndingAfter(slices, to, picture.from);
  let thin = null;
  for (; place < slices.length && from[slices[place]] <= picture.to; place += 1) {
    const slice = slices[place], x0 = picture.x(from[slice]), x1 = picture.x(to[slice]);
    if (x1 - x0 < 2) {
      const column = Math.floor(x0);
      if (thin?.column !== column) {
        paintThin(picture, thin, y + gap, lane.h - gap);
        thin = { column, cover: 0, task: -1, isLent: lane.kind === "lent" };
      }
      thin.cover += Math.max(x1 - x0, 0.05);
      if (thin.task < 0 || stands(picture, task[slice]) > stands(picture, thin.task)) thin.task = task[slice];
      continue;
    }
    paintThin(picture, thin, y + gap, lane.h - gap);
    thin = null;
    paintSlice(picture, lane, place, Math.max(x0, picture.gutter - 4), Math.min(x1, picture.width + 4), y + gap, lane.h - gap);
  }
  paintThin(picture, thin, y + gap, lane.h - gap);
}

/** Which of several tasks in one column is shown. */
function stands(picture, task) {
  return (task === picture.selected ? 4 : 0) + (picture.matches?.[task] ? 2 : 0) + (hasFailed(picture.run, task) ? 1 : 0);
}

/** Paints a column of tasks that are too short to be told apart: the more of it they fill, the stronger. */
function paintThin(picture, thin, y, height) {
  if (thin === null) return;
  const { pen } = picture, { task } = thin;
  pen.fillStyle = hasFailed(picture.run, task) ? statusOf(picture, task) : thin.isLent ? picture.theme.lent : colourOf(picture, task);
  pen.globalAlpha = isDim(picture, task) ? 0.12 : Math.min(1, 0.3 + 0.7 * thin.cover);
  pen.fillRect(thin.column, y, Math.max(1, Math.min(2, thin.cover)), height);
  pen.globalAlpha = 1;
  if (task === picture.selected) outline(picture, thin.column - 1, y, 3, height);
}

function paintSlice(picture, lane, place, x0, x1, y, height) {
  const { pen, theme } = picture, slice = lane.slices[place], task = picture.run.slices.task[slice];
  const width = Math.max(1, x1 - x0 - (x1 - x0 > 4 ? 1 : 0));
  const outcome = picture.run.outcomes[picture.run.tasks.outcome[task]], isLent = lane.kind === "lent";
  const isOdd = outcome !== "completed";
  pen.globalAlpha = isDim(picture, task) ? 0.13 : isOdd ? 0.4 : place % 2 === 1 ? 0.82 : 1;
  pen.fillStyle = isLent ? theme.lent : colourOf(picture, task);
  pen.fillRect(x0, y, width, height);
  if (isOdd && !isDim(picture, task)) {
    pen.globalAlpha = 1;
    pen.fillStyle = picture.stripes[outcome] ?? theme.soft;
    pen.fillRect(x0, y, width, height);
    pen.strokeStyle = statusOf(picture, task);
    pen.lineWidth = 1.5;
    pen.strokeRect(x0 + 0.75, y + 0.75, Math.max(0.5, width - 1.5), height - 1.5);
  }
  pen.globalAlpha = isDim(picture, task) ? 0.3 : 1;
  if (width > 34 && height >= 13) paintName(picture, task, x0, width, y + height / 2, isLent || isOdd);
  pen.globalAlpha = 1;
  if (task === picture.selected) {
    paintWait(picture, task, y + height / 2);
    outline(picture, x0, y, width, height);
  }
}

function paintName(picture, task, x, width, middle, isOnPaper) {
  const { pen, theme } = picture, left = Math.max(x, picture.gutter) + 5;
  pen.font = `11px ${theme.font}`;
  pen.textBaseline = "middle";
  const text = shortened(pen, picture.run.tasks.name[task], x + width - left - 4);
  if (text === "") return;
  if (isOnPaper) {
    pen.fillStyle = theme.card;
    pen.fillRect(left - 2, middle - 6, pen.measureText(text).width + 4, 12);
  }
  pen.fillStyle = isOnPaper ? theme.ink : theme["on-bar"];
  pen.fillText(text, left, middle + 0.5);
}

/** A line from the submission of a task to its start. */
function paintWait(picture, task, middle) {
  const { pen } = picture, x0 = picture.x(picture.run.tasks.submitted[task]), x1 = picture.x(picture.run.tasks.started[task]);
  pen.fillStyle = picture.theme.ink;
  pen.fillRect(x0, middle - 1, Math.max(0, x1 - x0), 2);
  pen.fillRect(x0 - 1, middle - 5, 2, 10);
}

function outline(picture, x, y, width, height) {
  picture.pen.strokeStyle = picture.theme.ink;
  picture.pen.lineWidth = 2;
  picture.pen.strokeRect(x, y, width, height);
}

function isDim(picture, task) {
  return picture.matches !== null && !picture.matches[task] && task !== picture.selected;
}

function colourOf(picture, task) {
  return groupColour(picture.theme, picture.ranks, picture.run.tasks.group[task]);
}

function statusOf(picture, task) {
  return picture.theme.status[picture.run.outcomes[picture.run.tasks.outcome[task]]] ?? picture.theme.soft;
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
