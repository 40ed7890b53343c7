// The curves: the queue, the groups, and the overview of the whole run.

function paintQueue(picture, lane, y) {
  const { pen, theme, run } = picture;
  paintCurve(picture, lane.curve, y + 5, lane.h - 13, theme.waiting);
  for (const task of lane.unstarted) {
    const x = picture.x(run.tasks.ended[task]);
    if (x < picture.gutter || x > picture.width) continue;
    pen.globalAlpha = isDim(picture, task) ? 0.15 : 1;
    pen.fillStyle = theme.status[run.outcomes[run.tasks.outcome[task]]] ?? theme.soft;
    const size = task === picture.selected ? 5 : 3;
    pen.fillRect(x - size / 2, y + lane.h - 7, size, 6);
  }
  pen.globalAlpha = 1;
}

/** Paints the greatest number in each column. */
function paintCurve(picture, { times, counts, greatest }, y, height, colour) {
  const { pen, theme } = picture;
  pen.fillStyle = theme.line;
  pen.fillRect(picture.gutter, Math.round(y + height), picture.width - picture.gutter, 1);
  pen.fillStyle = colour;
  let i = lastAt(times, picture.from);
  for (let x = picture.gutter; x < picture.width; x += 1) {
    const end = picture.time(x + 1);
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
  pen.fillRect(picture.gutter + 2, y - 2, width + 6, 13);
  pen.globalAlpha = 1;
  pen.fillStyle = theme.ink;
  pen.fillText(most, picture.gutter + 5, y - 1);
}

function paintOverview(picture) {
  const { theme, run } = picture, pen = picture.overviewPen, width = picture.overview.clientWidth, height = 44;
  const x = (time) => ((time - run.begin) / (run.end - run.begin)) * width;
  pen.clearRect(0, 0, width, height);
  const { times, counts, greatest } = picture.active;
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
  const from = x(picture.from), to = x(picture.to);
  pen.fillRect(0, 0, from, height);
  pen.fillRect(to, 0, width - to, height);
  pen.globalAlpha = 1;
  pen.strokeStyle = theme.ink;
  pen.lineWidth = 1.5;
  pen.strokeRect(Math.max(1, from), 1, Math.max(2, Math.min(width - 1, to) - Math.max(1, from)), height - 2);
}

