// Readings of the service's status, and the rates between two of them. No DOM.

import { difference, histogram, quantile, total } from "./metrics.js";

const durations = "aktify_request_duration_seconds";

/** Creates a reading from the status and the metrics at a time, in milliseconds. */
export function readingOf(status, metrics, at) {
  return {
    at,
    status,
    workers: status.processes ?? [],
    requests: (status["requests in flight"] ?? []).toSorted((one, other) => other["request duration"] - one["request duration"]),
    started: status["start time"],
    accepted: status["accepted conn"],
    answered: total(metrics, `${durations}_count`),
    failed: total(metrics, `${durations}_count`, ({ status }) => status?.startsWith("5")),
    latency: histogram(metrics, durations),
    withoutDatabase: total(metrics, "aktify_workers_without_database"),
    pendingRevisions: total(metrics, "aktify_pending_revisions"),
  };
}

/**
 * The activity between two readings: rates per second, quantiles in seconds, and the share of responses that are server errors; `null` where
 * it is unknown, as after a restart of the service in between.
 */
export function between(before, after) {
  const seconds = before ? (after.at - before.at) / 1000 : 0;
  const isSame = seconds > 0 && before.started === after.started && before.accepted <= after.accepted && before.answered <= after.answered;
  if (!isSame) return { rate: null, failures: null, median: null, slow: null, workers: new Map() };
  const answered = after.answered - before.answered;
  const counts = difference(after.latency, before.latency);
  const old = new Map(before.workers.map((one) => [one.pid, one]));
  return {
    rate: (after.accepted - before.accepted) / seconds,
    failures: answered > 0 ? (after.failed - before.failed) / answered : null,
    median: quantile(0.5, counts),
    slow: quantile(0.95, counts),
    workers: new Map(after.workers.map((one) => [one.pid, workerRate(old.get(one.pid), one, seconds)])),
  };
}

/** The request rate of a worker; `null` if it is another process, since process ids are reused. */
function workerRate(before, after, seconds) {
  const isSame = before && before["start time"] === after["start time"] && before.requests <= after.requests;
  return isSame ? (after.requests - before.requests) / seconds : null;
}

/** The last values of a figure, oldest first; `null` where there was none. */
export class History {
  #values = [];

  constructor(length) {
    this.length = length;
  }

  add(value) {
    this.#values.push(value);
    if (this.#values.length > this.length) this.#values.shift();
  }

  get values() {
    return [...this.#values];
  }
}
