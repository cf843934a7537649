// The operations, by Swagger UI, which is not part of this program: scripts/swagger-ui puts it where the page looks for it.

import { layout } from "./layout.js";
import { keepNamed } from "./names.js";
import { plainText } from "./plaintext.js";

const place = document.getElementById("swagger");
const METHODS = ["get", "post", "put", "patch", "delete"];
const MISSING = "Swagger UI is not here: run scripts/dev swagger-ui, or docker-compose build --no-cache nginx, with a network, and load this page again.";

function tell(text) {
  const message = document.createElement("p");
  message.className = "alert";
  message.textContent = text;
  place.replaceChildren(message);
}

/**
 * The contract, without what would double the list: HEAD goes with every GET, and OPTIONS with all. Nor does it have the examples of
 * what may be left out: Swagger UI would send them unasked.
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

/** By address, and then by what is done there, as people think of it. */
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
    // The address names what is open, unless it names a part of the page: Swagger UI would take that for an operation, and change it.
    deepLinking: !/^#[^/]/.test(location.hash),
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tagsSorter: "alpha",
    operationsSorter: inOrder,
    // Of its own colours, some are too faint to read.
    syntaxHighlight: false,
    // It asks another host.
    validatorUrl: null,
    layout: "PageLayout",
    plugins: [layout, plainText],
  });
}

show();
