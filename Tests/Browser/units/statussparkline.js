import { lines } from "/ui/js/status/sparkline.js";
import { equal } from "./check.js";

const box = { width: 100, height: 10, length: 5 };

export default {
  "a line ends at the right, and breaks where nothing is known": () =>
    equal(lines([0, 2, null, 4], box), [[[25, 10], [50, 5]], [[100, 0]]]),
  "little looks like little": () => equal(lines([0.5], box), [[[100, 5]]]),
  "nothing is no line": () => equal(lines([null], box), []),
};
