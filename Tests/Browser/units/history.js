import { changedFields, contents } from "/ui/js/campaign.js";
import { equal } from "./check.js";

const one = { id: 1, name: "A", description: "", is_active: true, updated_on: "then" };

export default {
  "a change has the fields that differ": () =>
    equal(changedFields({ before: one, after: { ...one, name: "B", updated_on: "now" } }), [{ field: "name", from: "A", to: "B" }]),
  "a creation has no old values, and a deletion no new ones": () =>
    equal(
      [changedFields({ before: null, after: one })[0], changedFields({ before: one, after: null })[2]],
      [{ field: "name", from: undefined, to: "A" }, { field: "is_active", from: true, to: undefined }],
    ),
  "an empty text is a value": () => equal(changedFields({ before: null, after: one })[1], { field: "description", from: undefined, to: "" }),
  "the contents are the editable fields": () => equal(contents(one), { name: "A", description: "", is_active: true }),
};
