// Polling while the page is visible. No DOM: the document's visibility is passed in.

/** Calls `act`, which returns a promise, and again `interval` milliseconds after it has settled; not while paused, nor while the page is hidden. */
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

  /** Polls immediately, if allowed: to start, and whenever pause or visibility has changed. */
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
