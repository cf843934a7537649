"""Counts the user-space instructions of the worker per request, with valgrind's callgrind, and compares them with
Benchmarks/instructions.txt: a count differs by less than 0.5 % between runs, on a busy machine too. It fails when one has grown by more
than 3 %. UPDATE=1 rewrites the file. The counts depend on the processor's architecture and on the versions of Swift and of the
libraries, which are in the file's first line: with other versions, the counts are printed but not compared.

It starts the release build of the worker on a temporary cluster, with 100 campaigns, and speaks FastCGI to it over eight
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

# The same as for the service, in scripts/dev, the systemd unit and the image.
TUNABLES = {"GLIBC_TUNABLES": "glibc.malloc.tcache_max=16400:glibc.malloc.tcache_count=100"}
# Gives dictionaries the same order in each run.
SAME_HASHES = {"SWIFT_DETERMINISTIC_HASHING": "1"}

# The number of requests per connection before counting (warm-up), and the number of counts. The result is the count below which an eighth
# of them lie: it excludes those with timer events, and the rare ones with fewer event loop iterations.
WARM_UP, COUNTS = 20, 50

# The measured requests: a name, a method, a target and a body.
CASES = [
    ("GET one", "GET", "/campaigns/1", b""),
    ("list of 100", "GET", "/campaigns/", b""),
    ("POST", "POST", "/campaigns/", b'{"name":"Spring sale","description":"20 % off"}'),
    ("PATCH", "PATCH", "/campaigns/1", b'{"name":"Summer sale"}'),
]
# The measured requests with authentication.
CASES_WITH_KEY = [("GET one with a key", "GET", "/campaigns/1", b"")]


def record(kind, content):
    """A FastCGI record with request id 1."""
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def request(method, target, body, key):
    """A request as nginx sends it on a keep-alive connection, optionally with an API key."""
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
    """Reads up to END_REQUEST and returns the status code."""
    stream, output = connection.makefile("rb"), b""
    while True:
        _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", stream.read(8))
        content = stream.read(length + padding)[:length]
        if kind == 6:
            output += content
        if kind == 3:
            return output[8:11].decode()


def send(worker, connections, message):
    """Sends a request on each connection. The worker is stopped meanwhile, so that it finds all of them in one event loop iteration, however
    busy the machine is."""
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
    """Connects to the worker as soon as it accepts connections."""
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
    sys.exit(f"no totals in {path}")


def low_count(name, counts):
    failures = {status for statuses, _ in counts for status in statuses if not status.startswith("2")}
    if failures:
        sys.exit(f"{name} got the status {', '.join(failures)}")
    return round(sorted(count for _, count in counts)[COUNTS // 8])


def measure(directory, environment, cases, key=None):
    """Returns the instructions per request for each case."""
    directory.mkdir()
    path, counted, log = directory / "worker.socket", directory / "counts", directory / "worker.log"
    # KILL, because a stopped process does not react to TERM.
    worker = start(
        "setpriv", "--pdeathsig", "KILL", "valgrind", "--tool=callgrind", f"--callgrind-out-file={counted}",
        ROOT / ".build/release/aktify", "worker", "--listen", f"unix:{path}", "--loops", "1",
        env=environment | TUNABLES | SAME_HASHES, log=log)
    dumps = itertools.count(1)

    def count(message):
        """Sends a request on each connection and returns the instructions per request since the last count."""
        statuses = send(worker, connections, message)
        output("vgdb", f"--pid={worker.pid}", "dump")
        return statuses, total(directory / f"counts.{next(dumps)}") / CONNECTIONS

    try:
        connections = started(worker, path, log)
        counts = {}
        for name, *arguments in cases:
            message = request(*arguments, key)
            for _ in range(WARM_UP):
                send(worker, connections, message)
            counts[name] = [count(message) for _ in range(COUNTS)]
    finally:
        worker.kill()
        worker.wait()
    return {name: low_count(name, counts) for name, counts in counts.items()}


def versions():
    """The versions that the counts depend on, without Debian revisions and minor versions of Postgres."""
    swift = subprocess.run(["swift", "--version"], check=True, capture_output=True, text=True).stdout
    names = ["libc6", "libfcgi0ldbl", "libpq5"]
    query = subprocess.run(["dpkg-query", "-Wf", "${Package} ${Version}, ", *names], capture_output=True, text=True).stdout
    packages = re.sub(r"(libpq5 \d+)\.\d+", r"\1", re.sub(r"-[^ ,]*,", ",", query)).rstrip(", ")
    return f"{platform.machine()}, Swift " + re.search(r"Swift version (\S+)", swift)[1] + ", " + packages


def read_budget():
    """Reads the versions and the counts in the file."""
    first, *lines = BUDGET.read_text().splitlines()
    return first, {name: int(count) for name, count in (line.split(": ") for line in lines)}


def compare(counts, budget):
    """Prints the counts and the budget; returns whether a count has grown."""
    has_grown = False
    for name, count in counts.items():
        limit = budget.get(name, 0)
        grown = count > limit * (1 + TOLERANCE)
        has_grown = has_grown or grown
        print(f"{name}: {count:,} instructions per request, budget {limit:,}{': OVER BUDGET' if grown else ''}")
    if any(count < budget.get(name, 0) * (1 - TOLERANCE) for name, count in counts.items()):
        print("Some counts have decreased by more than 3 %: lower the budget with UPDATE=1 make bench-instructions.")
    return has_grown


def main():
    is_update, versions_here = os.environ.get("UPDATE") == "1", versions()
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
        BUDGET.write_text(versions_here + "\n" + "".join(f"{name}: {count}\n" for name, count in counts.items()))
    measured, budget = read_budget()
    if versions_here != measured:
        print(f"The budget was measured with {measured}; this machine has {versions_here}: not compared.")
        for name, count in counts.items():
            print(f"{name}: {count:,} instructions per request")
    elif compare(counts, budget):
        sys.exit(1)


main()
