"""The load generators: wrk for the maximum throughput, and an open-loop generator of our own for latencies."""
import json
import re

from machine import ROOT, fail, output
from scenarios import http

FOLDER = ROOT / "Benchmarks/load"


def parse(text):
    """Parses wrk's output: requests, requests per second, error responses, and socket errors (including timeouts)."""
    counted, rate = re.search(r"(\d+) requests in ", text), re.search(r"Requests/sec:\s+([\d.]+)", text)
    if not counted or not rate:
        fail("wrk's output cannot be parsed: " + text.strip().replace("\n", " ")[:200])
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return {
        "requests": int(counted[1]), "rate": float(rate[1]), "errors": int(errors[1]) if errors else 0,
        "sockets": sum(map(int, sockets.groups())) if sockets else 0,
    }


def check_parser():
    """Checks the parser against wrk's output without and with errors, and the format of requests."""
    text = "  5000 requests in 2.00s, 1.2MB read\n{}Requests/sec:   2499.50\nTransfer/sec:    600KB\n"
    expected = {"requests": 5000, "rate": 2499.5, "errors": 0, "sockets": 0}
    errors = "  Socket errors: connect 1, read 2, write 0, timeout 4\n  Non-2xx or 3xx responses: 7\n"
    if parse(text.format("")) != expected or parse(text.format(errors)) != {**expected, "errors": 7, "sockets": 7}:
        fail("wrk's output is no longer parsed correctly")
    if http("GET", "/", If_Match='"1"') != b'GET / HTTP/1.1\r\nHost: localhost\r\nIf-Match: "1"\r\n\r\n':
        fail("requests are not formatted correctly")


def closed_loop(port, scenario, connections, seconds):
    """Runs wrk, a closed loop: each connection sends its next request when it has received the last response."""
    script, argument = ("random.lua", scenario.file) if scenario.requests else ("versions.lua", scenario.rows)
    return parse(output(
        "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", FOLDER / script, f"http://127.0.0.1:{port}", "--", argument))


def open_loop(directory, port, scenario, rate, seconds, seed, connections=128):
    """Runs the open-loop generator: requests are sent at random times, `rate` per second, regardless of earlier responses."""
    return json.loads(output(directory / "openloop", port, rate, seconds, connections, scenario.file, seed))
