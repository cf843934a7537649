import { currentKey, may, renewed, setSession } from "/ui/js/session.js";
import { equal } from "./check.js";

const allowed = (role) => {
  setSession(role && { key: "k", name: "key:crm", role });
  const roles = ["reader", "editor", "admin"].filter(may);
  setSession(null);
  return roles;
};

export default {
  "each role may do what those before it may": () =>
    equal(["reader", "editor", "admin"].map(allowed), [["reader"], ["reader", "editor"], ["reader", "editor", "admin"]]),
  "who was not asked for a key may do everything": () => equal(allowed(null), ["reader", "editor", "admin"]),
  "what needs no role everybody may do": () => equal(may(undefined), true),
  "a key is there until the session ends": () => {
    setSession({ key: "k", name: "key:crm", role: "reader" });
    const during = currentKey();
    setSession(null);
    equal([during, currentKey(), sessionStorage.length], ["k", undefined, 0]);
  },
  "nobody is asked when there is another key by now": async () => {
    setSession({ key: "new", name: "key:crm", role: "reader" });
    const isRenewed = await renewed("old", { message: "The key was revoked." });
    setSession(null);
    equal(isRenewed, true);
  },
};
