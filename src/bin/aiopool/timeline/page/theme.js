// Colours. The groups that ran longest have colours of their own, and the others share one.

const OWN_COLOURS = 8;
const STATUS = { panicked: "--bad", timed_out: "--late", cancelled: "--off", rejected: "--off", unfinished: "--open" };

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const names = ["card", "ink", "soft", "line", "grid", "accent", "mark", "rest", "idle", "lent", "waiting", "on-bar", "bad"];
  const theme = Object.fromEntries(names.map((name) => [name, colour(`--${name}`)]));
  theme.own = Array.from({ length: OWN_COLOURS }, (_, i) => colour(`--c${i}`));
  theme.status = Object.fromEntries(Object.entries(STATUS).map(([outcome, name]) => [outcome, colour(name)]));
  theme.font = getComputedStyle(document.body).fontFamily;
  return theme;
}

/** The place of each group in the order of colours; -1 is the group of the tasks in none. */
function rankGroups(run) {
  const ran = new Map();
  for (let task = 0; task < run.count; task += 1) {
    const group = run.tasks.group[task];
    ran.set(group, (ran.get(group) ?? 0) + (runOf(run, task) || 0));
  }
  const order = [...ran.keys()].sort((a, b) => ran.get(b) - ran.get(a) || a - b);
  return new Map(order.map((group, rank) => [group, rank]));
}

function groupColour(theme, ranks, group) {
  return theme.own[ranks.get(group)] ?? theme.rest;
}

/** Stripes in the colour of an outcome, for a task that was not completed. */
function stripes(context, colour) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 2.2;
  pen.beginPath();
  for (const x of [-6, 0, 6]) {
    pen.moveTo(x - 1, 7);
    pen.lineTo(x + 7, -1);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}
