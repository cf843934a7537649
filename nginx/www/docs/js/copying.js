// A button that copies an example. The clipboard is only available in secure contexts (HTTPS and localhost).

/** Adds the button to each of these figures, which contain a caption and a `pre`. */
export function addCopyButtons(figures) {
  if (!navigator.clipboard) return;
  for (const figure of figures) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small quiet copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const isCopied = await navigator.clipboard.writeText(figure.querySelector("code").textContent).then(() => true, () => false);
      button.textContent = isCopied ? "Copied" : "Not copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    figure.querySelector("figcaption").append(button);
  }
}
