// The client of the API, and its errors. No DOM.

import { currentKey, renewed } from "./session.js";
import { filterOf } from "./urlstate.js";

/** The number of campaigns on a page of the list. */
export const pageSize = 25;

/** The number of changes on a page of a campaign's history. */
const historySize = 10;

/** An error response, or no response at all: then the status is 0. */
export class ApiError extends Error {
  constructor(status, { message, errors = [], request_id: requestID = "" }) {
    super(message);
    this.status = status;
    this.requestID = requestID;
    this.fields = new Map(errors.map((error) => [error.field, error.message]));
  }

  /** Whether the request may succeed when it is retried later. */
  get isTemporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Whether the outcome is unknown: the request may have been carried out all the same. */
  get isUnknown() {
    return this.status === 502 || this.status === 504;
  }

  /** The error message for a subject and an action, such as `“A”` and `changed`. */
  of(what, done) {
    return `${what} ${this.isUnknown ? "perhaps " : ""}not ${done}: ${this.message}`;
  }
}

/** The cursor of the next page, from a Link header field; "" if there is none. */
export function nextCursor(link) {
  const url = /<([^>]*)>;\s*rel="next"/.exec(link ?? "")?.[1];
  return url ? (new URL(url, "http://localhost").searchParams.get("cursor") ?? "") : "";
}

/** Converts an error response, whose body may be anything, to an error. */
export async function errorOf(response) {
  const body = await response.json().catch(() => null);
  const message = body?.message ?? `The service responded with ${response.status}.`;
  return new ApiError(response.status, { ...body, message });
}

async function ask(key, method, path, { body, type = "application/json", headers = {}, ...options } = {}) {
  const fields = { ...headers, ...(key && { Authorization: `Bearer ${key}` }), ...(body !== undefined && { "Content-Type": type }) };
  // Always revalidates, so that going back in the history does not show cached data.
  const init = { method, headers: fields, body, cache: "no-cache", ...options };
  try {
    return await fetch(path, init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, { message: "The service cannot be reached." });
  }
}

/** Sends a request. After a 401, which has had no effect, it is sent again as soon as the user has signed in. */
async function send(method, path, options) {
  for (;;) {
    const key = currentKey();
    const response = await ask(key, method, path, options);
    if (response.ok) return response;
    const error = await errorOf(response);
    if (error.status !== 401 || !(await renewed(key, error))) throw error;
  }
}

/** The principal of a key: `{ name, role }`. */
export async function identity(key) {
  const response = await ask(key, "GET", "/me");
  if (!response.ok) throw await errorOf(response);
  return jsonOf(response);
}

const one = (id) => `/campaigns/${id}`;
const failIncomplete = () => {
  throw new ApiError(0, { message: "The response was incomplete." });
};
const jsonOf = (response) => response.json().catch(failIncomplete);
const versioned = async (response) => ({ campaign: await jsonOf(response), etag: response.headers.get("ETag") });

/** Fetches the page of the list that a state describes: `{ rows, next }`. */
export async function list(state, { signal, limit = pageSize, extra = {} } = {}) {
  const query = filterOf(state);
  query.set("limit", limit);
  query.set("sort", state.sort);
  if (state.cursor) query.set("cursor", state.cursor);
  for (const [name, value] of Object.entries(extra)) query.set(name, value);
  const response = await send("GET", `/campaigns/?${query}`, { signal });
  return { rows: await jsonOf(response), next: nextCursor(response.headers.get("Link")) };
}

/** The query of a state's filter, excluding the campaigns with some ids. */
function queryWithout(ids, state) {
  const query = filterOf(state);
  for (const id of ids.keys()) query.append("id[ne]", id);
  return query;
}

/** Counts the campaigns that match a state's filter, excluding some. */
export async function count(state, without, signal) {
  const query = queryWithout(without, state);
  query.set("limit", 1);
  query.set("fields", "id");
  query.set("count", "true");
  const response = await send("GET", `/campaigns/?${query}`, { signal });
  return Number(response.headers.get("X-Total-Count"));
}

/** Fetches a campaign, with the ETag of its version. */
export const read = async (id, signal) => versioned(await send("GET", one(id), { signal }));

/** Fetches a page of a campaign's history, latest change first: `{ changes, next }`. */
export async function history(id, { cursor = "", signal } = {}) {
  const query = new URLSearchParams({ limit: historySize });
  if (cursor) query.set("cursor", cursor);
  const response = await send("GET", `${one(id)}/history?${query}`, { signal });
  return { changes: await jsonOf(response), next: nextCursor(response.headers.get("Link")) };
}

/** Creates a campaign from a JSON text, at most once per idempotency key. */
export const create = async (body, key) =>
  jsonOf(await send("POST", "/campaigns/", { body, headers: { "Idempotency-Key": key } }));

/** Maps each version, by id and ETag, to the version that a change by this page made of it. */
const successors = new Map();

/** The latest version that the changes of this page have made of a version. Any later one is somebody else's. */
function latestOwn(id, etag) {
  const next = successors.get(`${id} ${etag}`);
  return next ? latestOwn(id, next) : etag;
}

/** Changes some fields, unless somebody else has changed the version with this ETag (412). */
export async function change(id, fields, etag) {
  const own = latestOwn(id, etag);
  const headers = { "If-Match": own };
  const changed = await versioned(await send("PATCH", one(id), { body: JSON.stringify(fields), type: "application/merge-patch+json", headers }));
  if (own !== changed.etag) successors.set(`${id} ${own}`, changed.etag);
  return changed;
}

/** Deletes a campaign, unless somebody else has changed the version with this ETag (412). With `keepalive`, the request outlives the page. */
export const remove = (id, etag, options) => send("DELETE", one(id), { headers: { "If-Match": latestOwn(id, etag) }, ...options });

/** Downloads all campaigns that match a state's filter, excluding some, in its order and in a media type. Calls `progress` with the bytes received. */
export async function exported(state, without, type, progress, signal) {
  const query = queryWithout(without, state);
  query.set("sort", state.sort);
  const response = await send("GET", `/campaigns/?${query}`, { headers: { Accept: type }, signal });
  const [parts, reader] = [[], response.body.getReader()];
  let bytes = 0;
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      if (signal.aborted) throw error;
      failIncomplete();
    });
    if (done) return new Blob(parts, { type });
    parts.push(value);
    progress((bytes += value.length));
  }
}
