"""Backups of a cluster under write load, through a failover and an outage of the repository; recreation of a node from them, and
point-in-time recovery of the whole cluster, which compares every row. See docs/backups.md.
"""

import asyncio
import collections
import datetime
import json
import os
import pathlib
import shutil
import sys
import time

import load
import place
from cluster import Cluster

WRITERS, READERS = 20, 10
# The duration of the repository's outage, in seconds.
AWAY = 12


# Restore targets that are rejected before anything is stopped, with a part of the error message.
REFUSED = {
    "yesterday": "is not a time",
    "2026-11-29 14:37:17": "is not a time",
    "2026-11-29T14:37:17Z": "is not a time",
    "2026-02-30 14:37:17+00": "is not a time",
    "2000-01-01 00:00:00+00": "is before the end of the oldest backup",
    "2999-01-01 00:00:00+00": "is in the future",
}


class Trial:
    def __init__(self, seed):
        self.seed = seed
        self.cluster = Cluster()
        # The nodes' directory, which the user that runs them can access.
        self.folder = pathlib.Path(os.environ["CLUSTER_DIR"])
        self.problems = 0

    def check(self, holds, problem):
        if not holds:
            self.problems += 1
            print(f"✘ {problem}", flush=True)

    def start_load(self, seed):
        self.load = load.Load(self.cluster.port, seed, WRITERS, READERS)

    async def run(self):
        await self.step("the cluster is up, with a first backup", self.cluster.do("up"))
        self.start_load(self.seed)
        await asyncio.sleep(3)
        await self.step("full backup", self.back_up("full"))
        await self.step("the primary killed and restarted", self.fail_over())
        await self.step("a node recreated", self.recreate_node())
        await self.step("an outage of the repository", self.lose_repository())
        await self.step("differential backup", self.back_up("diff"))
        for moment, answer in REFUSED.items():
            await self.step(f"a restore to {moment}", self.refuse(moment, answer))
        await self.step("restore to T", self.restore())
        await self.step("a restore to a time on the abandoned timeline", self.refuse(self.left, "abandoned the timeline of that time"))
        await self.step("full backup of the restored cluster", self.back_up("full"))
        await self.step("the repository verified", self.verify())

    async def step(self, name, doing):
        start = time.monotonic()
        said = await asyncio.wait_for(doing, 300)
        print(f"{name}: {time.monotonic() - start:.1f} s" + (f", {said}" if isinstance(said, list) and (said := ", ".join(said)) else ""), flush=True)

    async def whole(self):
        return await self.cluster.until(120, "a complete cluster of three nodes", self.cluster.whole)

    async def info(self):
        return json.loads(await self.cluster.do("pgbackrest", "info", "--output=json"))[0]

    async def sql(self, text):
        return (await self.cluster.do("query", text)).strip()

    def count_writes(self, since):
        """Counts the outcomes of the writes since then."""
        counted = collections.Counter(load.kind_of(write.status) for write in self.load.writes[since:])
        return counted, ", ".join(f"{count} writes {kind}" for kind, count in counted.items())

    async def back_up(self, kind):
        before = len(self.load.writes)
        await self.cluster.do("pgbackrest", "backup", f"--type={kind}")
        backup = (await self.info())["backup"][-1]
        self.check(backup["type"] == kind, f"the last backup is {backup['type']}, not {kind}")
        counted, said = self.count_writes(before)
        self.check(set(counted) == {"done"}, f"{said}, while a backup was made")
        return [f"{backup['info']['repository']['delta'] / 1e6:.1f} MB written", said]

    async def fail_over(self):
        """Archiving continues with the new primary and its timeline, without a gap."""
        old, before, start = await self.whole(), len(self.load.writes), time.monotonic()
        await self.cluster.do("kill", old)
        new = await self.cluster.until(90, "another primary", lambda: self.cluster.primary([node for node in (1, 2, 3) if node != old]))
        promoted = time.monotonic()
        await self.cluster.until(60, "a write after the promotion", lambda: self.written(promoted))
        first = time.monotonic()
        # Switches the WAL segment, and waits until it is archived.
        await self.cluster.do("pgbackrest", "check")
        archived = time.monotonic()
        await self.cluster.do("start", old)
        await self.whole()
        last = (await self.info())["archive"][-1]["max"]
        self.check(int(last[:8], 16) == (await self.cluster.tell(new))["timeline"] == 2, f"the last segment in the repository is {last}")
        return [f"node{new} after {promoted - start:.1f} s, written to {first - promoted:.1f} s later, its segment {last} archived after another"
                f" {archived - first:.1f} s", self.count_writes(before)[1]]

    async def written(self, since):
        return any(write.status == 201 and write.end > since for write in reversed(self.load.writes))

    async def recreate_node(self):
        primary = await self.whole()
        node, before = primary % 3 + 1, len(self.load.writes)
        log = self.folder / f"node{node}/patroni.log"
        await self.cluster.do("stop", node)
        shutil.rmtree(log.parent / "data")
        start, read = time.monotonic(), log.stat().st_size
        await self.cluster.do("start", node)
        await self.whole()
        self.check_created(node, read)
        counted, said = self.count_writes(before)
        self.check(set(counted) == {"done"}, f"{said}, while a node was recreated")
        return [f"node{node} follows after {time.monotonic() - start:.1f} s", said]

    def check_created(self, node, read):
        said = (self.folder / f"node{node}/patroni.log").read_bytes()[read:].decode()
        self.check("replica has been created using pgbackrest" in said and "using basebackup" not in said, f"node{node} was not created from the repository")

    async def lose_repository(self):
        """Writes continue, the status reports the failure, and archiving catches up; after a switchover meanwhile, with push-log."""
        old, before = await self.whole(), len(self.load.writes)
        repository, away = self.folder / "repository", self.folder / "away"
        repository.rename(away)
        await self.sql("SELECT pg_switch_wal()")
        failed = time.monotonic()
        await self.cluster.until(30, "the status says that archiving fails", self.reports_failure)
        told = time.monotonic() - failed
        try:
            await self.cluster.do("pgbackrest", "check")
            self.check(False, "pgbackrest check succeeds without a repository")
        except RuntimeError:
            pass
        await asyncio.sleep(AWAY)
        counted, said = self.count_writes(before)
        self.check(set(counted) == {"done"}, f"{said}, without the repository")
        start = time.monotonic()
        await self.cluster.do("switchover")
        await self.whole()
        switched = time.monotonic() - start
        away.rename(repository)
        back = time.monotonic()
        await self.cluster.do("pgbackrest", "check")
        caught_up = time.monotonic() - back
        # The new primary does not archive what the former one could not.
        faults = await self.faults()
        self.check("missing: " in faults.splitlines()[-1], f"no segment is missing after a failover without the repository: {faults}")
        pushed = await self.cluster.do("push-log", old)
        faults = await self.faults()
        self.check(not faults, f"after push-log: {faults}")
        self.check(not await self.reports_failure(), "the status still says that archiving fails")
        return [said, f"reported after {told:.1f} s", f"switchover in {switched:.1f} s", f"the new primary's archiving caught up in {caught_up:.1f} s",
                f"{len(pushed.splitlines())} segments pushed from node{old}"]

    async def reports_failure(self):
        return "FAILS" in await self.cluster.do("status")

    async def faults(self):
        """The output of scripts/check-backups if it fails; otherwise nothing."""
        try:
            await self.cluster.do("check-backups")
        except RuntimeError as error:
            return str(error).strip()
        return ""

    async def restore(self):
        """Restores to T: everything acknowledged before T exists, and nothing started after T does."""
        await asyncio.sleep(1)
        moment, now = time.monotonic(), datetime.datetime.now(datetime.timezone.utc)
        await asyncio.sleep(3)
        self.left = datetime.datetime.now(datetime.timezone.utc).isoformat(sep=" ")
        await asyncio.sleep(1)
        await self.load.stop()
        before = await self.rows()
        await self.sql("DELETE FROM campaign")
        # Creates segments that two timelines will have.
        for _ in range(3):
            await self.sql("SELECT pg_switch_wal()")
            await self.sql("CREATE TABLE IF NOT EXISTS another (id int)")
            await self.sql("INSERT INTO another VALUES (1)")
        await self.fail_to_restore()
        read = {node: (self.folder / f"node{node}/patroni.log").stat().st_size for node in (1, 2, 3)}
        start = time.monotonic()
        await self.cluster.do("restore", now.isoformat(sep=" "))
        restored = time.monotonic() - start
        self.check_kept()
        primary = await self.whole()
        for node in {1, 2, 3} - {primary}:
            self.check_created(node, read[node])
        found = await self.rows()
        wanted = {write.id for write in self.load.writes if write.status == 201 and write.end < moment}
        unwanted = {write.name for write in self.load.writes if write.start > moment}
        wrong = [key for key in wanted if found.get(key) != before[key]]
        late = [row for row in found.values() if json.loads(row)["name"] in unwanted]
        strange = [row for key, row in found.items() if before.get(key) != row]
        self.check(wanted and not wrong, f"{len(wrong)} of {len(wanted)} rows acknowledged before T are missing or different, such as {wrong[:3]}")
        self.check(unwanted and not late, f"{len(late)} of {len(unwanted)} rows started after T exist, such as {late[:3]}")
        self.check(not strange, f"{len(strange)} rows differ from those before, such as {strange[:3]}")
        self.start_load(self.seed + 1)
        await asyncio.sleep(3)
        counted, said = self.count_writes(0)
        self.check(set(counted) == {"done"}, f"the restored cluster: {said}")
        return [f"{restored:.1f} s until three nodes and the API were running", f"{len(found)} rows, {len(wanted)} of them acknowledged before T",
                f"none of {len(unwanted)} started after it", said + " since"]

    async def refuse(self, moment, answer):
        """A restore that is rejected, without any interruption."""
        try:
            await self.cluster.do("restore", moment)
            said = ""
        except RuntimeError as error:
            said = str(error)
        self.check(answer in said, f"a restore to {moment}: {said}")
        self.check(await self.cluster.whole(), f"the cluster is incomplete after a restore to {moment} was rejected")

    async def fail_to_restore(self):
        """A restore that fails, after which the previous data is kept, and no empty cluster is created."""
        kept = [self.folder / f"node{node}/data/kept" for node in (1, 2, 3)]
        for path in kept:
            path.touch()
        await asyncio.sleep(1)
        late = datetime.datetime.now(datetime.timezone.utc).isoformat(sep=" ")
        await asyncio.sleep(1)
        for command, answer in ((("restore", late), "recovery ended before configured recovery target was reached"), (("up",), "a restore is incomplete")):
            try:
                await self.cluster.do(*command)
                self.check(False, f"{command} succeeds")
            except RuntimeError as error:
                self.check(answer in str(error), f"{command}: {error}")

    def check_kept(self):
        kept = [(self.folder / f"node{node}/data.before/kept").exists() for node in (1, 2, 3)]
        self.check(all(kept), f"the data from before the first of two restores is kept: {kept}")

    async def rows(self):
        lines = (await self.sql("SELECT to_jsonb(c) FROM campaign c")).splitlines()
        return {json.loads(line)["id"]: line for line in lines}

    async def verify(self):
        await self.load.stop()
        faults = await self.faults()
        self.check(not faults, faults)
        # An abandoned timeline may have a segment with the same number.
        for _ in range(3):
            await self.sql("SELECT pg_switch_wal()")
            await self.sql("INSERT INTO campaign (name) VALUES ('segment')")
        await self.cluster.do("pgbackrest", "check")
        archive = self.folder / "repository/archive/aktify/15-1"
        last = max(path.name for path in archive.glob("*/*-*"))[:8]
        backup = max((self.folder / "repository/backup/aktify").glob("*F"))
        for path, said in (sorted(archive.glob(f"*/{last}*-*"))[2], "missing: 1 segments"), (archive / f"{last}.history", "missing: "), (backup, "backup " + backup.name):
            path.rename(self.folder / "elsewhere")
            faults = await self.faults()
            self.check(said in faults, f"without {path.name}: {faults or 'nothing'}")
            (self.folder / "elsewhere").rename(path)


def inside():
    trial = Trial(int(os.environ["CLUSTER_SEED"]))
    try:
        asyncio.run(trial.run())
    except (RuntimeError, asyncio.TimeoutError) as error:
        trial.check(False, repr(error))
    print(f"backups of a cluster: {trial.problems} problems")
    return 1 if trial.problems else 0


sys.exit(place.main(__file__, inside))
