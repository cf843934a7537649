// Export of the whole filtered list as a file.

import { announce } from "./announcements.js";
import * as api from "./api.js";
import { leaving } from "./bulk.js";
import { tellFailure, tellProgress } from "./toasts.js";

const types = { csv: "text/csv", json: "application/json" };

/** Exports all campaigns that match a list's state, not just its page, except those with a pending deletion. An incomplete response creates no file. */
export async function exportAs(format, state) {
  const stopping = new AbortController();
  const progress = tellProgress("Exporting…", () => stopping.abort());
  const show = (bytes) => progress.set(`Exporting… ${(bytes / 1e6).toFixed(1)} MB`);
  try {
    const parts = [await api.exported(state, leaving, types[format], show, stopping.signal)];
    // Excel only recognizes UTF-8 by its byte order mark.
    if (format === "csv") parts.unshift("\uFEFF");
    save(new Blob(parts, { type: types[format] }), `campaigns-${today()}.${format}`);
    announce("Exported.");
  } catch (error) {
    if (!stopping.signal.aborted) tellFailure(`Not exported: ${error.message}`);
  }
  progress.end();
}

const today = () => new Date().toISOString().slice(0, 10);

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
