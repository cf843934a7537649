// The fields of a campaign that people change. No DOM.

/** What each field is called. */
export const labels = { name: "Name", description: "Description", is_active: "Active" };

export const fields = Object.keys(labels);

/** What has to be changed to make one campaign like another. */
export function changesBetween(from, to) {
  return Object.fromEntries(fields.filter((field) => from[field] !== to[field]).map((field) => [field, to[field]]));
}

/** What is wrong with a field, in the words of the page: the API begins with the field's own name. */
export function problem(field, message) {
  return message.startsWith(`${field} `) ? labels[field] + message.slice(field.length) : message;
}

/** A value as a person reads it. */
export function readable(field, value) {
  if (field === "is_active") return value ? "Active" : "Inactive";
  return value === "" ? "(empty)" : value;
}

/** A campaign's name in a sentence, which a long one does not fill. */
export const quoted = (name) => `“${name.length > 40 ? `${name.slice(0, 39)}…` : name}”`;

/** How many: `1 campaign`, `1,200 campaigns`. */
export function counted(number) {
  return `${number.toLocaleString("en")} ${number === 1 ? "campaign" : "campaigns"}`;
}
