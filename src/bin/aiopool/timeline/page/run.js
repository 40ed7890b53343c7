// The run, and what can be computed from it. The columns are those of `run.rs`.

function readRun() {
  const run = JSON.parse(document.getElementById("run").textContent);
  const { tasks, slices } = run;
  for (const column of ["submitted", "ended"]) tasks[column] = Float64Array.from(tasks[column]);
  tasks.started = Float64Array.from(tasks.started, (started) => started ?? NaN);
  for (const column of ["from", "to"]) slices[column] = Float64Array.from(slices[column]);
  run.count = tasks.id.length;
  run.begin = run.count === 0 ? 0 : Math.min(least(tasks.submitted), least(slices.from));
  run.end = Math.max(run.begin + 1, greatest(tasks.ended), greatest(slices.to), run.cut_at ?? 0);
  run.completed = run.outcomes.indexOf("completed");
  run.unfinished = run.outcomes.indexOf("unfinished");
  return run;
}

function least(values) {
  return values.reduce((a, b) => (b < a ? b : a), Infinity);
}

function greatest(values) {
  return values.reduce((a, b) => (b > a ? b : a), -Infinity);
}

function hasStarted(run, task) {
  return !Number.isNaN(run.tasks.started[task]);
}

function waitOf(run, task) {
  const { submitted, started, ended } = run.tasks;
  return (hasStarted(run, task) ? started[task] : ended[task]) - submitted[task];
}

/** How long a task has run, and NaN if it has never started. */
function runOf(run, task) {
  return run.tasks.ended[task] - run.tasks.started[task];
}

function hasFailed(run, task) {
  const outcome = run.tasks.outcome[task];
  return outcome !== run.completed && outcome !== run.unfinished;
}

function outcomeText(run, task) {
  return run.outcomes[run.tasks.outcome[task]].replace("_", " ");
}

function groupText(run, task) {
  const group = run.tasks.group[task];
  return group < 0 ? "" : run.groups[group];
}

/** The least, some percentiles, and the greatest of some numbers. `null` if there is none. */
function spread(numbers) {
  const sorted = Float64Array.from(numbers).filter((number) => !Number.isNaN(number)).sort();
  if (sorted.length === 0) return null;
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return { least: sorted[0], low: at(0.05), median: at(0.5), high: at(0.95), greatest: sorted[sorted.length - 1] };
}

/** How many of some spans hold at each time: `times[i]` is when the number becomes `counts[i]`. */
function curve(spans) {
  const long = spans.filter(([begin, end]) => end > begin);
  const begins = Float64Array.from(long, ([begin]) => begin).sort();
  const ends = Float64Array.from(long, ([, end]) => end).sort();
  const times = new Float64Array(2 * long.length), counts = new Float64Array(2 * long.length);
  // Each span is longer than nothing, so that the last change is an end.
  for (let i = 0, j = 0; j < ends.length; ) {
    const starts = begins[i] < ends[j];
    times[i + j] = starts ? begins[i] : ends[j];
    counts[i + j] = starts ? i + 1 - j : i - j - 1;
    if (starts) i += 1;
    else j += 1;
  }
  return { times, counts, greatest: Math.max(1, greatest(counts)) };
}

/** What a curve is at a time. */
function countAt({ times, counts }, time) {
  return counts[lastAt(times, time)] ?? 0;
}

/** The index of the last time that is not after `time`, and -1 if there is none. `times` are in order. */
function lastAt(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
