import { exact, relative } from "/ui/js/time.js";
import { equal } from "./check.js";

const now = Date.UTC(2026, 10, 23, 12);
const ago = (seconds) => relative(new Date(now - seconds * 1000), now);

export default {
  "times are relative": () =>
    equal([0, 59, 60, 3599, 3600, 86_400, 3 * 86_400, 8 * 86_400, 40 * 86_400, 400 * 86_400].map(ago), [
      "just now",
      "just now",
      "1 minute ago",
      "59 minutes ago",
      "1 hour ago",
      "yesterday",
      "3 days ago",
      "last week",
      "last month",
      "last year",
    ]),
  "a clock that is ahead is tolerated": () => equal([ago(-5), ago(-120)], ["just now", "in 2 minutes"]),
  "the exact time includes seconds": () => equal(/12:00:07/.test(exact(new Date(2026, 10, 23, 12, 0, 7))), true),
};
