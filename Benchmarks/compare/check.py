"""Checks that all stacks return the same responses, because only stacks that do the same work can be compared."""
import http.client
import json

from database import ESCAPED_ROW, ROWS
from machine import fail
from scenarios import NEW

TARGETS = ["/campaigns/1", f"/campaigns/{ESCAPED_ROW}", f"/campaigns/{ROWS}", "/campaigns/?limit=100", f"/campaigns/?limit={ROWS}"]
# The fields that differ between new campaigns.
VARYING = ("id", "created_on", "updated_on")


def send(port, target, method="GET", body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, target, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def responds(port):
    try:
        return send(port, "/campaigns/1")[0] == 200
    except OSError:
        return False


def created(port):
    """The response to a POST, without the fields that vary, and whether reading the campaign returns the same."""
    status, body = send(port, "/campaigns/", "POST", NEW)
    if status != 201:
        return status, body, None
    campaign = json.loads(body)
    is_stored = send(port, f"/campaigns/{campaign['id']}")[1] == body
    return status, json.dumps({name: value for name, value in campaign.items() if name not in VARYING}), is_stored


def compare(name, ports):
    """Aborts the benchmark if a stack's responses differ from the API's. Returns how far they agree: in "bytes", or only as "JSON"."""
    agreement = "bytes"
    for target in TARGETS:
        expected, found = send(ports["api"], target), send(ports[name], target)
        if found == expected:
            continue
        if found[0] != expected[0] or not found[1].startswith((b"{", b"[")) or json.loads(found[1]) != json.loads(expected[1]):
            fail(f"{name} responds to {target} with {found[0]} {found[1][:120]!r}, the API with {expected[0]} {expected[1][:120]!r}")
        agreement = "JSON"
    expected, found = created(ports["api"]), created(ports[name])
    if found[0] != 201 or not found[2] or json.loads(found[1]) != json.loads(expected[1]):
        fail(f"{name} responds to POST with {found[0]} {found[1][:120]!r}, the API with {expected[1][:120]!r}")
    return agreement
