// The lanes of the picture, from top to bottom: for each pool its queue, its permits, what is lent, and its groups.

const LENT = 1_000_000_000;
const ROWS_HEIGHT = 480;
const SHOWN_GROUPS = 24;

/** A lane has a `kind`, a `label`, a height `h`, and its place `y`. */
function makeLanes(run, ranks) {
  const rows = slicesByRow(run);
  const height = Math.min(24, Math.max(8, Math.floor(ROWS_HEIGHT / Math.max(1, rows.size))));
  const lanes = run.pools.flatMap((pool, index) => lanesOf(run, ranks, rows, index, height));
  let y = 0;
  for (const lane of lanes) {
    lane.y = y;
    y += lane.h;
  }
  return lanes;
}

function lanesOf(run, ranks, rows, pool, height) {
  const { tasks } = run;
  const ofPool = [...tasks.id.keys()].filter((task) => tasks.pool[task] === pool);
  const title = run.pools.length > 1 ? [{ kind: "title", label: run.pools[pool].name, h: 26 }] : [];
  const unstarted = ofPool.filter((task) => !hasStarted(run, task)).sort((a, b) => tasks.ended[a] - tasks.ended[b]);
  const queue = { kind: "queue", label: "waiting", h: 48, pool, curve: curve(waits(run, ofPool)), unstarted };
  return [...title, queue, ...rowLanes(rows, pool, height), ...groupLanes(run, ranks, pool, ofPool)];
}

function waits(run, tasks) {
  return tasks.map((task) => [run.tasks.submitted[task], run.tasks.submitted[task] + waitOf(run, task)]);
}

/** The slices of each row, by `pool:row`. In a row they do not overlap, and are in order. */
function slicesByRow(run) {
  const rows = new Map();
  const { slices, tasks } = run;
  for (let slice = 0; slice < slices.task.length; slice += 1) {
    const key = `${tasks.pool[slices.task[slice]]}:${slices.row[slice]}`;
    if (!rows.has(key)) rows.set(key, []);
    rows.get(key).push(slice);
  }
  return rows;
}

function rowLanes(rows, pool, height) {
  const ofPool = [...rows].map(([key, slices]) => [...key.split(":").map(Number), slices]).filter(([of]) => of === pool);
  ofPool.sort((a, b) => a[1] - b[1]);
  return ofPool.map(([, row, slices]) => {
    const isLent = row >= LENT;
    const label = isLent ? `lent ${row - LENT + 1}` : `permit ${row}`;
    return { kind: isLent ? "lent" : "permit", label, h: height, pool, slices };
  });
}

function groupLanes(run, ranks, pool, ofPool) {
  const byGroup = new Map();
  for (const task of ofPool) {
    const group = run.tasks.group[task];
    if (group < 0) continue;
    if (!byGroup.has(group)) byGroup.set(group, []);
    byGroup.get(group).push(task);
  }
  const active = new Map([...byGroup.keys()].map((group) => [group, []]));
  const { slices, tasks } = run;
  for (let slice = 0; slice < slices.task.length; slice += 1) {
    const task = slices.task[slice];
    if (tasks.pool[task] === pool && slices.row[slice] < LENT) {
      active.get(tasks.group[task])?.push([slices.from[slice], slices.to[slice]]);
    }
  }
  const shown = [...byGroup.keys()].sort((a, b) => ranks.get(a) - ranks.get(b)).slice(0, SHOWN_GROUPS);
  return shown.map((group) => ({
    kind: "group", label: run.groups[group], h: 30, pool, group,
    curve: curve(active.get(group)), waiting: curve(waits(run, byGroup.get(group))),
  }));
}
