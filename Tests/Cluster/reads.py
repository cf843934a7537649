"""Reads from replicas: clients read their own writes, and the throughput of reads grows with the number of replicas.

READS (100000): the number of reads of own writes; READS_SEED: the seed of the random choices.
"""

import asyncio
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

FOLDER = pathlib.Path(__file__).parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "Browser")]

from load import Connection
from stack import CHECKOUT, Stack

CLIENTS = 100
# The maximum pause between two requests of a client, in seconds, in which replicas may catch up.
PAUSE = 0.1


class Servers(Stack):
    """The service, with a primary and its standbys."""

    def __init__(self, standbys):
        super().__init__()
        self.primary = self.environment["POSTGRES_HOST"]
        self.standbys = [self.start_standby(number) for number in range(standbys)]

    def start_standby(self, number):
        command = ["scripts/cluster", "start", f"{self.folder}/standby{number}", "--watch", str(os.getpid()), "--standby-of", self.primary]
        return subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.strip()

    def read_from(self, hosts):
        """Restarts the API with these replicas."""
        self.stop_api()
        self.environment["POSTGRES_READ_HOST"] = ",".join(hosts)
        self.start_api()
        time.sleep(1)

    def sql(self, host, text):
        command = ["psql", "-XAtq", "-h", host, "-U", "postgres", "-c", text]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def scans(self, host):
        """The number of scans of the table on a server, after its statistics were flushed."""
        time.sleep(1.5)
        return int(self.sql(host, "SELECT coalesce(sum(idx_scan + seq_scan), 0) FROM pg_stat_user_tables WHERE relname = 'campaign'"))

    def close(self):
        for number in range(len(self.standbys)):
            subprocess.run(["scripts/cluster", "stop", f"{self.folder}/standby{number}"], cwd=CHECKOUT, capture_output=True)
        super().close()


class Client:
    """A client that reads its own writes, by id and in a list."""

    def __init__(self, port, number, sends_position):
        self.connection = Connection(port, persistent=True)
        self.number, self.sends_position = number, sends_position
        self.position = ""
        self.stale = self.reads = self.failed = 0

    async def ask(self, method, path, body=None):
        fields = {"X-Database-Position": self.position} if self.sends_position and self.position else {}
        status, data = await self.connection.ask(method, path, json.dumps(body).encode() if body else b"", fields)
        if status not in (200, 201, 404):
            self.failed += 1
            print(f"✘ {method} {path}: {status} {data[:200]}", flush=True)
        self.position = self.connection.fields.get(b"x-database-position", self.position.encode()).decode()
        return json.loads(data) if status in (200, 201) else None

    async def run(self, reads, random):
        while self.reads < reads:
            name = f"{self.number} {self.reads}"
            row = await self.ask("POST", "/campaigns/", {"name": name})
            for turn in range(10):
                if turn == 5:
                    name += " changed"
                    await self.ask("PATCH", f"/campaigns/{row['id']}", {"name": name})
                if random.random() < 0.8:
                    found = await self.ask("GET", f"/campaigns/{row['id']}")
                else:
                    found = ((await self.ask("GET", f"/campaigns/?id={row['id']}")) or [None])[0]
                await asyncio.sleep(random.uniform(0, PAUSE))
                self.reads += 1
                self.stale += not found or found["name"] != name
        self.connection.close()


async def read_own_writes(port, reads, seed, sends_position):
    clients = [Client(port, number, sends_position) for number in range(CLIENTS)]
    await asyncio.gather(*(client.run(reads // CLIENTS, random.Random(seed + client.number)) for client in clients))
    return clients


def lag(servers, chooser, ends):
    """Makes the replicas lag: one permanently, by a delay, the other occasionally, by a pause."""
    while not ends.wait(chooser.uniform(0.1, 0.5)):
        servers.sql(servers.standbys[1], "SELECT pg_wal_replay_pause()")
        ends.wait(chooser.uniform(0.1, 1))
        servers.sql(servers.standbys[1], "SELECT pg_wal_replay_resume()")


def own_writes(servers, reads, seed):
    servers.read_from(servers.standbys)
    servers.sql(servers.standbys[0], "ALTER SYSTEM SET recovery_min_apply_delay = '200ms'")
    servers.sql(servers.standbys[0], "SELECT pg_reload_conf()")
    ends = threading.Event()
    lags = threading.Thread(target=lag, args=(servers, random.Random(seed), ends))
    lags.start()
    port = int(servers.url.rsplit(":", 1)[1])
    problems = 0
    try:
        for sends_position, count in ((True, reads), (False, max(reads // 20, 2000))):
            before = sum(map(servers.scans, servers.standbys))
            start = time.monotonic()
            clients = asyncio.run(read_own_writes(port, count, seed, sends_position))
            seconds = time.monotonic() - start
            replicas = sum(map(servers.scans, servers.standbys)) - before
            done, stale, failed = (sum(getattr(client, name) for client in clients) for name in ("reads", "stale", "failed"))
            how = "with the position of the last write" if sends_position else "without a position"
            print(f"{done} reads of own writes {how}: {stale} stale, {failed} failed; {replicas} were served by replicas;"
                  f" {done / seconds:.0f} a second", flush=True)
            # The test proves nothing if replicas serve no reads, or do not lag.
            wrong = stale > 0 if sends_position else stale == 0
            problems += bool(wrong or failed or replicas < done / 20)
    finally:
        ends.set()
        lags.join()
    return problems


class Slowed:
    """Runs a server for a part of the time only, which simulates a slower machine."""

    PERIOD, SHARE = 0.02, 0.2

    def __init__(self, host):
        self.postmaster = int(pathlib.Path(host, ".s.PGSQL.5432.lock").read_text().split()[0])
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def signal(self, number):
        children = pathlib.Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children").read_text().split()
        for process in [self.postmaster, *map(int, children)]:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    def run(self):
        while not self.ends.wait(self.PERIOD * self.SHARE):
            self.signal(signal.SIGSTOP)
            self.ends.wait(self.PERIOD * (1 - self.SHARE))
            self.signal(signal.SIGCONT)

    def end(self):
        self.ends.set()
        self.thread.join()
        self.signal(signal.SIGCONT)


def rate(url):
    output = subprocess.run(["wrk", "-t1", "-c48", "-d5s", "--timeout", "10s", url], check=True, capture_output=True, text=True).stdout
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return float(re.search(r"Requests/sec: +([\d.]+)", output)[1]), int(errors[1]) if errors else 0


def growth(servers):
    rows = "SELECT n, repeat('x', 200) FROM generate_series(1, 20000) n"
    servers.sql(servers.primary, f"INSERT INTO campaign (name, description) {rows}")
    time.sleep(1)
    slowed = [Slowed(host) for host in [servers.primary, *servers.standbys]]
    rates = {}
    problems = 0
    try:
        for count in range(len(servers.standbys) + 1):
            servers.read_from(servers.standbys[:count])
            rates[count], errors = rate(servers.url + "/campaigns/?q=nowhere&limit=1")
            problems += errors > 0
            print(f"searches of 20,000 rows with {count} of the replicas, each server with a fifth of a core: {rates[count]:.0f} a second,"
                  f" {errors} errors", flush=True)
    finally:
        for server in slowed:
            server.end()
    print(f"a second replica: {rates[2] / rates[1]:.2f} times as many", flush=True)
    return problems + (rates[2] < 1.5 * rates[1])


def main():
    reads, seed = int(os.environ.get("READS") or 100_000), int(os.environ.get("READS_SEED") or random.randrange(1_000_000))
    print(f"READS_SEED={seed}", flush=True)
    servers = Servers(standbys=2)
    try:
        problems = growth(servers) + own_writes(servers, reads, seed)
    finally:
        servers.close()
    print(f"reads from replicas: {problems} problems")
    return 1 if problems else 0


sys.exit(main())
