import { Selection } from "/ui/js/selection.js";
import { equal } from "./check.js";

const order = [1, 2, 3, 4, 5];

function selected(...steps) {
  const selection = new Selection();
  for (const [what, id] of steps) selection[what](id, order);
  return selection.ids.sort();
}

export default {
  "a row is selected and deselected": () => equal(selected(["toggle", 2], ["toggle", 3], ["toggle", 2]), [3]),
  "a range extends down and up": () => equal([selected(["toggle", 2], ["extend", 4]), selected(["toggle", 4], ["extend", 2])], [[2, 3, 4], [2, 3, 4]]),
  "a range deselects if its anchor was deselected": () =>
    equal(selected(["toggle", 1], ["extend", 5], ["toggle", 2], ["extend", 4]), [1, 5]),
  "a range without an anchor is a single row": () => equal(selected(["extend", 3]), [3]),
  "ids that no longer exist are dropped, also as an anchor"() {
    const selection = new Selection();
    selection.toggle(1);
    selection.toggle(2);
    selection.keep([1, 3]);
    selection.extend(3, [1, 3]);
    equal(selection.ids, [1, 3]);
  },
  "all or none": () => {
    const selection = new Selection();
    selection.setAll(order, true);
    equal(selection.size, 5);
    selection.setAll(order, false);
    equal(selection.size, 0);
  },
};
