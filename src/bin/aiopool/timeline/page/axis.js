// The time above the lanes, and the names beside them.

function paintGrid(picture) {
  const { pen, theme } = picture;
  pen.fillStyle = theme.grid;
  for (const time of ticks(picture).times) pen.fillRect(Math.round(picture.x(time)), AXIS, 1, picture.height - AXIS);
}

function ticks(picture) {
  const count = Math.max(2, Math.floor((picture.width - picture.gutter) / 80));
  const step = roundStep((picture.to - picture.from) / count);
  const first = Math.ceil((picture.from - picture.run.begin) / step), times = [];
  for (let i = first; picture.run.begin + i * step <= picture.to; i += 1) times.push(picture.run.begin + i * step);
  return { step, times };
}

function paintAxis(picture) {
  const { pen, theme } = picture, { step, times } = ticks(picture);
  pen.fillStyle = theme.card;
  pen.fillRect(0, 0, picture.width, AXIS);
  pen.fillStyle = theme.line;
  pen.fillRect(0, AXIS - 1, picture.width, 1);
  pen.font = `11px ${theme.font}`;
  pen.textBaseline = "middle";
  pen.fillStyle = theme.soft;
  for (const time of times) {
    const x = Math.round(picture.x(time)), text = pointText(time - picture.run.begin, step);
    if (x < picture.gutter) continue;
    pen.fillRect(x, AXIS - 6, 1, 5);
    if (x + 4 + pen.measureText(text).width < picture.width) pen.fillText(text, x + 4, AXIS / 2 - 1);
  }
  if (picture.selected >= 0) paintPlaceOf(picture, picture.selected);
}

/** A mark on the axis, to find the selected task by. */
function paintPlaceOf(picture, task) {
  const { pen } = picture, { started, ended } = picture.run.tasks;
  const x0 = picture.x(hasStarted(picture.run, task) ? started[task] : ended[task]), x1 = picture.x(ended[task]);
  const x = (Math.max(x0, picture.gutter) + Math.min(x1, picture.width)) / 2;
  if (x1 < picture.gutter || x0 > picture.width) return;
  pen.fillStyle = picture.theme.ink;
  pen.beginPath();
  pen.moveTo(x - 5, AXIS - 9);
  pen.lineTo(x + 5, AXIS - 9);
  pen.lineTo(x, AXIS - 1);
  pen.fill();
}

function paintLabel(picture, lane, y) {
  const { pen, theme } = picture;
  const skips = lane.h < 13 ? Math.ceil(13 / lane.h) : 1;
  if (skips > 1 && (Number(lane.label.split(" ")[1]) - 1) % skips !== 0) return;
  const isTitle = lane.kind === "title";
  pen.font = `${isTitle ? "600 13px" : "12px"} ${theme.font}`;
  pen.textBaseline = "middle";
  pen.fillStyle = isTitle ? theme.ink : theme.soft;
  const middle = skips > 1 ? y + 6 : y + lane.h / 2;
  if (middle < AXIS + 5) return;
  const room = isTitle ? picture.width - 12 : picture.gutter - 12;
  pen.fillText(shortened(pen, lane.label, room), 8, middle);
}

/** As much of a text as fits, with an ellipsis. Nothing if hardly a letter does. */
function shortened(pen, text, room) {
  // No text is longer than this in the picture, and measuring has its price.
  const most = text.length > 200 ? text.slice(0, 200) : text;
  const width = pen.measureText(most).width;
  if (width <= room) return most;
  const letters = Math.floor((most.length * (room - 10)) / width);
  return letters < 2 ? "" : `${[...most].slice(0, letters).join("")}…`;
}
