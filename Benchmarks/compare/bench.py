"""Everything that runs, and one run of it."""
import random
import statistics
import time

import check
import load
from database import ROWS
from machine import fail, generators_time, last_line, machine_time, spent, used

CONNECTIONS = 32


class Bench:
    """Everything that runs, and how it is asked."""

    def __init__(self, directory, cluster, stacks, bare, shipped, seconds, rounds):
        self.directory, self.cluster, self.bare, self.shipped = directory, cluster, bare, shipped
        self.stacks = {stack.name: stack for stack in stacks}
        self.seconds, self.rounds, self.notes = seconds, rounds, []
        self.seed = time.time_ns() % 1_000_000
        self.random = random.Random(self.seed)
        print(f"the order of the runs has seed {self.seed}", flush=True)
        # The microseconds of CPU that the machine had in all runs, and what others used of them.
        self.had = self.others = 0
        # The API behind its own nginx, and behind the one that the others are behind, too.
        self.ports = {"api": shipped.port, **bare.ports}

    def stack(self, name):
        return self.stacks["api*" if name == "api" else name]

    def front(self, name):
        return self.shipped if name == "api" else self.bare

    def start(self, name, **options):
        """Starts a stack, and gives the milliseconds to its first answer."""
        stack = self.stack(name)
        begin = time.monotonic()
        stack.start(self.cluster, stack.socket.with_suffix(".log"), **options)
        while not check.answers(self.ports[name]):
            self.front(name).check()
            if stack.process.poll() is not None or time.monotonic() > begin + 30:
                fail(f"{name} does not answer: {last_line(stack.socket.with_suffix('.log'))}")
            time.sleep(0.002)
        return (time.monotonic() - begin) * 1000

    def restart(self, name, **options):
        self.stack(name).stop()
        return self.start(name, **options)

    def run(self, name, scenario, connections=CONNECTIONS):
        """One run of wrk: requests a second, and microseconds of CPU a request of the worker, of Postgres and of nginx."""
        roots = [self.stack(name).process.pid, self.cluster.pid, self.front(name).process.pid]
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
        self._note_wrong(f"{name}, {scenario.name}, {connections} connections", wrong, counted["requests"])
        return {"rate": counted["rate"], "cpu": [time / max(1, counted["requests"]) for time in cpu]}

    def _count_others(self, before, ours):
        """Adds up what others have used of the machine since `before`."""
        had, busy = (now - then for now, then in zip(machine_time(), before))
        self.had += had
        self.others += max(0, busy - ours)

    def run_open(self, name, scenario, rate, seed):
        """One run in an open loop: percentiles of the latency, in microseconds."""
        counted = load.open_loop(self.directory, self.ports[name], scenario, rate, self.seconds, seed)
        if scenario.changes:
            self.cluster.reset()
        self.shipped.empty_log()
        self._note_wrong(f"{name}, {scenario.name}, open loop", counted["failed"], counted["due"])
        if counted["lost"]:
            self.notes.append(f"{name}, {scenario.name}, open loop: {counted['lost']} of {counted['due']} requests had no answer.")
        return counted

    def _note_wrong(self, run, wrong, requests):
        """Requests that went wrong count as the others do: few are noted, and many end the benchmark."""
        if wrong > requests / 100:
            fail(f"{run}: {wrong} of {requests} requests went wrong")
        if wrong:
            self.notes.append(f"{run}: {wrong} of {requests} requests went wrong.")

    def in_turn(self, names, run, rounds):
        """What `run` gives for each name and round; in a round, all names have their turn, in an order by chance."""
        runs = {name: [] for name in names}
        for turn in range(rounds):
            for name in self.random.sample(names, len(names)):
                runs[name].append(run(name, turn))
        return runs

    def interleave(self, names, scenario, connections=CONNECTIONS, rounds=None):
        """Runs of wrk of all stacks in turn."""
        runs = self.in_turn(names, lambda name, _: self.run(name, scenario, connections), rounds or self.rounds)
        return {name: summary(runs[name]) for name in names}

    def fewer(self):
        """Rounds where many things are measured one after the other."""
        return max(1, self.rounds // 2)


def summary(runs):
    return {
        "rate": statistics.median(run["rate"] for run in runs), "rates": [run["rate"] for run in runs],
        "cpu": [statistics.median(run["cpu"][part] for run in runs) for part in range(3)],
    }
