// The examples: their address is the page's own, and which language is shown is remembered.

import { recall, remember } from "/ui/js/storage.js";
import { addCopyButtons } from "./copying.js";

const KEY = "docs.language";

/** Examples ask the API that the page came from. */
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

/** Swagger UI, which looks after the address, keeps the browser from giving the focus to what is skipped to. */
document.querySelector(".skip").addEventListener("click", () => document.getElementById("main").focus());

fillInOrigin();
rememberLanguage();
addCopyButtons(document.querySelectorAll(".examples figure"));
