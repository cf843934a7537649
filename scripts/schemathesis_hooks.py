"""Adapts generated requests to rules that an OpenAPI document cannot express."""

import itertools

import schemathesis

keys = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    headers, query = case.headers or {}, case.query or {}
    # A key that was used for another request is rejected with 422, so valid keys are made unique.
    key = headers.get("Idempotency-Key")
    if isinstance(key, str) and 0 < len(key) < 200 and all("!" <= letter <= "~" for letter in key):
        headers["Idempotency-Key"] = f"{key}{next(keys)}"
    # OpenAPI cannot express that a header field of the request decides whether the response has a body.
    if case.operation.method == "post" and "minimal" in str(headers.get("Prefer", "")):
        del headers["Prefer"]
    # Only a cursor that an earlier page returned is valid; scripts/api-client-check.py tests those.
    query.pop("cursor", None)
