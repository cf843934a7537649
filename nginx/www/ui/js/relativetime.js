// <relative-time datetime="...">: how long ago a time was, with the exact time on hover.

import { exact, relative } from "./time.js";

const all = new Set();
setInterval(() => all.forEach((element) => element.show()), 30_000);

class RelativeTime extends HTMLElement {
  static observedAttributes = ["datetime"];

  connectedCallback() {
    all.add(this);
    this.show();
  }

  disconnectedCallback() {
    all.delete(this);
  }

  attributeChangedCallback() {
    this.show();
  }

  show() {
    const date = new Date(this.getAttribute("datetime") ?? "");
    if (Number.isNaN(date.getTime())) return;
    const time = this.firstElementChild ?? this.appendChild(document.createElement("time"));
    time.dateTime = date.toISOString();
    time.textContent = relative(date);
    this.title = exact(date);
  }
}

customElements.define("relative-time", RelativeTime);
