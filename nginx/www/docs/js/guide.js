// The examples: they use the page's own origin, and the selected language is remembered.

import { recall, remember } from "/ui/js/storage.js";
import { addCopyButtons } from "./copying.js";

const KEY = "docs.language";

/** Makes the examples use the API that served the page. */
function fillInOrigin() {
  for (const code of document.querySelectorAll("code")) {
    const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll("http://localhost:5051", location.origin);
  }
}

function rememberLanguage() {
  const choices = [...document.querySelectorAll("input[name=language]")];
  const kept = choices.find((choice) => choice.value === recall("localStorage", KEY));
  if (kept) kept.checked = true;
  for (const choice of choices) choice.addEventListener("change", () => remember("localStorage", KEY, choice.value));
}

/** Focuses the target of the skip link, which the browser does not do because Swagger UI handles the URL's fragment. */
document.querySelector(".skip").addEventListener("click", () => document.getElementById("main").focus());

fillInOrigin();
rememberLanguage();
addCopyButtons(document.querySelectorAll(".examples figure"));
