// Repeats an action at an interval while the page is visible. No DOM but the document's visibility, which is given.

/** Calls `act`, which returns a promise, and again `interval` after it has ended: not while it is paused, nor while the page is hidden. */
export class Polling {
  #act;
  #interval;
  #isHidden;
  #timer = null;
  #isActing = false;
  isPaused = false;

  constructor(act, interval, isHidden) {
    [this.#act, this.#interval, this.#isHidden] = [act, interval, isHidden];
  }

  /** Acts at once, if it may: to begin, and whenever it may be allowed again. */
  async wake() {
    clearTimeout(this.#timer);
    if (this.#isActing || this.isPaused || this.#isHidden()) return;
    this.#isActing = true;
    try {
      await this.#act();
    } finally {
      this.#isActing = false;
    }
    this.#timer = setTimeout(() => this.wake(), this.#interval);
  }
}
