import { lines } from "/ui/js/status/sparkline.js";
import { equal } from "./check.js";

const box = { width: 100, height: 10, length: 5 };

export default {
  "a line ends at the right, and is interrupted where values are unknown": () =>
    equal(lines([0, 2, null, 4], box), [[[25, 10], [50, 5]], [[100, 0]]]),
  "small values look small": () => equal(lines([0.5], box), [[[100, 5]]]),
  "without values there is no line": () => equal(lines([null], box), []),
};
