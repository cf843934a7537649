// The operations, by Swagger UI, which is not part of this program: scripts/swagger-ui puts it where the page looks for it.

import { plainText } from "./plaintext.js";

const place = document.getElementById("operations");
const MISSING = "Swagger UI is not here: run scripts/dev swagger-ui, or docker-compose build --no-cache nginx, with a network, and load this page again.";

function tell(text) {
  const message = document.createElement("p");
  message.className = "alert";
  message.textContent = text;
  place.replaceChildren(message);
}

/** The contract, without what would double the list: HEAD goes with every GET, and OPTIONS with all. */
async function contract() {
  const response = await fetch("/openapi.json");
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  const document = await response.json();
  for (const path of Object.values(document.paths)) {
    delete path.head;
    delete path.options;
  }
  return document;
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
  SwaggerUIBundle({
    domNode: place,
    spec,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    // Of its own colours, some are too faint to read.
    syntaxHighlight: false,
    // It asks another host.
    validatorUrl: null,
    plugins: [plainText],
  });
}

show();
