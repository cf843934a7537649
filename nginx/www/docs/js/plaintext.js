// A Swagger UI plugin that renders descriptions as text, with `code` in backticks, and never as HTML. The page's Trusted Types policy
// would reject HTML from strings.

export function plainText({ React }) {
  const Text = ({ source = "", className = "" }) => {
    const parts = source.split("`").map((part, index) => (index % 2 ? React.createElement("code", { key: index }, part) : part));
    return source ? React.createElement("p", { className: `text ${className}` }, parts) : null;
  };
  return { wrapComponents: { Markdown: () => Text } };
}
