import { addressOf, defaults, filterOf, parseAddress, sortedBy } from "/ui/js/urlstate.js";
import { equal } from "./check.js";

const parsed = (address) => parseAddress(new URL(address, "http://localhost"));

export default {
  "an address without anything is the list by default": () => equal(parsed("/ui/"), { view: "list", ...defaults }),
  "every state has an address that is read as the same state"() {
    const lists = [{}, { q: "a&b=ü %" }, { active: "false", sort: "name" }, { cursor: "AbC-_1" }];
    for (const view of [{ view: "list" }, { view: "new" }, { view: "details", id: "12" }]) {
      for (const list of lists) equal(parsed(addressOf({ ...view, ...defaults, ...list })), { ...view, ...defaults, ...list });
    }
  },
  "a search is no longer than a name": () => equal(parsed(`/ui/?q=${"a".repeat(300)}`).q, "a".repeat(255)),
  "what is not known becomes the default": () =>
    equal(parsed("/ui/?active=perhaps&sort=description&other=1"), { view: "list", ...defaults }),
  "what is the default is left out of the address": () => equal(addressOf({ view: "list", ...defaults }), "/ui/"),
  "a filter is said as the API says it": () =>
    equal(filterOf({ q: " a b ", active: "true" }).toString(), "q=a+b&is_active=true"),
  "a column sorts, and turns round": () =>
    equal(["id", "-name", "name"].map((sort) => sortedBy("name", sort)), ["name", "name", "-name"]),
  "times fall first": () => equal([sortedBy("created_on", "id"), sortedBy("created_on", "-created_on")], ["-created_on", "created_on"]),
};
