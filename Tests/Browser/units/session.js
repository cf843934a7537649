import { currentKey, may, renewed, setSession } from "/ui/js/session.js";
import { equal } from "./check.js";

const allowed = (role) => {
  setSession(role && { key: "k", name: "key:crm", role });
  const roles = ["reader", "editor", "admin"].filter(may);
  setSession(null);
  return roles;
};

export default {
  "each role includes the lower ones": () =>
    equal(["reader", "editor", "admin"].map(allowed), [["reader"], ["reader", "editor"], ["reader", "editor", "admin"]]),
  "without a session, everything is allowed": () => equal(allowed(null), ["reader", "editor", "admin"]),
  "a command without a required role is always allowed": () => equal(may(undefined), true),
  "the key is available until the session ends": () => {
    setSession({ key: "k", name: "key:crm", role: "reader" });
    const during = currentKey();
    setSession(null);
    equal([during, currentKey(), sessionStorage.length], ["k", undefined, 0]);
  },
  "the user is not asked if there is another key by now": async () => {
    setSession({ key: "new", name: "key:crm", role: "reader" });
    const isRenewed = await renewed("old", { message: "The key was revoked." });
    setSession(null);
    equal(isRenewed, true);
  },
};
