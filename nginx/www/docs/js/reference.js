// The API reference, rendered by Swagger UI, which is not part of this program: scripts/swagger-ui installs it.

import { layout } from "./layout.js";
import { keepNamed } from "./names.js";
import { plainText } from "./plaintext.js";

const place = document.getElementById("swagger");
const METHODS = ["get", "post", "put", "patch", "delete"];
const MISSING = "Swagger UI is not installed: run scripts/dev swagger-ui, or docker-compose build --no-cache nginx, with network access, and reload this page.";

function tell(text) {
  const message = document.createElement("p");
  message.className = "alert";
  message.textContent = text;
  place.replaceChildren(message);
}

/**
 * The OpenAPI document without the operations that would double the list (HEAD for every GET, OPTIONS for every path), and without examples of
 * optional parameters, which Swagger UI would send by default.
 */
async function contract() {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  const spec = await response.json();
  for (const path of Object.values(spec.paths)) {
    delete path.head;
    delete path.options;
    for (const { parameters = [] } of Object.values(path)) {
      for (const parameter of parameters) if (!parameter.required) delete parameter.example;
    }
  }
  return spec;
}

/** Sorts operations by path, then by method in the customary order. */
function inOrder(one, other) {
  const [path, otherPath] = [one.get("path"), other.get("path")];
  if (path !== otherPath) return path < otherPath ? -1 : 1;
  return METHODS.indexOf(one.get("method")) - METHODS.indexOf(other.get("method"));
}

async function show() {
  if (!globalThis.SwaggerUIBundle) return tell(MISSING);
  let spec;
  try {
    spec = await contract();
  } catch (error) {
    return tell(`The contract, /openapi.json, could not be read: ${error.message}.`);
  }
  place.replaceChildren();
  keepNamed(place);
  SwaggerUIBundle({
    domNode: place,
    spec,
    // Deep links are enabled unless the fragment names a section of the page, which Swagger UI would take for an operation and replace.
    deepLinking: !/^#[^/]/.test(location.hash),
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tagsSorter: "alpha",
    operationsSorter: inOrder,
    // Some colours of the default theme have too little contrast.
    syntaxHighlight: false,
    // Disabled because it uses another host.
    validatorUrl: null,
    layout: "PageLayout",
    plugins: [layout, plainText],
  });
}

show();
