"""Runs a service, a Prometheus that reads it, and every query of the dashboard and of the alerts; the last line counts them."""

import contextlib
import pathlib
import subprocess
import sys
import time
import urllib.error

FOLDER = pathlib.Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "Browser")]

import dashboard
from prometheus import Prometheus
from stack import CHECKOUT, Stack


class Check:
    """Counts what holds, and tells what does not."""

    def __init__(self, prometheus):
        self.prometheus = prometheus
        self.passed = self.failed = 0

    def that(self, holds, problem):
        self.passed += bool(holds)
        self.failed += not holds
        if not holds:
            print(f"✘ {problem}")

    def query(self, name, expression):
        problem = self.problem(expression)
        self.that(not problem, f"{name}: {problem}: {expression}")

    def problem(self, expression):
        try:
            return None if self.prometheus.numbers(expression) else "no result"
        except RuntimeError as error:
            return str(error)


def ask(stack, seconds):
    """Some of everything that people ask for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for method, path, body in (("GET", "/campaigns/", None), ("GET", "/campaigns/999999", None), ("GET", "/nowhere", None),
                                   ("POST", "/campaigns/", {"name": "Spring"}), ("POST", "/campaigns/", {"name": ""})):
            with contextlib.suppress(urllib.error.HTTPError):
                stack.ask(method, path, body).read()
        time.sleep(0.05)


def wait(seconds, condition):
    end = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(0.25)
    return holds


def cluster(stack, command, *options):
    subprocess.run(["scripts/cluster", command, f"{stack.folder}/cluster", *options], cwd=CHECKOUT, check=True, capture_output=True)


def check_all(stack, prometheus):
    check = Check(prometheus)
    ask(stack, 6)
    check.that(not prometheus.alerts(), f"all is well, and there are alerts: {prometheus.alerts()}")
    cluster(stack, "stop")
    ask(stack, 2)
    check.that(wait(15, lambda: prometheus.alerts().get("AktifyDatabaseDown")), "the database is down, and no alert knows")
    cluster(stack, "start")
    ask(stack, 6)
    check.that(wait(15, lambda: "AktifyDatabaseDown" not in prometheus.alerts()), "the database is back, and the alert stays")

    for problem in dashboard.problems():
        check.that(False, problem)
    for name, expression in dashboard.queries():
        check.query(name, expression)
    for rule in prometheus.rules():
        check.that(rule["health"] == "ok", f"alert {rule['name']}: {rule.get('lastError')}")
        for side in dashboard.operands(rule["query"]):
            check.query(f"alert {rule['name']}", side)
        annotations = rule["annotations"]
        check.that(annotations.get("summary") and annotations.get("description"), f"alert {rule['name']} does not say what to do")
    # This check can fail.
    for wrong in ("rate(aktify_no_such_metric_total[20s])", "sum(("):
        check.that(check.problem(wrong), f"a query that cannot have a result has one: {wrong}")
    return check


def main():
    stack = Stack()
    try:
        prometheus = Prometheus(stack)
        try:
            check = check_all(stack, prometheus)
        finally:
            prometheus.close()
    finally:
        stack.close()
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


sys.exit(main())
