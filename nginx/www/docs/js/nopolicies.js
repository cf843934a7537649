// Before Swagger UI: a library in it registers a policy of trusted types as soon as it loads, for HTML that plaintext.js never has it make.
// The page's Content-Security-Policy allows none. Where there is no registry the library does not try; the browser enforces all the same.

Object.defineProperty(globalThis, "trustedTypes", { value: undefined });
