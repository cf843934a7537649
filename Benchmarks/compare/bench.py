"""The running stacks, and the measurement of one run."""
import random
import statistics
import time

import check
import load
from database import ROWS
from machine import fail, generators_time, last_line, machine_time, spent, used

CONNECTIONS = 32


class Bench:
    """The running stacks, behind nginx, and the runs of the load generators against them."""

    def __init__(self, directory, cluster, stacks, bare, shipped, seconds, rounds):
        self.directory, self.cluster, self.bare, self.shipped = directory, cluster, bare, shipped
        self.stacks = {stack.name: stack for stack in stacks}
        self.seconds, self.rounds, self.notes = seconds, rounds, []
        self.seed = time.time_ns() % 1_000_000
        self.random = random.Random(self.seed)
        print(f"the order of the runs is random with seed {self.seed}", flush=True)
        # The machine's total CPU time during all runs, in microseconds, and the part of it that other processes used.
        self.had = self.others = 0
        # The API behind its own nginx ("api"), and behind the bare one of all stacks ("api*").
        self.ports = {"api": shipped.port, **bare.ports}

    def stack(self, name):
        return self.stacks["api*" if name == "api" else name]

    def front(self, name):
        return self.shipped if name == "api" else self.bare

    def start(self, name, **options):
        """Starts a stack and returns the milliseconds to its first response."""
        stack = self.stack(name)
        begin = time.monotonic()
        stack.start(self.cluster, stack.socket.with_suffix(".log"), **options)
        while not check.responds(self.ports[name]):
            self.front(name).check()
            if stack.process.poll() is not None or time.monotonic() > begin + 30:
                fail(f"{name} does not respond: {last_line(stack.socket.with_suffix('.log'))}")
            time.sleep(0.002)
        return (time.monotonic() - begin) * 1000

    def restart(self, name, **options):
        self.stack(name).stop()
        return self.start(name, **options)

    def run(self, name, scenario, connections=CONNECTIONS):
        """One run of wrk: requests per second, and the CPU time per request, in microseconds, of the worker, of Postgres and of nginx."""
        roots = [self.stack(name).process.pid, self.cluster.pid, self.front(name).process.pid]
        if scenario.rows > ROWS:
            self.cluster.fill("aktify", ROWS + 1, scenario.rows)
        before, total, generators = used(roots), machine_time(), generators_time()
        counted = load.closed_loop(self.ports[name], scenario, connections, self.seconds)
        cpu = spent(before, used(roots))
        self._count_unrelated(total, sum(cpu) + generators_time() - generators)
        if scenario.changes:
            self.cluster.reset()
        self.shipped.empty_log()
        failed = counted["sockets"] + (counted["requests"] - counted["errors"] if scenario.errors else counted["errors"])
        self._report_failures(f"{name}, {scenario.name}, {connections} connections", failed, counted["requests"])
        return {"rate": counted["rate"], "cpu": [time / max(1, counted["requests"]) for time in cpu]}

    def _count_unrelated(self, before, ours):
        """Adds the CPU time that other processes have used since `before`."""
        had, busy = (now - then for now, then in zip(machine_time(), before))
        self.had += had
        self.others += max(0, busy - ours)

    def run_open(self, name, scenario, rate, seed):
        """One open-loop run: percentiles of the latency, in microseconds."""
        counted = load.open_loop(self.directory, self.ports[name], scenario, rate, self.seconds, seed)
        if scenario.changes:
            self.cluster.reset()
        self.shipped.empty_log()
        self._report_failures(f"{name}, {scenario.name}, open loop", counted["failed"], counted["due"])
        if counted["lost"]:
            self.notes.append(f"{name}, {scenario.name}, open loop: {counted['lost']} of {counted['due']} requests got no response.")
        return counted

    def _report_failures(self, run, failed, requests):
        """Reports failed requests: up to 1 % are noted and count like the others, more abort the benchmark."""
        if failed > requests / 100:
            fail(f"{run}: {failed} of {requests} requests failed")
        if failed:
            self.notes.append(f"{run}: {failed} of {requests} requests failed.")

    def run_interleaved(self, names, run, rounds):
        """Calls `run` for each name in each round, in random order within a round, and returns the results by name."""
        runs = {name: [] for name in names}
        for round in range(rounds):
            for name in self.random.sample(names, len(names)):
                runs[name].append(run(name, round))
        return runs

    def interleave(self, names, scenario, connections=CONNECTIONS, rounds=None):
        """Runs wrk against the stacks, interleaved in rounds, and summarizes the runs by stack."""
        runs = self.run_interleaved(names, lambda name, _: self.run(name, scenario, connections), rounds or self.rounds)
        return {name: summary(runs[name]) for name in names}

    def reduced_rounds(self):
        """The number of rounds where a parameter is varied, which takes many runs."""
        return max(1, self.rounds // 2)


def summary(runs):
    return {
        "rate": statistics.median(run["rate"] for run in runs), "rates": [run["rate"] for run in runs],
        "cpu": [statistics.median(run["cpu"][part] for run in runs) for part in range(3)],
    }
