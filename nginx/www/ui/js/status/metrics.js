// OpenMetrics, as far as the master writes it. No DOM.

const sample = /^(\w+)(?:\{(.*)\})? (\S+)$/;
const label = /(\w+)="([^"]*)"/g;

/** The samples: a list of `{ name, labels, value }`. */
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

/** The sum of the samples of one name, of those whose labels are as wanted. */
export function total(metrics, name, wanted = () => true) {
  return metrics.filter((one) => one.name === name && wanted(one.labels)).reduce((sum, one) => sum + one.value, 0);
}

/** A histogram over all its series: a list of `[bound, count up to it]`, by bounds. */
export function histogram(metrics, name) {
  const counts = new Map();
  for (const one of metrics) {
    if (one.name !== `${name}_bucket`) continue;
    const bound = one.labels.le === "+Inf" ? Infinity : Number(one.labels.le);
    counts.set(bound, (counts.get(bound) ?? 0) + one.value);
  }
  return [...counts].sort(([one], [other]) => one - other);
}

/** What was counted between two states of a histogram. */
export function difference(after, before) {
  const old = new Map(before);
  return after.map(([bound, count]) => [bound, count - (old.get(bound) ?? 0)]);
}

/**
 * The value that this part of all lies below, as Prometheus estimates it: evenly within a bucket, and of the last one its lower bound.
 * `null` when nothing was counted.
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
