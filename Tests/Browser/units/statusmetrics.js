import { difference, histogram, parseMetrics, quantile, total } from "/ui/js/status/metrics.js";
import { equal } from "./check.js";

const text = `# TYPE aktify_x histogram
aktify_x_bucket{route="/a",status="200",le="0.1"} 1
aktify_x_bucket{route="/a",status="200",le="+Inf"} 4
aktify_x_bucket{route="/b",status="503",le="0.1"} 2
aktify_x_bucket{route="/b",status="503",le="+Inf"} 2
aktify_x_count{route="/a",status="200"} 4
aktify_x_count{route="/b",status="503"} 2
aktify_plain 1.5
# EOF
`;
const metrics = parseMetrics(text);

export default {
  "samples have names, labels and values, and comments are skipped": () => {
    equal(metrics.length, 7);
    equal(metrics[0], { name: "aktify_x_bucket", labels: { route: "/a", status: "200", le: "0.1" }, value: 1 });
    equal(metrics.at(-1), { name: "aktify_plain", labels: {}, value: 1.5 });
  },
  "all or some series are summed": () => {
    equal(total(metrics, "aktify_x_count"), 6);
    equal(total(metrics, "aktify_x_count", ({ status }) => status.startsWith("5")), 2);
    equal(total(metrics, "aktify_nothing"), 0);
  },
  "a histogram is the sum of all series, sorted by bound": () =>
    equal(histogram(metrics, "aktify_x").map(([bound, count]) => [String(bound), count]), [["0.1", 3], ["Infinity", 6]]),
  "the difference of histograms includes new series": () =>
    equal(difference([[0.1, 3], [1, 8]], [[0.1, 1]]), [[0.1, 2], [1, 8]]),
  "a quantile is interpolated within its bucket": () => {
    equal(quantile(0.5, [[0.1, 10], [0.2, 10], [Infinity, 10]]), 0.05);
    equal(Math.round(1000 * quantile(0.75, [[0.1, 10], [0.2, 20], [Infinity, 20]])), 150);
  },
  "a quantile above all bounds is the last bound, and an empty histogram has none": () => {
    equal(quantile(0.95, [[0.1, 1], [10, 1], [Infinity, 10]]), 10);
    equal(quantile(0.95, [[0.1, 0], [Infinity, 0]]), null);
    equal(quantile(0.95, []), null);
  },
};
