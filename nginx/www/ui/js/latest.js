// Cancels superseded requests. No DOM.

/** Runs one task at a time: a newer task aborts the older one, whose result is discarded. */
export class Latest {
  #controller = null;

  /** Resolves to the result of the task, or `undefined` if a newer task or `cancel` superseded it. */
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

/** Debounces `act`: calls it once no call was made for some milliseconds. */
export function debounced(act, milliseconds) {
  let timer;
  const ask = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds, ...values);
  };
  ask.cancel = () => clearTimeout(timer);
  return ask;
}
