// Which rows are selected. No DOM.

/** The selected ids, and the one that a range begins at. */
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

  /** Selects one, or not any more. */
  toggle(id) {
    if (!this.#ids.delete(id)) this.#ids.add(id);
    this.#anchor = id;
  }

  /** Does to all between the last one and this what was done to the last one; without a last one it is a toggle. */
  extend(id, order) {
    const [from, to] = [order.indexOf(this.#anchor), order.indexOf(id)];
    if (from < 0 || to < 0) return this.toggle(id);
    const isSelected = this.#ids.has(this.#anchor);
    for (const one of order.slice(Math.min(from, to), Math.max(from, to) + 1)) this.#set(one, isSelected);
    this.#anchor = id;
  }

  /** Selects all of these, or none. */
  setAll(order, isSelected) {
    for (const id of order) this.#set(id, isSelected);
    this.#anchor = null;
  }

  /** Forgets the ones that are not there any more. */
  keep(order) {
    for (const id of this.ids) if (!order.includes(id)) this.#ids.delete(id);
    if (!order.includes(this.#anchor)) this.#anchor = null;
  }

  #set(id, isSelected) {
    if (isSelected) this.#ids.add(id);
    else this.#ids.delete(id);
  }
}
