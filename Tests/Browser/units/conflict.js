import { changesBetween, problem } from "/ui/js/campaign.js";
import { differences, merged } from "/ui/js/conflict.js";
import { equal } from "./check.js";

const base = { id: 1, name: "A", description: "of it", is_active: true };
const suggested = (mine, theirs) =>
  differences(base, { ...base, ...mine }, { ...base, ...theirs }).map(({ field, suggestion }) => [field, suggestion]);

export default {
  "equal versions have no differences": () => equal(suggested({ name: "B" }, { name: "B" }), []),
  "a field that only one side changed has a suggestion": () =>
    equal(suggested({ name: "B" }, { is_active: false }), [["name", "mine"], ["is_active", "theirs"]]),
  "a field that both changed has no suggestion": () => equal(suggested({ name: "B" }, { name: "C" }), [["name", null]]),
  "the choice merges both into their version": () =>
    equal(merged({ ...base, name: "B", description: "b" }, { ...base, version: 2, description: "c" }, { name: "mine", description: "theirs" }), {
      ...base,
      name: "B",
      description: "c",
      version: 2,
    }),
  "only what differs is sent": () => equal(changesBetween(base, { ...base, name: "B", id: 7 }), { name: "B" }),
  "an error begins with the label of the field": () =>
    equal([problem("is_active", "is_active must be true."), problem("name", "The name is taken.")], ["Active must be true.", "The name is taken."]),
};
