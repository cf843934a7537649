// The Idempotency-Key with which a campaign is created at most once. No DOM.

/** A random string. `randomUUID` is not used, since it only exists in secure contexts (HTTPS and localhost). */
function randomKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns the same key for the same body, even after other bodies, so that sending it twice creates one campaign. */
export class KeyKeeper {
  #keys = new Map();

  keyFor(body) {
    if (!this.#keys.has(body)) this.#keys.set(body, randomKey());
    return this.#keys.get(body);
  }
}
