// How long the tasks of each group have waited and run.

const AT_FIRST = 20;
const AT_MOST = 1000;
const SVG = "http://www.w3.org/2000/svg";

/** Makes an element with some text, which is never read as HTML. */
function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function drawn(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function groupFigures(run, ranks) {
  const byGroup = new Map([...ranks.keys()].map((group) => [group, []]));
  for (let task = 0; task < run.count; task += 1) byGroup.get(run.tasks.group[task]).push(task);
  return [...byGroup].map(([group, tasks]) => ({
    group, count: tasks.length,
    failed: tasks.filter((task) => hasFailed(run, task)).length,
    waits: spread(tasks.map((task) => waitOf(run, task))),
    runs: spread(tasks.map((task) => runOf(run, task))),
  }));
}

function showGroups(run, ranks) {
  const figures = groupFigures(run, ranks);
  const all = document.getElementById("all-groups");
  const show = (count) => {
    document.getElementById("groups").replaceChildren(groupTable(run, ranks, figures.slice(0, count), figures));
    all.hidden = figures.length <= count || count === AT_MOST;
  };
  all.textContent = `Show ${figures.length > AT_MOST ? `the ${countText(AT_MOST)} that ran longest` : `all ${countText(figures.length)} groups`}`;
  all.onclick = () => show(AT_MOST);
  show(AT_FIRST);
}

function groupTable(run, ranks, figures, all) {
  const scales = { waits: scaleOf(all.map((figure) => figure.waits)), runs: scaleOf(all.map((figure) => figure.runs)) };
  const head = element("tr");
  head.append(
    element("th", "Group"), element("th", "Tasks", { class: "number" }), element("th", "Failed", { class: "number" }),
    element("th", "Waited: median", { class: "number" }), element("th", "95 %", { class: "number" }), axisCell(scales.waits),
    element("th", "Ran: median", { class: "number" }), element("th", "95 %", { class: "number" }), axisCell(scales.runs),
  );
  const table = element("table"), thead = element("thead"), body = element("tbody");
  thead.append(head);
  body.append(...figures.map((figure) => groupRow(run, ranks, figure, scales)));
  table.append(thead, body);
  return table;
}

function groupRow(run, ranks, figure, scales) {
  const row = element("tr"), name = element("td");
  const swatch = element("span", undefined, { class: "swatch" });
  swatch.style.background = rankVariable(ranks, figure.group);
  const label = figure.group < 0 ? (ranks.size === 1 ? "all tasks" : "(no group)") : run.groups[figure.group];
  name.append(swatch, " ", element("bdi", label, { title: label }));
  const number = (text, isBad) => element("td", text, { class: isBad ? "number failed" : "number" });
  const time = (spread, part) => number(spread === null ? "–" : timeText(spread[part]));
  row.append(name, number(countText(figure.count)), number(countText(figure.failed), figure.failed > 0));
  for (const kind of ["waits", "runs"]) {
    row.append(time(figure[kind], "median"), time(figure[kind], "high"), plotCell(figure[kind], scales[kind], rankVariable(ranks, figure.group)));
  }
  return row;
}

/** The variable of the style sheet with the colour of a group: it follows light and dark by itself. */
function rankVariable(ranks, group) {
  const rank = ranks.get(group);
  return rank < OWN_COLOURS ? `var(--c${rank})` : "var(--rest)";
}

/** A logarithmic scale of times, from 0 to 100 percent. What is below it counts as its least. */
function scaleOf(spreads) {
  const known = spreads.filter((spread) => spread !== null);
  const most = Math.max(1, greatest(known.map((spread) => spread.greatest)));
  const start = Math.max(Math.min(most / 10, least(known.map((spread) => spread.low))), most / 1e6, 0.1);
  const low = Math.floor(Math.log10(start)), high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const at = (time) => (100 * (Math.min(high, Math.max(low, Math.log10(Math.max(time, 1e-9)))) - low)) / (high - low);
  const powers = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return { at, powers, every: Math.ceil(powers.length / 4) };
}

function axisCell({ at, powers, every }) {
  const svg = drawn("svg", { "aria-hidden": "true" });
  powers.forEach((time, i) => {
    if (i % every !== 0) return;
    const anchor = i === 0 ? "start" : i === powers.length - 1 ? "end" : "middle";
    const text = drawn("text", { x: `${at(time)}%`, y: 14, "text-anchor": anchor });
    text.textContent = timeText(time);
    svg.append(text);
  });
  const cell = element("th", undefined, { class: "plot" });
  cell.append(svg);
  return cell;
}

function plotCell(spread, { at, powers }, colour) {
  const cell = element("td", undefined, { class: "plot" });
  const svg = drawn("svg", { role: "img" });
  svg.append(...powers.map((time) => drawn("line", { class: "tick", x1: `${at(time)}%`, x2: `${at(time)}%`, y1: -6, y2: 26 })));
  if (spread !== null) {
    const [least, low, median, high, greatest] = ["least", "low", "median", "high", "greatest"].map((part) => at(spread[part]));
    const bar = drawn("rect", { x: `${low}%`, width: `${Math.max(0.6, high - low)}%`, y: 4, height: 12, rx: 2 });
    bar.style.fill = colour;
    svg.append(
      drawn("line", { class: "range", x1: `${least}%`, x2: `${greatest}%`, y1: 10, y2: 10 }),
      bar,
      drawn("rect", { class: "median", x: `${median}%`, width: 3, y: 1, height: 18, transform: "translate(-1.5 0)" }),
    );
    const words = `least ${timeText(spread.least)}, 5 % ${timeText(spread.low)}, median ${timeText(spread.median)}, 95 % ${timeText(spread.high)}, greatest ${timeText(spread.greatest)}`;
    svg.setAttribute("aria-label", words);
    const title = drawn("title", {});
    title.textContent = words;
    svg.append(title);
  }
  cell.append(svg);
  return cell;
}
