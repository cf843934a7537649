"""The measurements: each function produces a section of the results."""
import statistics

import check
import load
import scenarios
from database import DESCRIPTION
from results import ratio


def say(what, results):
    print(f"{what}: " + ", ".join(f"{name} {result['rate']:,.0f}/s" for name, result in results.items()), flush=True)
    return results


def start_all(bench):
    """Starts all stacks: the milliseconds to the first response (the median of three starts), and how far the responses agree."""
    results = {}
    for name in bench.stacks:
        times = [bench.start(name)] + [bench.restart(name) for _ in range(2)]
        results[name] = {"start": statistics.median(times), "same": check.compare(name, bench.ports)}
    bench.cluster.reset()
    print("all responses are the same: " + ", ".join(f"{name} ({result['same']})" for name, result in results.items()), flush=True)
    return results


def compare(bench):
    results = {}
    for scenario in bench.compared:
        found = results[scenario.name] = say(scenario.name, bench.interleave(list(bench.ports), scenario))
        ratios = (f"{name} {ratio(found['api*'], result)}" for name, result in found.items() if name != "api*")
        print("  api* / this one: " + ", ".join(ratios), flush=True)
    return results


def latencies(bench, compared):
    """Latency percentiles in an open loop, at half of each stack's maximum rate."""
    results = {}
    for scenario in bench.compared:
        rates = {name: compared[scenario.name][name]["rate"] / 2 for name in bench.ports}
        runs = bench.run_interleaved(list(rates), lambda name, round: bench.run_open(name, scenario, rates[name], seed=round), bench.rounds)
        found = results[scenario.name] = {name: {"rate": rates[name], **percentiles(runs[name])} for name in rates}
        print(f"{scenario.name}, p50/p99: " + ", ".join(
            f"{name} {result['p50']:.0f}/{result['p99']:.0f} us" for name, result in found.items()), flush=True)
    return results


def percentiles(runs):
    """The median of each percentile over the rounds, and the p99 of each round."""
    medians = {part: statistics.median(run[part] for run in runs) for part in ("p50", "p90", "p99")}
    return medians | {"p99s": [run["p99"] for run in runs]}


def footprint(bench, results):
    """The memory usage of the stacks after load, and the size of the executables."""
    for name, stack in bench.stacks.items():
        largest, all_of_them, count = stack.memory()
        results[name] |= {"rss": largest, "pss": all_of_them, "processes": count, "binary": stack.stripped_bytes()}
    return results


def alone(bench):
    """The requests that only the API is measured with, as shipped."""
    return {scenario.name: say(scenario.name, bench.interleave(["api"], scenario, rounds=bench.reduced_rounds()))["api"] for scenario in bench.alone}


def by_connections(bench, names):
    scenario = bench.compared[0]
    return {
        count: say(f"{scenario.name}, {count} connections", bench.interleave(names, scenario, count, bench.reduced_rounds()))
        for count in (1, 8, 32, 128, 256)}


def by_workers(bench, names):
    results = {}
    for count in (1, 2, 3, 4):
        for name in names:
            bench.restart(name, loops=count)
        results[count] = {
            scenario.name: say(f"{scenario.name}, {count} loops", bench.interleave(names, scenario, rounds=bench.reduced_rounds()))
            for scenario in bench.compared[:2]}
    return results


def by_rows(bench, names, largest):
    """GET one and the list of 100, with tables of 1,000 to `largest` rows."""
    bench.cluster.create("scale")
    results, rows = {}, 0
    for count in sorted({count for count in (1_000, 10_000, 100_000, 1_000_000) if count < largest} | {largest}):
        bench.cluster.fill_in_bulk("scale", rows + 1, count)
        rows = count
        for name in names:
            bench.restart(name, database="scale")
        measured = [scenarios.get_one(rows, f"GET one of {rows}"), scenarios.list_of_100()]
        results[rows] = {
            kind: say(f"{kind}, {rows:,} rows", bench.interleave(names, scenario.write(bench.directory), rounds=bench.reduced_rounds()))
            for kind, scenario in zip(("GET one", "list of 100"), measured)}
    return results


def by_description(bench, names):
    """GET one, with descriptions of 100 bytes to 64 KiB."""
    results = {}
    for size in (100, 1_024, 8_192, 65_536):
        database = f"descriptions_{size}"
        bench.cluster.create(database)
        bench.cluster.fill(database, 1, 1000, (f"{DESCRIPTION} " * size)[:size])
        bench.cluster.vacuum(database)
        for name in names:
            bench.restart(name, database=database)
        results[size] = say(f"descriptions of {size:,} bytes", bench.interleave(names, bench.compared[0], rounds=bench.reduced_rounds()))
    return results
