// What a browser remembers, where it may: a page whose storage is turned off works all the same.

/** A text that was kept; `null` when there is none. */
export function recall(storage, key) {
  try {
    return globalThis[storage].getItem(key);
  } catch {
    return null;
  }
}

/** Keeps a text. */
export function remember(storage, key, text) {
  try {
    globalThis[storage].setItem(key, text);
  } catch {
    // It is forgotten, then.
  }
}

/** Keeps it no longer. */
export function forget(storage, key) {
  try {
    globalThis[storage].removeItem(key);
  } catch {
    // There is none, then.
  }
}
