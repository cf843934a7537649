"""Counts the user-space instructions that the worker needs for a request, with valgrind's callgrind, and compares them with
Benchmarks/instructions.txt: a count differs by less than 0.5 % between runs, on a busy machine too. It fails when one has grown by more
than 3 %. UPDATE=1 writes the file anew. The counts depend on the processor's architecture and on the versions of Swift and of the
libraries, which stand in the file's first line: with others, they are printed and not compared.

It starts the release build of the worker on a throw-away cluster, with 100 campaigns, and speaks FastCGI to it over eight
connections, as nginx does."""
import itertools
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from database import Cluster
from machine import ROOT, clear_environment, last_line, output, start

BUDGET = ROOT / "Benchmarks/instructions.txt"
TOLERANCE = 0.03
CONNECTIONS = 8
JSON = "application/json"

# As the service runs, wherever it was started: scripts/dev, the unit of systemd, the image.
TUNABLES = {"GLIBC_TUNABLES": "glibc.malloc.tcache_max=16400:glibc.malloc.tcache_count=100"}
# Dictionaries have the same order in each run.
SAME_HASHES = {"SWIFT_DETERMINISTIC_HASHING": "1"}

# So often each connection sends a request before they are counted, and then while each time is counted. Of the counts, the one is taken
# that an eighth of them stays below: those of a time without timers, and without the rare luck of fewer turns of the worker's loop.
WARM_UP, PARTS = 20, 50

# What is measured: a name and a request.
CASES = [
    ("GET one", "GET", "/campaigns/1", b""),
    ("list of 100", "GET", "/campaigns/", b""),
    ("POST", "POST", "/campaigns/", b'{"name":"Spring sale","description":"20 % off"}'),
    ("PATCH", "PATCH", "/campaigns/1", b'{"name":"Summer sale"}'),
]
# The same, where clients authenticate.
CASES_WITH_KEY = [("GET one with a key", "GET", "/campaigns/1", b"")]


def record(kind, content):
    """A FastCGI record of request 1."""
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def request(method, target, body, key):
    """A request as nginx sends it on a kept connection; with a key, where there is one."""
    params = {
        "REQUEST_METHOD": method, "REQUEST_URI": target, "REQUEST_SCHEME": "http",
        **({"CONTENT_TYPE": JSON, "CONTENT_LENGTH": str(len(body))} if body else {}),
        "HTTP_HOST": "localhost:5051", "HTTP_USER_AGENT": "curl/8.5.0", "HTTP_ACCEPT": "*/*",
        **({"HTTP_AUTHORIZATION": f"Bearer {key}"} if key else {}),
    }
    pairs = b"".join(bytes([len(name), len(value)]) + (name + value).encode() for name, value in params.items())
    stdin = (record(5, body) if body else b"") + record(5, b"")
    return record(1, struct.pack(">HB5x", 1, 1)) + record(4, pairs) + record(4, b"") + stdin


def read_response(connection):
    """Reads to END_REQUEST, and gives what stands behind `Status: `."""
    stream, output = connection.makefile("rb"), b""
    while True:
        _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", stream.read(8))
        content = stream.read(length + padding)[:length]
        if kind == 6:
            output += content
        if kind == 3:
            return output[8:11].decode()


def send(worker, connections, message):
    """Has each connection send a request. The worker is stopped meanwhile: it finds all of them in one turn of its loop, however busy the
    machine is."""
    worker.send_signal(signal.SIGSTOP)
    for connection in connections:
        connection.sendall(message)
    worker.send_signal(signal.SIGCONT)
    return [read_response(connection) for connection in connections]


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    connection.connect(str(path))
    return connection


def started(worker, path, log):
    """Connections to the worker, as soon as it accepts them."""
    for _ in range(300):
        try:
            return [connect(path) for _ in range(CONNECTIONS)]
        except OSError:
            time.sleep(0.2)
        if worker.poll() is not None:
            break
    sys.exit(f"the worker did not start: {last_line(log)}")


def total(path):
    for line in path.read_text().splitlines():
        if line.startswith("totals: "):
            return int(line.split()[1])
    sys.exit(f"there are no totals in {path}")


def low(name, parts):
    failures = {status for statuses, _ in parts for status in statuses if not status.startswith("2")}
    if failures:
        sys.exit(f"{name} was answered {', '.join(failures)}")
    return round(sorted(count for _, count in parts)[PARTS // 8])


def measure(directory, environment, cases, key=None):
    """The instructions of each case."""
    directory.mkdir()
    path, counted, log = directory / "worker.socket", directory / "counts", directory / "worker.log"
    # A stopped process does not end with TERM.
    worker = start(
        "setpriv", "--pdeathsig", "KILL", "valgrind", "--tool=callgrind", f"--callgrind-out-file={counted}",
        ROOT / ".build/release/aktify", "worker", "--listen", f"unix:{path}", "--loops", "1",
        env=environment | TUNABLES | SAME_HASHES, log=log)
    dumps = itertools.count(1)

    def count(message):
        """The instructions since the last count, each connection having sent a request."""
        statuses = send(worker, connections, message)
        output("vgdb", f"--pid={worker.pid}", "dump")
        return statuses, total(directory / f"counts.{next(dumps)}") / CONNECTIONS

    try:
        connections = started(worker, path, log)
        counts = {}
        for name, *words in cases:
            message = request(*words, key)
            for _ in range(WARM_UP):
                send(worker, connections, message)
            counts[name] = [count(message) for _ in range(PARTS)]
    finally:
        worker.kill()
        worker.wait()
    return {name: low(name, parts) for name, parts in counts.items()}


def versions():
    """The versions that the counts depend on; without Debian's own revisions, and Postgres's minor ones."""
    swift = subprocess.run(["swift", "--version"], check=True, capture_output=True, text=True).stdout
    names = ["libc6", "libfcgi0ldbl", "libpq5"]
    query = subprocess.run(["dpkg-query", "-Wf", "${Package} ${Version}, ", *names], capture_output=True, text=True).stdout
    packages = re.sub(r"(libpq5 \d+)\.\d+", r"\1", re.sub(r"-[^ ,]*,", ",", query)).rstrip(", ")
    return f"{platform.machine()}, Swift " + re.search(r"Swift version (\S+)", swift)[1] + ", " + packages


def read_budget():
    """The file's versions and counts."""
    first, *lines = BUDGET.read_text().splitlines()
    return first, {name: int(count) for name, count in (line.split(": ") for line in lines)}


def compare(counts, budget):
    """Prints the counts beside the budget; says whether one has grown."""
    has_grown = False
    for name, count in counts.items():
        limit = budget.get(name, 0)
        grown = count > limit * (1 + TOLERANCE)
        has_grown = has_grown or grown
        print(f"{name}: {count:,} instructions a request, budget {limit:,}{': TOO MANY' if grown else ''}")
    if any(count < budget.get(name, 0) * (1 - TOLERANCE) for name, count in counts.items()):
        print("Some are fewer by more than 3 %: UPDATE=1 make bench-instructions keeps them so.")
    return has_grown


def main():
    is_update, here = os.environ.get("UPDATE") == "1", versions()
    clear_environment()
    if not shutil.which("valgrind"):
        sys.exit("bench-instructions counts with valgrind, which is not installed: apt-get install valgrind")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        directory = pathlib.Path(directory)
        directory.chmod(0o755)
        cluster = Cluster(directory)
        try:
            cluster.start()
            cluster.create("aktify")
            cluster.fill("aktify", 1, 100, "A description")
            environment = cluster.environment("aktify")
            create = (ROOT / ".build/release/aktify", "key", "create", "--name", "bench", "--role", "reader")
            key = output(*create, cwd=ROOT, env=os.environ | environment).strip()
            counts = measure(directory / "open", environment, CASES)
            counts |= measure(directory / "keys", environment | {"AUTH": "keys"}, CASES_WITH_KEY, key)
        finally:
            cluster.stop()
    if is_update:
        BUDGET.write_text(here + "\n" + "".join(f"{name}: {count}\n" for name, count in counts.items()))
    measured, budget = read_budget()
    if here != measured:
        print(f"The budget is of {measured}, and here are {here}: not compared.")
        for name, count in counts.items():
            print(f"{name}: {count:,} instructions a request")
    elif compare(counts, budget):
        sys.exit(1)


main()
