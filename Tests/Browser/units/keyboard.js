import { commandOf } from "/ui/js/keyboard.js";
import { neighbours } from "/ui/js/neighbours.js";
import { equal } from "./check.js";

const free = { isTyping: false, usesSingleKeys: true };
const commands = (keys, where = free) => keys.map((key) => commandOf({ key }, where));

/** A list of six campaigns in pages of two, whose cursors are their start indexes. */
const list = async ({ cursor }, { limit }) => {
  const from = Number(cursor || 0);
  const rows = [6, 5, 4, 3, 2, 1].slice(from, from + Math.min(limit, 2)).map((id) => ({ id }));
  return { rows, next: from + 2 < 6 ? String(from + 2) : "" };
};
const before = (cursor) => (cursor === "" ? null : cursor === "2" ? "" : String(cursor - 2));
const beside = async (id, cursor) => {
  const { previous, next } = await neighbours({ view: "details", id, cursor }, list, before);
  return [previous, next].map((state) => state && `${state.id} of page ${state.cursor || 0}`);
};

export default {
  "keys map to commands": () =>
    equal(commands(["/", "n", "j", "k", "x", "X", "e", "z", "?", "Escape", "a"]), [
      "search", "new", "next", "previous", "select", "extend", "edit", "undo", "help", "cancel", null,
    ]),
  "typed text is not a command": () => equal(commands(["n", "Escape"], { ...free, isTyping: true }), [null, null]),
  "the browser's own shortcuts are not intercepted": () => equal(commandOf({ key: "n", ctrlKey: true }, free), null),
  "Control z undoes, except while typing": () => {
    const press = (where) => commandOf({ key: "z", ctrlKey: true }, { ...free, ...where });
    equal([press({ usesSingleKeys: false }), press({ isTyping: true })], ["undo", null]);
  },
  "single keys can be turned off": () => equal(commands(["n", "?", "Escape"], { ...free, usesSingleKeys: false }), [null, null, "cancel"]),
  "neighbours are on the same page, or on adjacent ones": async () => {
    equal(await beside("6", ""), [null, "5 of page 0"]);
    equal(await beside("5", ""), ["6 of page 0", "4 of page 2"]);
    equal(await beside("4", "2"), ["5 of page 0", "3 of page 2"]);
    equal(await beside("1", "4"), ["2 of page 4", null]);
  },
};
