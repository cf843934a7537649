// Actions that can be undone for some seconds. No DOM.

/** How long, in seconds. */
export const undoSeconds = 10;

/**
 * One action: open, then being undone and undone, or done when its time is over. While somebody looks at it (a pointer over it, the focus in it) its
 * time stands still.
 */
export class Undoable {
  #state = "open";
  #timer = null;
  #left = undoSeconds * 1000;
  #since = 0;
  #clock;
  #ended;

  /**
   * @param action `{ text, undo, commit }`: what was done, how to take it back, and, when it has not been sent yet, how to do it. `undo`
   *   returns false when that may work later.
   * @param ended is called with "undone" or "done", and with "open" when it is open again.
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

  /** Takes it back; only once, and only while it is open. Meanwhile its time stands still. */
  async undo() {
    if (this.#state !== "open") return;
    this.pause();
    this.#state = "undoing";
    this.#become((await this.action.undo()) === false ? "open" : "undone");
  }

  /** Lets it be. */
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
