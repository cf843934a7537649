// A Swagger UI plugin that reduces the layout to the authorization dialog (if the API requires authentication), the operations and the schemas.
// The heading and the server selection are omitted: the page has a heading, and its own origin is the server.

export function layout({ React }) {
  const PageLayout = ({ getComponent, specSelectors }) => {
    const authorize = specSelectors.securityDefinitions()?.size ? ["AuthorizeBtnContainer"] : [];
    const parts = ["errors", ...authorize, "operations", "Models"].map((name) => getComponent(name, true));
    return React.createElement("div", { className: "swagger-ui" }, ...parts.map((part) => React.createElement(part)));
  };
  // Omitted because it would nest a link in a button. The URL identifies the open operation all the same.
  const Name = ({ text }) => React.createElement("span", null, text);
  // The element has no accessible name of its own. The only one is the request body.
  const named = (TextArea) => (props) => React.createElement(TextArea, { "aria-label": "Body of the request", ...props });
  // The key is a password field without autocompletion.
  const secret = { type: "password", autoComplete: "off", "aria-label": "API key" };
  const hidden = (Input) => (props) => React.createElement(Input, props.id === "auth-bearer-value" ? { ...props, ...secret } : props);
  return { components: { PageLayout }, wrapComponents: { DeepLink: () => Name, Input: hidden, TextArea: named } };
}
