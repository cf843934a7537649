"""Measures the API beside other ways to answer the same requests, and writes Benchmarks/RESULTS.md and Benchmarks/charts.

BENCH_SECONDS (2) is how long a run takes, BENCH_ROUNDS (5) how many there are of each, BENCH_ROWS (1000000) the largest table."""
import json
import os
import pathlib
import tempfile
import time

import charts
import facts
import load
import measure
import results
import scenarios
import stacks
from bench import Bench
from database import ROWS, Cluster
from front import Bare, Shipped
from machine import ROOT, clear_environment, end_with_signals, fail, need_tools, stop_all


def number(name, default, least=1):
    text = os.environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < least:
        fail(f"{name}: expected a number from {least} on, not {text!r}")
    return int(text)


def prepare(directory, cluster, seconds, rounds):
    """Fills the table, builds the stacks and starts both nginx."""
    cluster.create("aktify")
    cluster.fill("aktify", 1, ROWS)
    cluster.add_odd_row()
    cluster.vacuum()
    compared, absent = stacks.all_stacks(directory)
    bench = Bench(directory, cluster, compared, Bare(directory, compared), Shipped(directory), seconds, rounds)
    bench.compared = [scenario.write(directory) for scenario in scenarios.compared()]
    bench.alone = [scenario.write(directory) for scenario in scenarios.alone()]
    return bench, absent


def measure_all(bench, rows):
    """The sections; those that restart the API with another database come last."""
    starts = measure.start_all(bench)
    found = {"compared": measure.compare(bench)}
    found["stacks"] = measure.footprint(bench, starts)
    found["latencies"] = measure.latencies(bench, found["compared"])
    found["alone"] = measure.alone(bench)
    found["connections"] = measure.by_connections(bench, list(bench.ports))
    pair = ["api*", "onesync"]
    for name in set(bench.stacks) - set(pair):
        bench.stacks[name].stop()
    found["workers"] = measure.by_workers(bench, pair)
    found["descriptions"] = measure.by_description(bench, pair)
    found["rows"] = measure.by_rows(bench, pair, rows)
    return found


def run(directory, cluster, seconds, rounds, rows):
    """All that is measured, and what it depends on."""
    begin, load_before = time.monotonic(), facts.load_average()
    bench, absent = prepare(directory, cluster, seconds, rounds)
    found = measure_all(bench, rows)
    found["facts"] = facts.facts(cluster, load_before) | {
        "seconds": seconds, "rounds": rounds, "absent": absent,
        "about": {stack.name: stack.about for stack in bench.stacks.values()},
        "connections": {stack.name: stack.connections for stack in bench.stacks.values()},
        "notes": bench.notes, "took": round(time.monotonic() - begin), "others": bench.others / bench.had}
    # As it would be read again: keys are text.
    return json.loads(json.dumps(found))


def main():
    knobs = number("BENCH_SECONDS", 2), number("BENCH_ROUNDS", 5), number("BENCH_ROWS", 1_000_000, least=ROWS)
    clear_environment()
    need_tools()
    load.check_parser()
    end_with_signals()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as directory:
        directory = pathlib.Path(directory)
        directory.chmod(0o755)
        cluster = Cluster(directory)
        try:
            cluster.start()
            found = run(directory, cluster, *knobs)
        finally:
            stop_all()
            cluster.stop()
    folder = ROOT / "Benchmarks"
    (folder / "charts").mkdir(exist_ok=True)
    charts.draw(found, folder / "charts")
    results.write(found, folder / "RESULTS.md")
    print(f"Benchmarks/RESULTS.md and Benchmarks/charts are written, after {found['facts']['took']} s.")


main()
