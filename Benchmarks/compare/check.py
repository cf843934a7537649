"""Whether all stacks answer the same: what is not the same work is not compared."""
import http.client
import json

from database import ODD, ROWS
from machine import fail
from scenarios import NEW

TARGETS = ["/campaigns/1", f"/campaigns/{ODD}", f"/campaigns/{ROWS}", "/campaigns/?limit=100", f"/campaigns/?limit={ROWS}"]
# What differs from one new campaign to the next.
OWN = ("id", "created_on", "updated_on")


def ask(port, target, method="GET", body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, target, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def answers(port):
    try:
        return ask(port, "/campaigns/1")[0] == 200
    except OSError:
        return False


def created(port):
    """The answer to a POST, and the same campaign when it is read."""
    status, body = ask(port, "/campaigns/", "POST", NEW)
    if status != 201:
        return status, body, None
    campaign = json.loads(body)
    is_kept = ask(port, f"/campaigns/{campaign['id']}")[1] == body
    return status, json.dumps({name: value for name, value in campaign.items() if name not in OWN}), is_kept


def same(name, ports):
    """Ends the benchmark when a stack's answers are not the API's; else says how far they are: "bytes", or "JSON" alone."""
    likeness = "bytes"
    for target in TARGETS:
        expected, found = ask(ports["api"], target), ask(ports[name], target)
        if found == expected:
            continue
        if found[0] != expected[0] or not found[1].startswith((b"{", b"[")) or json.loads(found[1]) != json.loads(expected[1]):
            fail(f"{name} answers {target} with {found[0]} {found[1][:120]!r}, the API with {expected[0]} {expected[1][:120]!r}")
        likeness = "JSON"
    expected, found = created(ports["api"]), created(ports[name])
    if found[0] != 201 or not found[2] or json.loads(found[1]) != json.loads(expected[1]):
        fail(f"{name} answers POST with {found[0]} {found[1][:120]!r}, the API with {expected[1][:120]!r}")
    return likeness
