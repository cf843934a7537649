"""Measures: each function is a section of the results."""
import statistics
import time

import check
import load
import scenarios
from database import DESCRIPTION, ROWS
from machine import fail, generators_time, last_line, machine_time, spent, used
from results import ratio

CONNECTIONS = 32


class Bench:
    """Everything that runs, and how it is asked."""

    def __init__(self, directory, cluster, stacks, bare, shipped, seconds, rounds):
        self.directory, self.cluster, self.bare, self.shipped = directory, cluster, bare, shipped
        self.stacks = {stack.name: stack for stack in stacks}
        self.seconds, self.rounds, self.notes = seconds, rounds, []
        # The microseconds of CPU that the machine had in all runs, and what others used of them.
        self.had = self.others = 0
        # The API behind its own nginx, and behind the one that the others are behind, too.
        self.ports = {"api": shipped.port, **bare.ports}

    def stack(self, name):
        return self.stacks["api*" if name == "api" else name]

    def start(self, name, **options):
        """Starts a stack, and gives the milliseconds to its first answer."""
        stack = self.stack(name)
        begin = time.monotonic()
        stack.start(self.cluster, stack.socket.with_suffix(".log"), **options)
        while not check.answers(self.ports[name]):
            if stack.process.poll() is not None or time.monotonic() > begin + 30:
                fail(f"{name} does not answer: {last_line(stack.socket.with_suffix('.log'))}")
            time.sleep(0.002)
        return (time.monotonic() - begin) * 1000

    def restart(self, name, **options):
        self.stack(name).stop()
        return self.start(name, **options)

    def run(self, name, scenario, connections=CONNECTIONS):
        """One run of wrk: requests a second, and microseconds of CPU a request of the worker, of Postgres and of nginx."""
        front = self.shipped if name == "api" else self.bare
        roots = [self.stack(name).process.pid, self.cluster.pid, front.process.pid]
        if scenario.rows > ROWS:
            self.cluster.fill("aktify", ROWS + 1, scenario.rows)
        before, whole, generators = used(roots), machine_time(), generators_time()
        counted = load.closed_loop(self.ports[name], scenario, connections, self.seconds)
        cpu = spent(before, used(roots))
        self._count_others(whole, sum(cpu) + generators_time() - generators)
        if scenario.changes:
            self.cluster.reset()
        self.shipped.empty_log()
        wrong = counted["sockets"] + (counted["requests"] - counted["errors"] if scenario.errors else counted["errors"])
        if wrong:
            self.notes.append(f"{name}, {scenario.name}, {connections} connections: {wrong} of {counted['requests']} requests went wrong.")
        return {"rate": counted["rate"], "cpu": [time / max(1, counted["requests"]) for time in cpu]}

    def _count_others(self, before, ours):
        """Adds up what others have used of the machine since `before`."""
        had, busy = (now - then for now, then in zip(machine_time(), before))
        self.had += had
        self.others += max(0, busy - ours)

    def interleave(self, names, scenario, connections=CONNECTIONS, rounds=None):
        """Runs of all stacks in turn, each round beginning with the next one."""
        runs = {name: [] for name in names}
        for number in range(rounds or self.rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                runs[name].append(self.run(name, scenario, connections))
        return {name: summary(runs[name]) for name in names}

    def fewer(self):
        """Rounds where many things are measured one after the other."""
        return max(1, self.rounds // 2)


def summary(runs):
    return {
        "rate": statistics.median(run["rate"] for run in runs), "rates": [run["rate"] for run in runs],
        "cpu": [statistics.median(run["cpu"][part] for run in runs) for part in range(3)],
    }


def say(what, results):
    print(f"{what}: " + ", ".join(f"{name} {result['rate']:,.0f}/s" for name, result in results.items()), flush=True)
    return results


# --- Sections

def start_all(bench):
    """The milliseconds to the first answer, the middle one of three starts; and what answers the same."""
    results = {}
    for name in bench.stacks:
        times = [bench.start(name)] + [bench.restart(name) for _ in range(2)]
        results[name] = {"start": statistics.median(times), "same": check.same(name, bench.ports)}
    bench.cluster.reset()
    print("all answer the same: " + ", ".join(f"{name} ({result['same']})" for name, result in results.items()), flush=True)
    return results


def compare(bench):
    results = {}
    for scenario in bench.compared:
        found = results[scenario.name] = say(scenario.name, bench.interleave(list(bench.ports), scenario))
        ratios = (f"{name} {ratio(found['api*'], result)}" for name, result in found.items() if name != "api*")
        print("  api* / it: " + ", ".join(ratios), flush=True)
    return results


def latencies(bench, compared):
    """Percentiles in an open loop, at half of the rate that each stack has reached."""
    results = {}
    for scenario in bench.compared:
        results[scenario.name] = {name: _latency(bench, name, scenario, compared[scenario.name][name]["rate"] / 2) for name in bench.ports}
        print(f"{scenario.name}, p50/p99: " + ", ".join(
            f"{name} {result['p50']:.0f}/{result['p99']:.0f} us" for name, result in results[scenario.name].items()), flush=True)
    return results


def _latency(bench, name, scenario, rate):
    runs = []
    for _ in range(bench.fewer()):
        run = load.open_loop(bench.directory, bench.ports[name], scenario, rate, bench.seconds)
        if run["failed"] or run["lost"]:
            bench.notes.append(f"{name}, {scenario.name}, open loop: {run['failed']} of {run['due']} requests failed, {run['lost']} were lost.")
        if scenario.changes:
            bench.cluster.reset()
        runs.append(run)
    return {"rate": rate, **{part: statistics.median(run[part] for run in runs) for part in ("p50", "p90", "p99")}}


def footprint(bench, results):
    """What the stacks hold after load, and the size of the programs."""
    for name, stack in bench.stacks.items():
        largest, all_of_them, count = stack.memory()
        results[name] |= {"rss": largest, "pss": all_of_them, "processes": count, "binary": stack.stripped_bytes()}
    return results


def alone(bench):
    """What only the API is asked, as it is shipped."""
    return {scenario.name: say(scenario.name, bench.interleave(["api"], scenario, rounds=bench.fewer()))["api"] for scenario in bench.alone}


def by_connections(bench, names, compared):
    """GET one; what `compare` has measured is not measured again."""
    scenario, results = bench.compared[0], {}
    for count in (1, 8, CONNECTIONS, 128, 256):
        results[count] = compared[scenario.name] if count == CONNECTIONS else say(
            f"{scenario.name}, {count} connections", bench.interleave(names, scenario, count, bench.fewer()))
    return results


def by_workers(bench, names):
    results = {}
    for count in (1, 2, 3, 4):
        for name in names:
            bench.restart(name, loops=count)
        results[count] = {
            scenario.name: say(f"{scenario.name}, {count} loops", bench.interleave(names, scenario, rounds=bench.fewer()))
            for scenario in bench.compared[:2]}
    return results


def by_rows(bench, names, largest):
    """GET one and the list of 100, in tables of a thousand to `largest` rows."""
    bench.cluster.create("scale")
    results, rows = {}, 0
    for count in (1_000, 10_000, 100_000, 1_000_000):
        if count > largest:
            break
        bench.cluster.fill_in_bulk("scale", rows + 1, count)
        rows = count
        for name in names:
            bench.restart(name, database="scale")
        measured = [scenarios.get_one(rows, f"GET one of {rows}"), scenarios.list_of_100()]
        results[rows] = {
            kind: say(f"{kind}, {rows:,} rows", bench.interleave(names, scenario.write(bench.directory), rounds=bench.fewer()))
            for kind, scenario in zip(("GET one", "list of 100"), measured)}
    return results


def by_description(bench, names):
    """GET one with descriptions of 100 bytes to 64 KiB."""
    results = {}
    for size in (100, 1_024, 8_192, 65_536):
        database = f"descriptions_{size}"
        bench.cluster.create(database)
        bench.cluster.fill(database, 1, 1000, (f"{DESCRIPTION} " * size)[:size])
        bench.cluster.vacuum(database)
        for name in names:
            bench.restart(name, database=database)
        results[size] = say(f"descriptions of {size:,} bytes", bench.interleave(names, bench.compared[0], rounds=bench.fewer()))
    return results
