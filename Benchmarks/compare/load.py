"""The generators of load: wrk for the most that is possible, and our own open loop for latencies."""
import json
import re

from machine import ROOT, fail, output
from scenarios import http

FOLDER = ROOT / "Benchmarks/load"


def parse(text):
    """What wrk has counted: requests, requests a second, and answers that are errors or did not come."""
    counted, rate = re.search(r"(\d+) requests in ", text), re.search(r"Requests/sec:\s+([\d.]+)", text)
    if not counted or not rate:
        fail("wrk has printed what cannot be read: " + text.strip().replace("\n", " ")[:200])
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return {
        "requests": int(counted[1]), "rate": float(rate[1]), "errors": int(errors[1]) if errors else 0,
        "sockets": sum(map(int, sockets.groups())) if sockets else 0,
    }


def check_parser():
    """wrk's words, once without and once with what may go wrong."""
    text = "  5000 requests in 2.00s, 1.2MB read\n{}Requests/sec:   2499.50\nTransfer/sec:    600KB\n"
    expected = {"requests": 5000, "rate": 2499.5, "errors": 0, "sockets": 0}
    wrong = "  Socket errors: connect 1, read 2, write 0, timeout 4\n  Non-2xx or 3xx responses: 7\n"
    if parse(text.format("")) != expected or parse(text.format(wrong)) != {**expected, "errors": 7, "sockets": 7}:
        fail("wrk's output is not understood any more")
    if http("GET", "/", If_Match='"1"') != b'GET / HTTP/1.1\r\nHost: localhost\r\nIf-Match: "1"\r\n\r\n':
        fail("requests are not written as they should be")


def closed_loop(port, scenario, connections, seconds):
    """wrk: each connection sends its next request when it has the answer to the last one."""
    script, word = ("random.lua", scenario.file) if scenario.requests else ("versions.lua", scenario.rows)
    return parse(output(
        "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", FOLDER / script, f"http://127.0.0.1:{port}", "--", word))


def open_loop(directory, port, scenario, rate, seconds, seed, connections=128):
    """Requests that come at random times, `rate` a second, whatever has become of the earlier ones."""
    return json.loads(output(directory / "openloop", port, rate, seconds, connections, scenario.file, seed))
