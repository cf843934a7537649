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

from machine import ROOT, clear_environment, last_line, output, start

BUDGET = ROOT / "Benchmarks/instructions.txt"
TOLERANCE = 0.03
CONNECTIONS = 8
JSON = "application/json"

# As the service runs, wherever it was started: scripts/dev, the unit of systemd, the image.
TUNABLES = {"GLIBC_TUNABLES": "glibc.malloc.tcache_max=16400:glibc.malloc.tcache_count=100"}
# Dictionaries have the same order in each run.
SAME_HASHES = {"SWIFT_DETERMINISTIC_HASHING": "1"}

# Each case is counted so often, and its least count taken: timers, and answers of Postgres that arrive one by one, only add.
PARTS = 8

# What is measured: a name, a request, and how many times each connection sends it in a part.
CASES = [
    ("GET one", "GET", "/campaigns/1", b"", 25),
    ("list of 100", "GET", "/campaigns/", b"", 3),
    ("POST", "POST", "/campaigns/", b'{"name":"Spring sale","description":"20 % off"}', 6),
    ("PATCH", "PATCH", "/campaigns/1", b'{"name":"Summer sale"}', 6),
]


def record(kind, content):
    """A FastCGI record of request 1."""
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def request(method, target, body):
    """A request as nginx sends it on a kept connection."""
    params = {
        "REQUEST_METHOD": method, "REQUEST_URI": target, "REQUEST_SCHEME": "http",
        **({"CONTENT_TYPE": JSON, "CONTENT_LENGTH": str(len(body))} if body else {}),
        "HTTP_HOST": "localhost:5051", "HTTP_USER_AGENT": "curl/8.5.0", "HTTP_ACCEPT": "*/*",
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


def send(worker, connections, message, times, is_warming_up=False):
    """Has each connection send a request so many times. The worker is stopped meanwhile: it finds all of them in one turn of its loop,
    however busy the machine is."""
    for _ in range(times):
        worker.send_signal(signal.SIGSTOP)
        for connection in connections:
            connection.sendall(message)
        worker.send_signal(signal.SIGCONT)
        for connection in connections:
            status = read_response(connection)
            if not status.startswith("2") and not is_warming_up:
                sys.exit(f"a request was answered {status}")


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


def prepare(cluster):
    """Starts a cluster that ends with this process, fills a database, and gives the variables that it is found by."""
    host = output(ROOT / "scripts/cluster", "start", cluster, "--watch", os.getpid()).strip()
    variables = {
        "POSTGRES_HOST": host, "POSTGRES_PORT": "5432", "POSTGRES_USER": "postgres", "POSTGRES_PASSWORD": "", "POSTGRES_DB": "aktify"}
    psql = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", host, "-U", "postgres"]
    output(*psql, "-c", "CREATE DATABASE aktify")
    output(ROOT / ".build/release/aktify", "db", "upgrade", cwd=ROOT, env=os.environ | variables)
    rows = "INSERT INTO campaign (name, description) SELECT 'Campaign ' || n, 'A description' FROM generate_series(1, 100) n"
    output(*psql, "-d", "aktify", "-c", rows)
    return variables


def total(path):
    for line in path.read_text().splitlines():
        if line.startswith("totals: "):
            return int(line.split()[1])
    sys.exit(f"there are no totals in {path}")


def measure(directory, variables):
    path, counted, log = directory / "worker.socket", directory / "counts", directory / "worker.log"
    worker = start(
        "valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={counted}",
        ROOT / ".build/release/aktify", "worker", "--listen", f"unix:{path}", "--loops", "1", env=variables | TUNABLES | SAME_HASHES, log=log)

    def control(*words):
        output("callgrind_control", *words, worker.pid)

    counts = {}
    try:
        connections = started(worker, path, log)
        dumps = itertools.count(1)
        for name, method, target, body, times in CASES:
            message = request(method, target, body)
            send(worker, connections, message, 20, is_warming_up=True)
            parts = []
            for _ in range(PARTS):
                control("--instr=on")
                send(worker, connections, message, times)
                control("--instr=off")
                control("--dump")
                parts.append(total(directory / f"counts.{next(dumps)}"))
            counts[name] = round(min(parts) / times / CONNECTIONS)
    finally:
        worker.kill()
        worker.wait()
    return counts


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
        try:
            counts = measure(directory, prepare(directory / "cluster"))
        finally:
            output(ROOT / "scripts/cluster", "stop", directory / "cluster")
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
