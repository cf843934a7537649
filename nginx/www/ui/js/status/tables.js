// Tables and lists of facts. Only texts that differ are updated, so that the user's text selection is kept.

/** Creates or removes children of an element until there is one per item; `make` creates one, `show` fills it. */
export function fill(parent, items, make, show) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  while (parent.children.length < items.length) parent.append(make());
  items.forEach((item, index) => show(parent.children[index], item));
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows rows, each a list of texts; or one sentence if there are none. */
export function fillTable(body, rows, otherwise = "") {
  const heads = [...body.closest("table").querySelectorAll("thead th")];
  if (!rows.length && otherwise) {
    if (body.querySelector(".none")) return;
    const row = document.createElement("tr");
    const cell = row.insertCell();
    Object.assign(cell, { colSpan: heads.length, className: "none soft", textContent: otherwise });
    return body.replaceChildren(row);
  }
  if (body.querySelector(".none")) body.replaceChildren();
  fill(
    body,
    rows,
    () => {
      const row = document.createElement("tr");
      heads.forEach((head) => (row.insertCell().className = head.className));
      return row;
    },
    (row, texts) => texts.forEach((text, index) => setText(row.cells[index], text)),
  );
}

/** Shows facts, a list of `[term, text]`. */
export function fillFacts(list, facts) {
  fill(
    list,
    facts,
    () => {
      const group = document.createElement("div");
      group.append(document.createElement("dt"), document.createElement("dd"));
      return group;
    },
    (group, texts) => texts.forEach((text, index) => setText(group.children[index], text)),
  );
}
