import { bytes, count, duration, latency, number, share } from "/ui/js/status/words.js";
import { equal } from "./check.js";

export default {
  "digits are grouped, and small numbers have one decimal": () =>
    equal([0, 1.26, 9, 12.6, 1234567, null].map(number), ["0", "1.3", "9", "13", "1,234,567", "–"]),
  "nouns are singular for one, and plural otherwise": () => equal([1, 2, 0].map((value) => count(value, "worker")), ["1 worker", "2 workers", "0 workers"]),
  "a duration has at most two units": () =>
    equal([0, 59, 60, 90, 3600, 12_000, 86_400, 100_000].map(duration), [
      "0 s", "59 s", "1 min", "1 min 30 s", "1 h", "3 h 20 min", "1 d", "1 d 3 h",
    ]),
  "a latency has a suitable unit": () =>
    equal([0.00034, 0.0045, 0.012, 1.5, 25, null].map(latency), ["340 µs", "4.5 ms", "12 ms", "1.5 s", "25 s", "–"]),
  "a small share is not rounded to 0%": () => equal([0, 0.0004, 0.025, 1, null].map(share), ["0%", "< 0.1%", "2.5%", "100%", "–"]),
  "memory is in MB, or in GB from 1000 MB on": () => equal([5_200_000, 48_000_000, 2_500_000_000].map(bytes), ["5.2 MB", "48 MB", "2.5 GB"]),
};
