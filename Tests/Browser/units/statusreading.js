import { between, History, readingOf } from "/ui/js/status/reading.js";
import { parseMetrics } from "/ui/js/status/metrics.js";
import { equal } from "./check.js";

const worker = (pid, requests, start = 100) => ({ pid, requests, "start time": start });

function reading(at, { accepted, answered = accepted, failed = 0, started = 100, workers = [] }) {
  const name = "aktify_request_duration_seconds";
  const metrics = `${name}_count{status="200"} ${answered - failed}
${name}_count{status="503"} ${failed}
${name}_bucket{status="200",le="0.1"} ${answered}
${name}_bucket{status="200",le="+Inf"} ${answered}`;
  return readingOf({ processes: workers, "start time": started, "accepted conn": accepted }, parseMetrics(metrics), at);
}

const numbers = ({ rate, failures, median }) => [rate, failures, median];

export default {
  "rates are computed from two readings and the time between": () => {
    const change = between(reading(1000, { accepted: 100 }), reading(3000, { accepted: 140, failed: 4 }));
    equal(numbers(change), [20, 0.1, 0.05]);
  },
  "a first reading has no rates": () => equal(numbers(between(null, reading(1000, { accepted: 100 }))), [null, null, null]),
  "without requests the rate is 0, and failures and quantiles are unknown": () =>
    equal(numbers(between(reading(1000, { accepted: 5 }), reading(3000, { accepted: 5 }))), [0, null, null]),
  "there are no rates after a restart, or if counters have decreased": () => {
    equal(between(reading(1000, { accepted: 5 }), reading(3000, { accepted: 9, started: 200 })).rate, null);
    equal(between(reading(1000, { accepted: 5 }), reading(3000, { accepted: 4 })).rate, null);
  },
  "each worker has a rate, and a new one with a reused id has none": () => {
    const before = reading(1000, { accepted: 9, workers: [worker(1, 4), worker(2, 5)] });
    const after = reading(3000, { accepted: 15, workers: [worker(1, 10), worker(2, 7, 200), worker(3, 1)] });
    equal([...between(before, after).workers], [[1, 3], [2, null], [3, null]]);
  },
  "requests in flight are sorted, longest first": () => {
    const requests = [3, 9, 5].map((micros) => ({ "request duration": micros }));
    const { requests: found } = readingOf({ "requests in flight": requests }, [], 0);
    equal(found.map((one) => one["request duration"]), [9, 5, 3]);
  },
  "a history keeps the last values": () => {
    const history = new History(3);
    [1, null, 3, 4].forEach((value) => history.add(value));
    equal(history.values, [null, 3, 4]);
  },
};
