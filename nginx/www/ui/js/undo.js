// Actions that can be undone for a few seconds. No DOM.

/** How long an action can be undone, in seconds. */
export const undoSeconds = 10;

/**
 * An undoable action. Its state is "open", then "undoing" and "undone", or "done" when its time is over. The countdown can be paused, for example
 * while its toast has the pointer or the focus.
 */
export class Undoable {
  #state = "open";
  #timer = null;
  #left = undoSeconds * 1000;
  #since = 0;
  #clock;
  #ended;

  /**
   * @param action `{ text, undo, commit }`: a message, a function that undoes the action, and, if it has not been sent yet, one that sends it. `undo`
   *   resolves to false if it may succeed later.
   * @param ended is called with "undone" or "done", or with "open" if undo failed temporarily.
   */
  constructor(action, ended, clock = { now: () => performance.now(), set: (f, ms) => setTimeout(f, ms), clear: (t) => clearTimeout(t) }) {
    this.action = action;
    this.#ended = ended;
    this.#clock = clock;
    this.resume();
  }

  get state() {
    return this.#state;
  }

  pause() {
    if (this.#timer === null) return;
    this.#clock.clear(this.#timer);
    this.#timer = null;
    this.#left -= this.#clock.now() - this.#since;
  }

  resume() {
    if (this.#state !== "open" || this.#timer !== null) return;
    this.#since = this.#clock.now();
    this.#timer = this.#clock.set(() => this.commit(), Math.max(0, this.#left));
  }

  /** Undoes the action if it is open. The countdown is paused meanwhile. */
  async undo() {
    if (this.#state !== "open") return;
    this.pause();
    this.#state = "undoing";
    this.#become((await this.action.undo()) === false ? "open" : "undone");
  }

  /** Ends the time for undo, and sends the action if it has not been sent yet. */
  commit() {
    if (this.#state !== "open") return;
    this.pause();
    this.#become("done");
    return this.action.commit?.();
  }

  #become(state) {
    this.#state = state;
    this.#ended(state);
  }
}
