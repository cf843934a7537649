// The editable fields of a campaign. No DOM.

/** The label of each field. */
export const labels = { name: "Name", description: "Description", is_active: "Active" };

export const fields = Object.keys(labels);

/** The fields to change to turn one campaign into another, with their new values. */
export function changesBetween(from, to) {
  return Object.fromEntries(fields.filter((field) => from[field] !== to[field]).map((field) => [field, to[field]]));
}

/** The editable fields of a campaign, without those that the service sets. */
export const contents = (campaign) => Object.fromEntries(fields.map((field) => [field, campaign[field]]));

/** The error message of a field, with its label in place of its name, with which messages of the API begin. */
export function problem(field, message) {
  return message.startsWith(`${field} `) ? labels[field] + message.slice(field.length) : message;
}

/** A value as displayed text. */
export function readable(field, value) {
  if (field === "is_active") return value ? "Active" : "Inactive";
  return value === "" ? "(empty)" : value;
}

/** The fields that a history record changed: `{ field, from, to }`; `from` is undefined for a creation, and `to` for a deletion. */
export function changedFields({ before, after }) {
  return fields
    .map((field) => ({ field, from: before?.[field], to: after?.[field] }))
    .filter(({ from, to }) => from !== to);
}

/** A name, or a placeholder if it has no visible characters. */
export const visible = (name) => (/[^\p{DI}\p{Z}\p{Cc}\p{Cf}\u2800]/u.test(name) ? name : "(no visible name)");

/** A name for use within a text, isolated so that its direction does not affect the text around it (Unicode bidirectional algorithm). */
export function isolated(name) {
  const shown = visible(name).replace(/[\u2066-\u2069]/g, "");
  return /^[\u0020-\u024f]*$/.test(shown) ? shown : `\u2068${shown}\u2069`;
}

/** A campaign's name for use in a sentence: quoted, and shortened to 40 characters. */
export const quoted = (name) => `“${isolated(name.length > 40 ? `${name.slice(0, 39)}…` : name)}”`;

/** A number of campaigns: `1 campaign`, `1,200 campaigns`. */
export function counted(number) {
  return `${number.toLocaleString("en")} ${number === 1 ? "campaign" : "campaigns"}`;
}
