// The fields of a campaign that people change. No DOM.

/** What each field is called. */
export const labels = { name: "Name", description: "Description", is_active: "Active" };

export const fields = Object.keys(labels);

/** What has to be changed to make one campaign like another. */
export function changesBetween(from, to) {
  return Object.fromEntries(fields.filter((field) => from[field] !== to[field]).map((field) => [field, to[field]]));
}

/** Those fields of a campaign, without what the service adds. */
export const contents = (campaign) => Object.fromEntries(fields.map((field) => [field, campaign[field]]));

/** What is wrong with a field, in the words of the page: the API begins with the field's own name. */
export function problem(field, message) {
  return message.startsWith(`${field} `) ? labels[field] + message.slice(field.length) : message;
}

/** A value as a person reads it. */
export function readable(field, value) {
  if (field === "is_active") return value ? "Active" : "Inactive";
  return value === "" ? "(empty)" : value;
}

/** Which fields a record of the history changed: `{ field, from, to }`, `from` being undefined in a new campaign, and `to` in a deleted one. */
export function changedFields({ before, after }) {
  return fields
    .map((field) => ({ field, from: before?.[field], to: after?.[field] }))
    .filter(({ from, to }) => from !== to);
}

/** A name as it is shown: of one that nobody would see that is said. */
export const visible = (name) => (/[^\p{DI}\p{Z}\p{Cc}\p{Cf}\u2800]/u.test(name) ? name : "(no visible name)");

/** A name within a text, of which it turns nothing round, whichever way it is written itself. */
export function isolated(name) {
  const shown = visible(name).replace(/[\u2066-\u2069]/g, "");
  return /^[\u0020-\u024f]*$/.test(shown) ? shown : `\u2068${shown}\u2069`;
}

/** A campaign's name in a sentence, which a long one does not fill. */
export const quoted = (name) => `“${isolated(name.length > 40 ? `${name.slice(0, 39)}…` : name)}”`;

/** How many: `1 campaign`, `1,200 campaigns`. */
export function counted(number) {
  return `${number.toLocaleString("en")} ${number === 1 ? "campaign" : "campaigns"}`;
}
