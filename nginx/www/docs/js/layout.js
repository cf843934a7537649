// A plugin of Swagger UI's: what it shows of itself is the question for a key, where the API asks for one, the operations and the schemas.
// Its heading and its choice of servers are left out: the page has the one, and is the other.

export function layout({ React }) {
  const PageLayout = ({ getComponent, specSelectors }) => {
    const authorize = specSelectors.securityDefinitions()?.size ? ["AuthorizeBtnContainer"] : [];
    const parts = ["errors", ...authorize, "operations", "Models"].map((name) => getComponent(name, true));
    return React.createElement("div", { className: "swagger-ui" }, ...parts.map((part) => React.createElement(part)));
  };
  // Without it, each would be a link within a button. The address names what is open all the same.
  const Name = ({ text }) => React.createElement("span", null, text);
  // It has no name of its own. The only one is a request's body.
  const named = (TextArea) => (props) => React.createElement(TextArea, { "aria-label": "Body of the request", ...props });
  // A key is typed unseen, and kept by nobody.
  const secret = { type: "password", autoComplete: "off", "aria-label": "API key" };
  const hidden = (Input) => (props) => React.createElement(Input, props.id === "auth-bearer-value" ? { ...props, ...secret } : props);
  return { components: { PageLayout }, wrapComponents: { DeepLink: () => Name, Input: hidden, TextArea: named } };
}
