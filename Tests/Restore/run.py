"""Backup and recovery: to a point in time after an accident, and to the end of the archive after the loss of a machine.

Every recovery is compared with the original, row by row; recoveries from damaged backups must fail. See docs/backups.md.
"""

import bisect
import collections
import contextlib
import grp
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from backups import ARCHIVE_TIMEOUT, STANZA, Backups
from commands import CHECKOUT, Clock, Problems, megabytes, output, run
from postgres import Cluster
from stack import PROGRAM, Stack
from writers import Writers

# The additional time for the segment switch and the copy on a busy machine, in seconds.
ARCHIVE_GRACE = 5
SEGMENT = 16 << 20
ROWS = 20_000
# The time limit of the drill, in seconds.
DEADLINE = 420


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def difference(expected, found):
    """Describes how the tables of two databases differ; empty if they do not."""
    said = []
    for table in sorted(expected.keys() | found.keys()):
        old, new = collections.Counter(expected.get(table, [])), collections.Counter(found.get(table, []))
        missing, more = old - new, new - old
        if missing or more or (table in expected) != (table in found):
            said.append(f"{table}: {missing.total()} rows are missing, {more.total()} are extra, such as {[*missing, *more][:1]}")
        elif expected[table] != found[table]:
            said.append(f"{table}: different order")
    return "; ".join(said)


class Drill:
    def __init__(self):
        self.clock, self.problems, self.clusters = Clock(), Problems(), []
        # The WAL segment that contains T.
        self.segment = None
        self.check = self.problems.check
        self.compared = 0
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o755)
        # The directory in which the service creates its own.
        tempfile.tempdir = self.folder
        self.stack = self.writers = None

    def cluster(self, name):
        cluster = Cluster(self.folder, name)
        self.clusters.append(cluster)
        return cluster

    def close(self):
        """Stops everything, wherever the drill was interrupted. Clusters that are not known yet stop with this process."""
        if self.writers:
            self.writers.is_excused = self.writers.ends = True
        for process in pathlib.Path("/proc/thread-self/children").read_text().split():
            with contextlib.suppress(OSError):
                os.kill(int(process), signal.SIGTERM)
        # The cluster of the service may be running although it is not known yet.
        for folder in {cluster.folder for cluster in self.clusters} | set(pathlib.Path(self.folder).glob("*/cluster")):
            run(["scripts/cluster", "stop", folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.writers:
            self.writers.stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self.stack:
                self.stack.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def serve(self, cluster):
        """Starts the API on a cluster."""
        # With POSTGRES_READ_HOST set, the response to a write contains its WAL position. Nothing is read from there.
        self.stack.environment |= {"POSTGRES_HOST": cluster.host, "POSTGRES_READ_HOST": cluster.host, "STATEMENT_TIMEOUT_MS": "10000"}
        self.stack.start_api()

    def run(self):
        with self.clock.step("service started, with the schema"):
            self.stack = Stack()
            self.stack.stop_api()
        primary = Cluster(self.stack.folder, "cluster")
        self.clusters.append(primary)
        self.prepare(primary)
        needed = self.back_up(primary)
        moment, expected, sequences = self.note_moment(primary)
        self.have_accident(primary)
        with self.clock.step("the whole repository verified") as notes:
            status, said = self.backups.find_faults(primary, self.backups.repository)
            self.check(not status, f"check-backups reports faults in an intact repository: {said}")
            notes.append(f"{len(self.backups.segments())} WAL segments, {megabytes(self.backups.repository):.1f} MB")
            # A copy from before the second timeline, whose first segment repeats one of the first timeline.
            run(["cp", "-a", self.backups.repository, self.backups.folder / "before"], check=True)
        restored = self.restore_moment(moment, expected, sequences)
        self.try_damaged(needed, moment, expected)
        self.lose_machine(restored)

    def prepare(self, primary):
        with self.clock.step("archiving set up: page checksums, stanza-create, check") as notes:
            lines = (primary.data / "postmaster.pid").read_text().split("\n")
            binaries = pathlib.Path(os.readlink(f"/proc/{lines[0]}/exe")).parent
            primary.stop()
            status = primary.data.stat()
            owner = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name
            self.backups = Backups(self.folder, owner)
            rights = {"user": owner[0], "group": owner[1], "extra_groups": []} if os.getuid() == 0 else {}
            run([binaries / "pg_checksums", "--enable", "-D", primary.data], check=True, capture_output=True, **rights)
            self.backups.configure(primary)
            if not primary.start(*self.backups.archiving(primary)):
                raise RuntimeError(f"Postgres did not start: {primary.log()[-500:]}")
            self.backups.must(primary, "stanza-create")
            self.backups.must(primary, "check")
            notes.append(output(["pgbackrest", "version"]))
            rows = f"SELECT 'row ' || n, repeat(md5(n::text), 6) FROM generate_series(1, {ROWS}) n"
            primary.sql(f"INSERT INTO campaign (name, description) {rows}")

    def back_up(self, primary):
        """Makes a full backup, and a differential one under load. Returns the WAL segment in which the latter ends."""
        self.serve(primary)
        for kind in ("full", "diff"):
            if kind == "diff":
                self.writers = Writers(self.stack.url)
                time.sleep(2)
            count = self.writers.count if self.writers else 0
            with self.clock.step(f"backup, {kind}") as notes:
                self.backups.must(primary, "backup", f"--type={kind}")
                backup = self.backups.info(primary)[-1]
                size = backup["info"]
                notes += [f"{size['size'] / 1e6:.1f} MB of data", f"{size['repository']['delta'] / 1e6:.1f} MB written"]
                if self.writers:
                    notes.append(f"{self.writers.count - count} writes meanwhile")
                    self.check(self.writers.count > count, "there were no writes during the backup")
        return backup["archive"]["stop"]

    def note_moment(self, primary):
        """Chooses a time T between two writes, and reads all rows. Its segment contains earlier writes, and is not the last in the archive."""
        primary.sql("SELECT pg_switch_wal()")
        time.sleep(2)
        with self.clock.step("all rows read, with the writers paused") as notes:
            with self.writers.paused():
                moment, self.segment = primary.sql("SELECT clock_timestamp(), pg_walfile_name(pg_current_wal_insert_lsn())").split("|")
                expected, sequences = primary.tables(), primary.sequences()
                notes.append(f"T = {moment}")
        notes = ", ".join(f"{table} {len(rows)}" for table, rows in expected.items())
        print(f"          {notes}", flush=True)
        is_enough = len(expected["campaign"]) > ROWS and expected["idempotency_key"] and len(expected) >= 5
        self.check(is_enough, "there is too little data to compare")
        time.sleep(2)
        primary.sql("SELECT pg_switch_wal()")
        return moment, expected, sequences

    def have_accident(self, primary):
        with self.clock.step("accident, and the service stopped") as notes:
            self.writers.is_excused = True
            primary.sql("DELETE FROM campaign")
            primary.sql("DROP TABLE idempotency_key")
            time.sleep(0.5)
            self.writers.stop()
            self.check(not self.writers.failed, f"writes failed: {self.writers.failed[:3]}")
            self.stack.stop_api()
            # A clean shutdown archives everything; on a running server, pg_switch_wal() does.
            primary.stop()
            notes.append(f"{self.writers.count} writes were acknowledged before")

    def restore_moment(self, moment, expected, sequences):
        restored = self.cluster("restored")
        with self.clock.step("restore to T") as notes:
            status, said = self.backups.restore(restored, "--type=time", f"--target={moment}", "--target-action=promote")
            if status:
                raise RuntimeError(f"the restore exited with {status}: {said}")
            notes.append(f"{megabytes(restored.data):.1f} MB")
        with self.clock.step("the WAL replayed up to T"):
            if not restored.start(*self.backups.archiving(restored)) or not restored.recovers():
                raise RuntimeError(f"no recovery: {restored.log()[-1000:]}")
        with self.clock.step("compared") as notes:
            found = restored.tables()
            wrong = difference(expected, found)
            self.check(not wrong, f"the restored database differs from that at T: {wrong}")
            now = restored.sequences()
            self.check(all(now.get(name, -1) >= value for name, value in sequences.items()), f"sequences: {sequences} at T, {now} now")
            rows = sum(map(len, found.values()))
            self.compared += rows
            notes.append(f"{rows} rows in {len(found)} tables")
        self.check_indexes(restored)
        with self.clock.step("the service on the restored database responds, and writes"):
            self.serve(restored)
            top = max(restored.campaigns())
            row = json.load(self.stack.ask("POST", "/campaigns/", {"name": "after the restore"}))
            self.check(row["id"] > top and self.stack.campaign(row["id"])["name"] == "after the restore", f"{row} was created, after id {top}")
            self.check(self.stack.change(top, name="changed")["name"] == "changed", "a restored row cannot be changed")
            checked = run([PROGRAM, "db", "check"], env=self.stack.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.check(checked.returncode == 0, f"aktify db check: {checked.stdout}")
        return restored

    def check_indexes(self, cluster):
        """Checks that every index contains every row, and that page checksums are enabled."""
        cluster.sql("CREATE EXTENSION amcheck")
        count = cluster.sql("""
            SELECT count(bt_index_check(i.indexrelid, true)) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relnamespace = 'public'::regnamespace""")
        cluster.sql("DROP EXTENSION amcheck")
        self.check(int(count) > 5, f"only {count} indexes were checked")
        self.check(cluster.sql("SHOW data_checksums") == "on", "there are no checksums")

    # Damaged copies of the repository

    def try_damaged(self, needed, moment, expected):
        to_moment = ("--type=time", f"--target={moment}", "--target-action=promote")
        unreached = "recovery ended before configured recovery target was reached"
        incomplete = "could not locate required checkpoint record|WAL ends before end of online backup"
        for name, options, victim, damage, refusal in (
            ("the segment of T is missing", to_moment, self.segment, pathlib.Path.unlink, unreached),
            ("a byte of the segment of T is corrupt", to_moment, self.segment, flip, unreached),
            ("a segment that the backup needs is missing", ("--type=default",), needed, pathlib.Path.unlink, incomplete),
            ("the segment of T is missing, without T as target", ("--type=default",), self.segment, pathlib.Path.unlink, None),
            ("a byte of the backup is corrupt", to_moment, None, flip, None),
        ):
            with self.clock.step(f"damaged: {name}") as notes:
                self.try_one(name, options, victim, damage, refusal, expected, notes)

    def try_one(self, name, options, victim, damage, refusal, expected, notes):
        """Recovers from a damaged repository, which must fail, and whose damage must be detected."""
        repository = self.backups.folder / "damaged"
        run(["cp", "-a", self.backups.folder / "before", repository], check=True)
        damage(self.backups.segments(repository)[victim] if victim else self.largest(repository))
        cluster = self.cluster("trial")
        status, said = self.backups.find_faults(cluster, repository)
        found = re.search("(checksum invalid|other): [1-9]" if damage is flip else "missing: 1 segments", said)
        self.check(status and found, f"{name}, and scripts/check-backups exited with {status}: {said}")
        notes.append("scripts/check-backups detects it")
        # --job-retry is an undocumented option of pgBackRest, which otherwise retries for half a minute.
        status, said = self.backups.restore(cluster, f"--repo1-path={repository}", "--job-retry=0", *options)
        if not victim:
            self.check(status, f"{name}, and the restore exited with {status}: {said}")
            notes.append(f"the restore exits with {status}: {(said.splitlines() or [''])[0][:150]}")
        elif self.check(not status, f"{name}: the restore exited with {status}: {said}"):
            recovers = cluster.start("archive_mode=off") and cluster.recovers()
            if refusal:
                found = re.search(refusal, cluster.log())
                self.check(not recovers and found, f"{name}, and Postgres does not report it: {cluster.log()[-500:]}")
                notes.append(f"Postgres refuses: {found and found[0]}")
            elif self.check(recovers, f"{name}: {cluster.log()[-500:]}"):
                # Recovery ends wherever the archive has no next segment, so only a comparison of the rows can detect it.
                self.check(difference(expected, cluster.tables()), f"{name}, and the rows of T exist")
                notes.append("Postgres starts without an error; the comparison detects it")
        cluster.stop()
        shutil.rmtree(cluster.folder, ignore_errors=True)
        shutil.rmtree(repository)

    def largest(self, repository):
        """The largest file of the last backup."""
        return max(repository.glob(f"backup/{STANZA}/*D/pg_data/base/**/*.zst"), key=lambda path: path.stat().st_size)

    def lose_machine(self, primary):
        before = primary.campaigns()
        self.writers = Writers(self.stack.url)
        with self.clock.step("backup, incr, of the restored database") as notes:
            self.backups.must(primary, "backup", "--type=incr")
            notes.append(f"{self.backups.info(primary)[-1]['info']['repository']['delta'] / 1e6:.1f} MB written")
        time.sleep(ARCHIVE_TIMEOUT * 2.5)
        with self.clock.step("machine lost: all processes killed, the data deleted") as notes:
            self.writers.is_excused = True
            killed = primary.kill()
            self.writers.stop()
            self.stack.stop_api()
            shutil.rmtree(primary.data)
            self.check(not self.writers.failed, f"writes failed: {self.writers.failed[:3]}")
            notes.append(f"{self.writers.count} writes were acknowledged since the first restore")
        found = self.cluster("second")
        with self.clock.step("restore to the end of the archive") as notes:
            status, said = self.backups.restore(found, "--type=default")
            if status:
                raise RuntimeError(f"the restore exited with {status}: {said}")
            notes.append(f"{megabytes(found.data):.1f} MB")
        with self.clock.step("the WAL replayed to its end"):
            if not found.start(*self.backups.archiving(found)) or not found.recovers():
                raise RuntimeError(f"no recovery: {found.log()[-1000:]}")
        with self.clock.step("compared") as notes:
            self.compare_end(before, found.campaigns(), killed, notes)
        self.check_indexes(found)
        with self.clock.step("the service on it responds and writes, and archiving continues"):
            self.serve(found)
            row = json.load(self.stack.ask("POST", "/campaigns/", {"name": "after the loss"}))
            self.check(self.stack.campaign(row["id"])["name"] == "after the loss", f"{row} was created")
            self.backups.must(found, "check")

    def compare_end(self, before, found, killed, notes):
        """Checks that every archived write exists, and nothing that no client has written."""
        last = max(name for name in self.backups.segments() if name.startswith("00000002"))
        end = f"{last[:8]}-{(int(last[8:16], 16) * (1 << 32 - 24) + int(last[16:], 16) + 1) * SEGMENT:016x}"
        writers, lost, kept = self.writers, [], 0
        untouched = {key: name for key, name in found.items() if key not in writers.histories}
        strangers = {key: name for key, name in untouched.items() if before.get(key) != name and name not in writers.unknown_names}
        missing = [key for key, name in before.items() if found.get(key) != name]
        self.check(not strangers and not missing, f"{len(missing)} older rows are missing, {len(strangers)} were written by no client")
        for key, history in writers.histories.items():
            # This many of its writes are certainly in the archive. The state found may be that of any later one, or of one with an unknown outcome.
            certain = bisect.bisect_right([write.position for write in history], end)
            names = [write.name for write in history]
            state = found.get(key)
            if state in names[max(certain - 1, 0):]:
                reached = max(number for number, name in enumerate(names) if name == state) + 1
            elif certain == 0 and state is None:
                reached = 0
            else:
                reached = len(names)
                self.check(state in writers.unknown[key], f"campaign {key} is {state}, not {names[certain - 1:]}, archived up to {end}")
            lost += history[reached:]
            kept += reached
        self.compared += len(found)
        window = killed - min((write.time for write in lost), default=killed)
        notes += [f"{len(found)} rows", f"{kept} acknowledged writes exist", f"{len(lost)} of the last {window:.1f} s are lost"]
        self.check(kept and lost, "nothing was kept, or nothing was lost, so the drill proves nothing")
        self.check(window <= ARCHIVE_TIMEOUT + ARCHIVE_GRACE, f"{window:.1f} s are lost, with archive_timeout = {ARCHIVE_TIMEOUT}")


def interrupted(number, _):
    raise SystemExit(f"terminated by {signal.Signals(number).name}")


def main():
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    for number in signals:
        signal.signal(number, interrupted)
    signal.alarm(DEADLINE)
    drill = Drill()
    try:
        drill.run()
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        drill.close()
    print(f"restore drill: {drill.compared} rows compared, {drill.problems.count} problems, {time.monotonic() - drill.clock.start:.0f} s")
    return 1 if drill.problems.count else 0


sys.exit(main())
