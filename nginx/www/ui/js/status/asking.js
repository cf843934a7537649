// Requests the status from the master. No DOM.

import { parseMetrics } from "./metrics.js";
import { readingOf } from "./reading.js";

/** The status could not be read: the status code of the response, or 0 without a response. */
export class NoReading extends Error {
  constructor(status) {
    super(`no reading: ${status}`);
    this.status = status;
  }
}

async function answer(query, signal) {
  const response = await fetch(`/status?${query}`, { headers: { Accept: "*/*" }, cache: "no-store", signal });
  if (!response.ok) throw new NoReading(response.status);
  return response;
}

/** Requests the current status, as a reading. */
export async function ask() {
  const signal = AbortSignal.timeout(5000);
  try {
    const [status, metrics] = await Promise.all([
      answer("full", signal).then((response) => response.json()),
      answer("openmetrics", signal).then((response) => response.text()),
    ]);
    return readingOf(status, parseMetrics(metrics), Date.now());
  } catch (error) {
    throw error instanceof NoReading ? error : new NoReading(0);
  }
}
