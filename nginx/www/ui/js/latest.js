// Only the newest question counts. No DOM.

/** Runs one task at a time: a newer one aborts the older one, whose answer is discarded. */
export class Latest {
  #controller = null;

  /** What the task returns; `undefined` when a newer one, or `cancel`, came first. */
  async run(task) {
    this.cancel();
    const controller = (this.#controller = new AbortController());
    try {
      const value = await task(controller.signal);
      if (!controller.signal.aborted) return value;
    } catch (error) {
      if (!controller.signal.aborted) throw error;
    }
  }

  cancel() {
    this.#controller?.abort();
  }
}

/** Calls `act` when nothing has asked for it for some milliseconds. */
export function debounced(act, milliseconds) {
  let timer;
  const ask = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds, ...values);
  };
  ask.cancel = () => clearTimeout(timer);
  return ask;
}
