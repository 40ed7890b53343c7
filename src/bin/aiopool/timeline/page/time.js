// Times are in microseconds.

/** A time as people read it: three digits and a unit. */
function timeText(micros) {
  const size = Math.abs(micros);
  if (size >= 120e6) {
    const minutes = Math.floor(size / 60e6);
    const seconds = Math.round((size - minutes * 60e6) / 1e6);
    return `${Math.sign(micros) * minutes} min ${seconds} s`;
  }
  const [unit, name] = size >= 1e6 ? [1e6, "s"] : size >= 1e3 ? [1e3, "ms"] : size >= 1 || size === 0 ? [1, "µs"] : [1e-3, "ns"];
  return `${Number((micros / unit).toPrecision(3))} ${name}`;
}

/** A point of time, exact enough to tell it from others that are `step` away. */
function pointText(micros, step) {
  const [unit, name] = step >= 1e5 ? [1e6, "s"] : step >= 1e2 ? [1e3, "ms"] : [1, "µs"];
  const digits = Math.min(3, Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9)));
  return `${(micros / unit).toFixed(digits)} ${name}`;
}

/** The least of 1, 2, 5, 10, 20 … that is not less than `least`. */
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * (1 - 1e-9));
}

function countText(count) {
  return count.toLocaleString("en-US").replaceAll(",", "\u202f");
}

/** `1 task`, `2 tasks`. */
function counted(count, one, many = `${one}s`) {
  return `${countText(count)} ${count === 1 ? one : many}`;
}
