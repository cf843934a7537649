// Formatting of numbers. No DOM.

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat("en-GB", { style: "percent", maximumFractionDigits: 1 });

export const nothing = "–";

/** `1,234`; with one decimal below ten. */
export function number(value) {
  if (value === null || value === undefined) return nothing;
  return value < 10 ? tenths.format(value) : whole.format(value);
}

/** `1 worker`, `2 workers`. */
export const count = (value, noun) => `${whole.format(value)} ${noun}${value === 1 ? "" : "s"}`;

/** `2.5%`; a small share is never rounded to 0%. */
export function share(value) {
  if (value === null) return nothing;
  return value > 0 && value < 0.001 ? "< 0.1%" : percent.format(value);
}

const units = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
];

/** `3 h 20 min`, `12 s`. */
export function duration(seconds) {
  const index = units.findIndex(([, length]) => seconds >= length);
  if (index < 0) return `${Math.floor(seconds)} s`;
  const [unit, length] = units[index];
  const [smaller, part] = units[index + 1] ?? ["s", 1];
  const rest = Math.floor((seconds % length) / part);
  return `${Math.floor(seconds / length)} ${unit}` + (rest ? ` ${rest} ${smaller}` : "");
}

/** `340 µs`, `12 ms`, `1.5 s`. */
export function latency(seconds) {
  if (seconds === null) return nothing;
  if (seconds < 0.001) return `${whole.format(seconds * 1e6)} µs`;
  return seconds < 1 ? `${number(seconds * 1000)} ms` : `${number(seconds)} s`;
}

/** `48 MB`. */
export function bytes(value) {
  return value < 1e9 ? `${number(value / 1e6)} MB` : `${number(value / 1e9)} GB`;
}
