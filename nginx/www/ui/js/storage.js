// Web storage, which is optional: everything works if it is disabled.

/** Reads a stored text; `null` if there is none. */
export function recall(storage, key) {
  try {
    return globalThis[storage].getItem(key);
  } catch {
    return null;
  }
}

/** Stores a text. */
export function remember(storage, key, text) {
  try {
    globalThis[storage].setItem(key, text);
  } catch {
    // Storage is disabled: not stored.
  }
}

/** Removes a stored text. */
export function forget(storage, key) {
  try {
    globalThis[storage].removeItem(key);
  } catch {
    // Storage is disabled: nothing to remove.
  }
}
