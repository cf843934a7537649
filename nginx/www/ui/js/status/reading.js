// What is shown of the master's answers, and what two of them tell of the time between. No DOM.

import { difference, histogram, quantile, total } from "./metrics.js";

const durations = "aktify_request_duration_seconds";

/** How the service was at a time, in milliseconds. */
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
 * What has happened from one reading to a later one: rates a second, quantiles in seconds, and the part of answers that are errors of the
 * service's; `null` where nothing can be said. A service that was started in between counts from nothing.
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

/** A process id may be used again. */
function workerRate(before, after, seconds) {
  const isSame = before && before["start time"] === after["start time"] && before.requests <= after.requests;
  return isSame ? (after.requests - before.requests) / seconds : null;
}

/** The last values of something, oldest first; `null` where there was none. */
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
