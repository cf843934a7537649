"""Primary failures of every kind under load: no acknowledged write may be lost.

CLUSTER_ROUNDS (3): how often each fault occurs; CLUSTER_SEED: the seed of their order, which each run prints; CLUSTER_FAULTS: only these,
such as `kill,cut`.
"""

import asyncio
import collections
import os
import random
import sys
import time

import load
import place
from cluster import Cluster

# The faults of the primary's node, which scripts/trial-cluster injects.
FAULTS = {
    "kill": "Postgres and Patroni are killed",
    "stop": "Patroni stops, and Postgres with it",
    "freeze": "Postgres and Patroni are frozen",
    "cut": "the node is cut off from the network",
    "switchover": "patronictl switchover",
}
# The maximum time until the API acknowledges a write, in seconds, from when the new primary was able to commit one, which is after
# a standby has joined it.
BACK_AFTER = 2


class Trial:
    def __init__(self, seed, faults):
        self.seed, self.faults = seed, faults
        self.cluster = Cluster()
        self.problems = []
        self.figures = collections.defaultdict(list)

    def problem(self, text):
        self.problems.append(text)
        print(f"✘ {text}", flush=True)

    async def run(self):
        start = time.monotonic()
        await self.cluster.do("up")
        print(f"the cluster is up after {time.monotonic() - start:.0f} s", flush=True)
        self.load = load.Load(self.cluster.port, self.seed)
        await asyncio.sleep(5)
        for number, fault in enumerate(self.faults, 1):
            print(f"{number}/{len(self.faults)} {FAULTS[fault]}", flush=True)
            await asyncio.wait_for(self.one(fault), 300)
        await self.load.stop()
        await self.check_rows(all_are_told=True)
        self.summarize(time.monotonic() - start)

    async def one(self, fault):
        old = await self.cluster.until(120, "a complete cluster of three nodes", self.cluster.whole)
        others = [node for node in (1, 2, 3) if node != old]
        writes, reads = len(self.load.writes), len(self.load.reads)
        start = time.monotonic()
        doing = asyncio.ensure_future(self.cluster.do(*([fault] if fault == "switchover" else [fault, old])))
        new = await self.cluster.until(90, f"another primary than node{old}", lambda: self.cluster.primary(others))
        promoted = time.monotonic()
        directly = await self.cluster.commit(new)
        committed = time.monotonic()
        if not directly:
            self.problem(f"node{new} was promoted, but commits nothing")
        await self.cluster.until(60, "a change through the API", lambda: self.first_write(writes, promoted))
        await doing
        # Gives the API time with the new primary before the old one returns.
        await asyncio.sleep(3)
        back = time.monotonic()
        await self.cluster.do("start", old)
        await self.cluster.until(120, "a complete cluster of three nodes", self.cluster.whole)
        whole = time.monotonic()
        await asyncio.sleep(2)

        first = (await self.first_write(writes, promoted)).end - promoted
        self.tell(fault, old, new, start, promoted, committed, first, back, whole, self.load.writes[writes:], self.load.reads[reads:])
        late = first - (committed - promoted)
        if late > BACK_AFTER:
            self.problem(f"the API acknowledged its first change {late:.1f} s after psql; {BACK_AFTER} s is the limit")
        await self.check_rows()

    async def first_write(self, since, promoted):
        done = [write for write in self.load.writes[since:] if write.status == 201 and write.end >= promoted]
        return min(done, key=lambda write: write.end, default=None)

    def tell(self, fault, old, new, start, promoted, committed, first, back, whole, writes, reads):
        ends = sorted(write.end for write in writes if write.status == 201)
        outage = max(later - earlier for earlier, later in zip([start, *ends], ends))
        kinds = collections.Counter(load.kind_of(write.status) for write in writes)
        slowest = max(write.end - write.start for write in writes)
        errors = [read for read in reads if read.status != 200]
        by_status = ", ".join(f"{status}: {count}" for status, count in collections.Counter(read.status for read in errors).items())
        when = f" ({by_status}), {errors[0].end - start:.1f} to {errors[-1].end - start:.1f} s after the fault" if errors else ""
        last = max((one.end for one in [*writes, *errors] if one.status not in (200, 201)), default=promoted) - promoted
        again = sum(one.start > back and one.status not in (200, 201) for one in [*writes, *errors])
        self.figures[fault].append((promoted - start, committed - promoted, first, max(last, 0), outage, whole - back))
        print(f"  node{new} was promoted after {promoted - start:.1f} s instead of node{old}; from then on {committed - promoted:.2f} s to a"
              f" commit in psql, {first:.2f} s to one through the API, {last:.1f} s to the last failure; no writes for {outage:.1f} s;"
              f" complete {whole - back:.1f} s after the recovery" + (f", in which {again} more failed" if again else ""))
        print("  changes: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()) + f", the slowest {slowest:.1f} s;"
              f" reads: {len(reads)}, {len(errors)} failed{when}", flush=True)
        for write in writes:
            if load.kind_of(write.status) == "wrong":
                self.problem(f"POST of {write.name}, {write.start - start:.1f} s after the fault: {write.status} after {write.end - write.start:.1f} s")
        if errors:
            self.problem(f"{len(errors)} reads failed")

    async def check_rows(self, all_are_told=False):
        """Checks with SQL on the primary that acknowledged rows exist once, and that rejected ones do not."""
        told = list(self.load.writes)
        rows = await self.cluster.rows(self.load.prefix)
        for write in told:
            ids = rows.pop(write.name, [])
            kind = load.kind_of(write.status)
            if kind == "done" and ids != [write.id]:
                self.problem(f"{write.name} was acknowledged as {write.id}, and its ids are {ids}")
            if kind == "not done" and ids:
                self.problem(f"{write.name} got 503, and its ids are {ids}")
            if len(ids) > 1:
                self.problem(f"{write.name} exists {len(ids)} times")
        if all_are_told and rows:
            self.problem(f"there are rows that no client has created: {list(rows)[:5]}")

    def summarize(self, seconds):
        columns = "promoted", "psql commits", "API commits", "last failure", "no writes for", "complete again"
        print("\nSeconds, minimum to maximum: from the fault to the promotion, and from that to a commit and to the last failure")
        print(f"{'':12}" + "".join(f"{column:>16}" for column in columns))
        for fault, figures in sorted(self.figures.items()):
            spans = (f"{min(column):.1f} – {max(column):.1f}" for column in zip(*figures))
            print(f"{fault:12}" + "".join(f"{span:>16}" for span in spans))
        writes, reads = self.load.writes, self.load.reads
        kinds = collections.Counter(load.kind_of(write.status) for write in writes)
        failed = sum(read.status != 200 for read in reads)
        print(f"{len(writes)} changes ({', '.join(f'{count} {kind}' for kind, count in kinds.items())}) and {len(reads)} reads ({failed} failed; {self.load.waiting} more were refused, since their position was unknown)"
              f" in {seconds:.0f} s, {(len(writes) + len(reads)) / seconds:.0f} a second")


def order(seed, with_cut):
    kinds = [kind for kind in FAULTS if kind != "cut" or with_cut]
    if wanted := os.environ.get("CLUSTER_FAULTS"):
        kinds = [kind for kind in wanted.split(",") if kind in kinds]
    faults = kinds * int(os.environ.get("CLUSTER_ROUNDS") or 3)
    random.Random(seed).shuffle(faults)
    return faults


def inside():
    seed = int(os.environ["CLUSTER_SEED"])
    trial = Trial(seed, order(seed, os.environ.get("CLUSTER_NAMESPACES")))
    try:
        asyncio.run(trial.run())
    except (RuntimeError, asyncio.TimeoutError) as error:
        trial.problem(f"{error!r}")
    print(f"{len(trial.faults)} faults, {len(trial.problems)} problems")
    return 1 if trial.problems else 0


sys.exit(place.main(__file__, inside))
