// The key that makes a campaign be created once. No DOM.

/** A random name; not of `randomUUID`, which pages have over HTTPS and on localhost only. */
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Gives the same key for the same body, also after others, and another one for another: sent twice, it creates once. */
export class KeyKeeper {
  #keys = new Map();

  keyFor(body) {
    if (!this.#keys.has(body)) this.#keys.set(body, randomKey());
    return this.#keys.get(body);
  }
}
