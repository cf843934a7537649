// The selection of rows. No DOM.

/** The selected ids, and the anchor of a range. */
export class Selection {
  #ids = new Set();
  #anchor = null;

  get ids() {
    return [...this.#ids];
  }

  get size() {
    return this.#ids.size;
  }

  has(id) {
    return this.#ids.has(id);
  }

  /** Toggles the selection of a row. */
  toggle(id) {
    if (!this.#ids.delete(id)) this.#ids.add(id);
    this.#anchor = id;
  }

  /** Extends the last action from its row to this one; without a last row, toggles this one. */
  extend(id, order) {
    const [from, to] = [order.indexOf(this.#anchor), order.indexOf(id)];
    if (from < 0 || to < 0) return this.toggle(id);
    const isSelected = this.#ids.has(this.#anchor);
    for (const one of order.slice(Math.min(from, to), Math.max(from, to) + 1)) this.#set(one, isSelected);
    this.#anchor = id;
  }

  /** Selects or deselects all of these. */
  setAll(order, isSelected) {
    for (const id of order) this.#set(id, isSelected);
    this.#anchor = null;
  }

  /** Drops ids that no longer exist. */
  keep(order) {
    for (const id of this.ids) if (!order.includes(id)) this.#ids.delete(id);
    if (!order.includes(this.#anchor)) this.#anchor = null;
  }

  #set(id, isSelected) {
    if (isSelected) this.#ids.add(id);
    else this.#ids.delete(id);
  }
}
