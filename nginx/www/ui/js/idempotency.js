// The key that makes a campaign be created once. No DOM.

/** A random name; not of `randomUUID`, which pages have over HTTPS and on localhost only. */
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Gives the same key for the same body, and another one for another: sent twice, it creates once. */
export class KeyKeeper {
  #body = null;
  #key = null;

  keyFor(body) {
    if (body !== this.#body) [this.#body, this.#key] = [body, randomKey()];
    return this.#key;
  }
}
