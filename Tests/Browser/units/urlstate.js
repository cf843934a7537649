import { addressOf, defaults, filterOf, parseAddress, sortedBy } from "/ui/js/urlstate.js";
import { equal } from "./check.js";

const parsed = (address) => parseAddress(new URL(address, "http://localhost"));

export default {
  "a URL without a query is the default list": () => equal(parsed("/ui/"), { view: "list", ...defaults }),
  "every state makes a round trip through its URL"() {
    const lists = [{}, { q: "a&b=ü %" }, { active: "false", sort: "name" }, { cursor: "AbC-_1" }];
    for (const view of [{ view: "list" }, { view: "new" }, { view: "details", id: "12" }]) {
      for (const list of lists) equal(parsed(addressOf({ ...view, ...defaults, ...list })), { ...view, ...defaults, ...list });
    }
  },
  "a search is limited to the length of a name": () => equal(parsed(`/ui/?q=${"a".repeat(300)}`).q, "a".repeat(255)),
  "unknown values become the defaults": () =>
    equal(parsed("/ui/?active=perhaps&sort=description&other=1"), { view: "list", ...defaults }),
  "defaults are omitted from the URL": () => equal(addressOf({ view: "list", ...defaults }), "/ui/"),
  "a filter uses the API's query parameters": () =>
    equal(filterOf({ q: " a b ", active: "true" }).toString(), "q=a+b&is_active=true"),
  "a click on a column sorts by it, and a second click reverses the order": () =>
    equal(["id", "-name", "name"].map((sort) => sortedBy("name", sort)), ["name", "name", "-name"]),
  "times sort descending first": () => equal([sortedBy("created_on", "id"), sortedBy("created_on", "-created_on")], ["-created_on", "created_on"]),
};
