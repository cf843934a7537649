"""Compares the API with other implementations of the same routes, and writes Benchmarks/RESULTS.md, Benchmarks/charts and README.md's
table. Results that are not representative are written to .local/bench instead."""
import json
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
from knobs import DEFAULTS, knobs
from machine import ROOT, clear_environment, end_with_signals, need_tools, stop_all


def prepare(directory, cluster, seconds, rounds):
    """Fills the table, builds the stacks and starts both instances of nginx."""
    cluster.create("aktify")
    cluster.fill("aktify", 1, ROWS)
    cluster.add_escaped_row()
    cluster.vacuum()
    compared, absent = stacks.all_stacks(directory)
    bench = Bench(directory, cluster, compared, Bare(directory, compared), Shipped(directory), seconds, rounds)
    bench.compared = [scenario.write(directory) for scenario in scenarios.compared()]
    bench.alone = [scenario.write(directory) for scenario in scenarios.alone()]
    return bench, absent


def measure_all(bench, rows):
    """Measures the sections of the results; those that restart the API with another database come last."""
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
    """Runs all measurements, and returns them with their conditions."""
    begin, load_before = time.monotonic(), facts.load_average()
    bench, absent = prepare(directory, cluster, seconds, rounds)
    found = measure_all(bench, rows)
    found["facts"] = facts.facts(cluster, load_before) | {
        "seconds": seconds, "rounds": rounds, "absent": absent,
        "about": {stack.name: stack.about for stack in bench.stacks.values()},
        "connections": {stack.name: stack.connections for stack in bench.stacks.values()},
        "notes": bench.notes, "seed": bench.seed, "took": round(time.monotonic() - begin), "others": bench.others / bench.had}
    # Round-trips through JSON, so that all keys are strings.
    return json.loads(json.dumps(found))


def objection(chosen, others):
    """The reason why the results are not representative; None if they are."""
    changed = [f"{name}={value}" for name, value in chosen.items() if value != DEFAULTS[name]]
    if changed:
        return f"they were measured with {', '.join(changed)}"
    if others > 0.1:
        return f"{others:.0%} of the machine's CPU time was used by other processes"
    return None


def save(found, reason):
    """Writes the results to Benchmarks or, if they are not representative, to .local/bench."""
    folder = ROOT / (".local/bench" if reason else "Benchmarks")
    (folder / "charts").mkdir(exist_ok=True)
    charts.draw(found, folder / "charts")
    results.write(found, folder / "RESULTS.md")
    written = f"{folder.relative_to(ROOT)}/RESULTS.md and charts"
    if reason:
        print(f"{written} were written; Benchmarks and README.md are unchanged: {reason}.")
    else:
        results.write_summary(found, ROOT / "README.md")
        print(f"{written} and README.md's table were written, after {found['facts']['took']} s.")


def main():
    chosen = knobs()
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
            found = run(directory, cluster, *chosen.values())
        finally:
            stop_all()
            cluster.stop()
    save(found, objection(chosen, found["facts"]["others"]))


main()
