// Loaded before Swagger UI, one of whose libraries registers a Trusted Types policy when it loads, for HTML that plaintext.js prevents.
// The page's Content-Security-Policy allows no policies. Without the registry object the library does not try; the browser enforces the policy all the same.

Object.defineProperty(globalThis, "trustedTypes", { value: undefined });
