"""The queries of the dashboard, as Grafana would send them."""

import json
import re

from stack import CHECKOUT

FILE = CHECKOUT / "docs/monitoring/grafana.json"


def filled_in(expression):
    for name, value in (("$__rate_interval", "20s"), ("$job", "aktify"), ("$instance", ".+")):
        expression = expression.replace(name, value)
    return expression


def queries():
    """Pairs of what asks and the expression."""
    board = json.loads(FILE.read_text())
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield f"panel “{panel['title']}”, query {target['refId']}", filled_in(target["expr"])
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()
            yield f"variable “{variable['name']}”", f"count by ({label}) ({metric})"
    for annotation in board["annotations"]["list"]:
        yield f"annotation “{annotation['name']}”", operands(filled_in(annotation["expr"]))[0]


def operands(expression):
    """The two sides of a comparison, which has no result itself while all is well."""
    sides = re.split(r" (?:==|!=|>=|<=|>|<) ", expression)
    if len(sides) != 2:
        raise ValueError(f"not one comparison: {expression}")
    return sides


def problems():
    """What is wrong with the file itself."""
    panels = json.loads(FILE.read_text())["panels"]
    for name in ("id", "title"):
        values = [panel[name] for panel in panels]
        yield from (f"two panels have the {name} {value}" for value in set(values) if values.count(value) > 1)
    for panel in panels:
        place = panel["gridPos"]
        if place["x"] + place["w"] > 24:
            yield f"panel “{panel['title']}” is wider than the dashboard"
        if panel["type"] != "row" and not (panel["description"] and panel["targets"]):
            yield f"panel “{panel['title']}” has no description, or no query"
