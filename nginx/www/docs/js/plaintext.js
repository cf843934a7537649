// A plugin of Swagger UI's: descriptions are text, with `code` in backticks, and never become HTML. The page's policy of trusted types
// would refuse HTML that is made of strings.

export function plainText({ React }) {
  const Text = ({ source = "", className = "" }) => {
    const parts = source.split("`").map((part, index) => (index % 2 ? React.createElement("code", { key: index }, part) : part));
    return source ? React.createElement("p", { className: `text ${className}` }, parts) : null;
  };
  return { wrapComponents: { Markdown: () => Text } };
}
