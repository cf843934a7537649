// A parser for the subset of OpenMetrics that the master writes. No DOM.

const sample = /^(\w+)(?:\{(.*)\})? (\S+)$/;
const label = /(\w+)="([^"]*)"/g;

/** Parses the samples: a list of `{ name, labels, value }`. */
export function parseMetrics(text) {
  return text
    .split("\n")
    .map((line) => sample.exec(line))
    .filter((match) => match)
    .map(([, name, labels = "", value]) => ({
      name,
      labels: Object.fromEntries([...labels.matchAll(label)].map(([, key, text]) => [key, text])),
      value: Number(value),
    }));
}

/** The sum of the samples of a metric whose labels match. */
export function total(metrics, name, matches = () => true) {
  return metrics.filter((one) => one.name === name && matches(one.labels)).reduce((sum, one) => sum + one.value, 0);
}

/** The sum of all series of a histogram: a list of `[bound, cumulative count]`, sorted by bound. */
export function histogram(metrics, name) {
  const counts = new Map();
  for (const one of metrics) {
    if (one.name !== `${name}_bucket`) continue;
    const bound = one.labels.le === "+Inf" ? Infinity : Number(one.labels.le);
    counts.set(bound, (counts.get(bound) ?? 0) + one.value);
  }
  return [...counts].sort(([one], [other]) => one - other);
}

/** The difference between two states of a histogram. */
export function difference(after, before) {
  const old = new Map(before);
  return after.map(([bound, count]) => [bound, count - (old.get(bound) ?? 0)]);
}

/**
 * Estimates a quantile as Prometheus does: by linear interpolation within a bucket, and by the lower bound of the last one.
 * `null` if the histogram is empty.
 */
export function quantile(part, counts) {
  const all = counts.at(-1)?.[1] ?? 0;
  if (!(all > 0)) return null;
  const rank = part * all;
  const index = counts.findIndex(([, count]) => count >= rank);
  const [lower, below] = index > 0 ? counts[index - 1] : [0, 0];
  const [upper, count] = counts[index];
  return upper === Infinity ? lower : lower + ((upper - lower) * (rank - below)) / (count - below);
}
