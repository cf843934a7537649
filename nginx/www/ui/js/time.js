// Formatting of times. No DOM.

const units = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exactForm = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

/** `3 minutes ago`, `yesterday`; `just now` within a minute. */
export function relative(date, now = Date.now()) {
  const seconds = (date.getTime() - now) / 1000;
  const unit = units.find(([, length]) => Math.abs(seconds) >= length);
  return unit ? words.format(Math.trunc(seconds / unit[1]), unit[0]) : "just now";
}

/** The date and time to the second, in the user's time zone. */
export function exact(date) {
  return exactForm.format(date);
}
