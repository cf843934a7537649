// The API over HTTP, and its errors. No DOM.

import { currentKey, renewed } from "./session.js";
import { filterOf } from "./urlstate.js";

/** How many campaigns a page of the list has. */
export const pageSize = 25;

/** How many changes a page of a campaign's history has. */
const historySize = 10;

/** An answer that is an error, or none at all: then its status is 0. */
export class ApiError extends Error {
  constructor(status, { message, errors = [], request_id: requestID = "" }) {
    super(message);
    this.status = status;
    this.requestID = requestID;
    this.fields = new Map(errors.map((error) => [error.field, error.message]));
  }

  /** It may work a moment later. */
  get isTemporary() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** What was asked for may have been done all the same. */
  get isUnknown() {
    return this.status === 502 || this.status === 504;
  }

  /** Tells it of something that was to be done: `“A”`, `changed`. */
  of(what, done) {
    return `${what} ${this.isUnknown ? "perhaps " : ""}not ${done}: ${this.message}`;
  }
}

/** The next page's cursor in a Link header field; "" when there is none. */
export function nextCursor(link) {
  const url = /<([^>]*)>;\s*rel="next"/.exec(link ?? "")?.[1];
  return url ? (new URL(url, "http://localhost").searchParams.get("cursor") ?? "") : "";
}

/** The error that an answer tells of, whatever its body is. */
export async function errorOf(response) {
  const body = await response.json().catch(() => null);
  const message = body?.message ?? `The service answered ${response.status}.`;
  return new ApiError(response.status, { ...body, message });
}

async function ask(key, method, path, { body, type = "application/json", headers = {}, ...options } = {}) {
  const fields = { ...headers, ...(key && { Authorization: `Bearer ${key}` }), ...(body !== undefined && { "Content-Type": type }) };
  // A page that is gone back to is not to show what the browser kept.
  const init = { method, headers: fields, body, cache: "no-cache", ...options };
  try {
    return await fetch(path, init);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, { message: "The service cannot be reached." });
  }
}

/** Sends a request; one that is refused for its key, which has done nothing, again as soon as somebody has signed in. */
async function send(method, path, options) {
  for (;;) {
    const key = currentKey();
    const response = await ask(key, method, path, options);
    if (response.ok) return response;
    const error = await errorOf(response);
    if (error.status !== 401 || !(await renewed(key, error))) throw error;
  }
}

/** Whose a key is, and with which role: `{ name, role }`. */
export async function identity(key) {
  const response = await ask(key, "GET", "/me");
  if (!response.ok) throw await errorOf(response);
  return jsonOf(response);
}

const one = (id) => `/campaigns/${id}`;
const brokeOff = () => {
  throw new ApiError(0, { message: "The answer broke off." });
};
const jsonOf = (response) => response.json().catch(brokeOff);
const versioned = async (response) => ({ campaign: await jsonOf(response), etag: response.headers.get("ETag") });

/** A page of the list that a state describes: `{ rows, next }`. */
export async function list(state, { signal, limit = pageSize, extra = {} } = {}) {
  const query = filterOf(state);
  query.set("limit", limit);
  query.set("sort", state.sort);
  if (state.cursor) query.set("cursor", state.cursor);
  for (const [name, value] of Object.entries(extra)) query.set(name, value);
  const response = await send("GET", `/campaigns/?${query}`, { signal });
  return { rows: await jsonOf(response), next: nextCursor(response.headers.get("Link")) };
}

/** The query of a state's filter, without some campaigns that it selects too. */
function queryWithout(ids, state) {
  const query = filterOf(state);
  for (const id of ids.keys()) query.append("id[ne]", id);
  return query;
}

/** How many campaigns a state's filter selects, some of them left out. */
export async function count(state, without, signal) {
  const query = queryWithout(without, state);
  query.set("limit", 1);
  query.set("fields", "id");
  query.set("count", "true");
  const response = await send("GET", `/campaigns/?${query}`, { signal });
  return Number(response.headers.get("X-Total-Count"));
}

/** One campaign, with the ETag of its version. */
export const read = async (id, signal) => versioned(await send("GET", one(id), { signal }));

/** What has changed of one, the latest first: `{ changes, next }`. */
export async function history(id, { cursor = "", signal } = {}) {
  const query = new URLSearchParams({ limit: historySize });
  if (cursor) query.set("cursor", cursor);
  const response = await send("GET", `${one(id)}/history?${query}`, { signal });
  return { changes: await jsonOf(response), next: nextCursor(response.headers.get("Link")) };
}

/** Makes a campaign of a JSON text, once for each key. */
export const create = async (body, key) =>
  jsonOf(await send("POST", "/campaigns/", { body, headers: { "Idempotency-Key": key } }));

/** What versions became by changes from here. */
const successors = new Map();

/** The version that changes from here have made of one: a later one is somebody else's. */
function latestOwn(id, etag) {
  const next = successors.get(`${id} ${etag}`);
  return next ? latestOwn(id, next) : etag;
}

/** Changes some fields, while nobody else changed the version of an ETag (else 412). */
export async function change(id, fields, etag) {
  const own = latestOwn(id, etag);
  const headers = { "If-Match": own };
  const changed = await versioned(await send("PATCH", one(id), { body: JSON.stringify(fields), type: "application/merge-patch+json", headers }));
  if (own !== changed.etag) successors.set(`${id} ${own}`, changed.etag);
  return changed;
}

/** Deletes one, while nobody else changed the version of an ETag (else 412). With `keepalive` it is sent even when the page goes away. */
export const remove = (id, etag, options) => send("DELETE", one(id), { headers: { "If-Match": latestOwn(id, etag) }, ...options });

/** All campaigns of a state's filter but some, in its order, as the text of a media type: `progress` is told the bytes so far. */
export async function exported(state, without, type, progress, signal) {
  const query = queryWithout(without, state);
  query.set("sort", state.sort);
  const response = await send("GET", `/campaigns/?${query}`, { headers: { Accept: type }, signal });
  const [parts, reader] = [[], response.body.getReader()];
  let bytes = 0;
  for (;;) {
    const { value, done } = await reader.read().catch((error) => {
      if (signal.aborted) throw error;
      brokeOff();
    });
    if (done) return new Blob(parts, { type });
    parts.push(value);
    progress((bytes += value.length));
  }
}
