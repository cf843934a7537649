// The console: it shows the view that the address names, and hands it the keys.

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

/** The list comes with the page, so that it is there soon; the others are fetched behind it. */
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

/** What keys do wherever they are pressed; a view has its own besides. */
const shared = {
  help: () => void showHelp(),
  new: () => void go({ ...current(), view: "new" }),
  undo: undoNewest,
  search: () => void go({ ...current(), view: "list" }).then(() => shown.view.commands.search?.()),
};

/** The role that a command needs, if it needs one. */
const needs = { new: "editor", select: "editor", extend: "editor", edit: "editor", undo: "editor" };

function perform(command) {
  const act = { ...shared, ...shown.view.commands }[command];
  return act && may(needs[command]) ? act() : false;
}

/** Shows who has signed in, and hides what they may not do. */
function showSession() {
  const { name = "", role = "" } = signedIn() ?? {};
  document.documentElement.dataset.role = role;
  for (const element of findAll(".who, #sign-out")) element.hidden = !name;
  find(".who .name").textContent = isolated(name);
  find(".who .role").textContent = role;
}

/** Forgets the key, and all that was shown: what waits to be undone is done before. */
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
