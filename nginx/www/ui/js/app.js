// The console: shows the view of the current URL, and dispatches keyboard shortcuts to it.

import "./relativetime.js";
import { isolated } from "./campaign.js";
import { whenChanged } from "./changes.js";
import { cancelAll, mayDiscard, showHelp } from "./dialogs.js";
import { find, findAll } from "./dom.js";
import { listen } from "./keyboard.js";
import { listView } from "./list.js";
import { current, go, start } from "./router.js";
import { isCurrent, may, setSession, signedIn, whenSessionChanges } from "./session.js";
import { commitAll, undoNewest } from "./toasts.js";

/** The list is loaded with the page, so that it appears soon; the other views are loaded after it. */
const views = {
  list: async () => listView,
  new: async () => (await import("./new.js")).newView,
  details: async () => (await import("./details.js")).detailsView,
};
const fetchPause = 500;
const main = find("main");
let shown = { state: null, view: {} };

async function show(state) {
  if (state.view === "list" && shown.state?.view === "list") return shown.view.update(state);
  shown.view.leave?.();
  const from = shown.state;
  shown = { state, view: {} };
  const view = await views[state.view]().catch(() => location.reload());
  if (shown.state !== state || !view) return;
  shown.view = view(main, state, from && Number(from.id));
}

async function mayLeave() {
  await cancelAll();
  await shown.view.saved?.();
  if (!shown.view.isDirty?.()) return true;
  return mayDiscard();
}

/** The commands that all views share; each view adds its own. */
const shared = {
  help: () => void showHelp(),
  new: () => void go({ ...current(), view: "new" }),
  undo: undoNewest,
  search: () => void go({ ...current(), view: "list" }).then(() => shown.view.commands.search?.()),
};

/** The roles that commands require, if any. */
const needs = { new: "editor", select: "editor", extend: "editor", edit: "editor", undo: "editor" };

function perform(command) {
  const act = { ...shared, ...shown.view.commands }[command];
  return act && may(needs[command]) ? act() : false;
}

/** Shows the signed-in user, and hides the controls that their role does not allow. */
function showSession() {
  const { name = "", role = "" } = signedIn() ?? {};
  document.documentElement.dataset.role = role;
  for (const element of findAll(".who, #sign-out")) element.hidden = !name;
  find(".who .name").textContent = isolated(name);
  find(".who .role").textContent = role;
}

/** Ends the session and leaves the view. Pending undoable actions are committed first. */
async function signOut() {
  if (!(await mayLeave())) return;
  commitAll();
  shown.view.leave?.();
  shown = { state: null, view: {} };
  setSession(null);
  location.replace("/ui/");
}

addEventListener("beforeunload", (event) => shown.view.isDirty?.() && event.preventDefault());
addEventListener("pagehide", commitAll);
whenChanged(() => shown.view.reload?.());
whenSessionChanges(() => {
  showSession();
  shown.view.reload?.();
});
find("#help-button").addEventListener("click", showHelp);
find("#sign-out").addEventListener("click", signOut);
addEventListener("pageshow", (event) => event.persisted && (isCurrent() ? shown.view.reload?.() : location.reload()));
listen(perform);
showSession();
start(show, mayLeave);
setTimeout(() => Object.values(views).forEach((view) => view().catch(() => {})), fetchPause);
