"""What is compared: how each is started, and what it is."""
import dataclasses
import os
import pathlib
import shutil
import sys

from machine import ROOT, memory, output, start, stop

CORES = os.cpu_count()
# Where Debian has the sources of Go's libraries.
GO_LIBRARIES = pathlib.Path(os.environ.get("BENCH_GOPATH", "/usr/share/gocode"))
HERE = ROOT / "Benchmarks"
TOOLS = os.path.dirname(sys.executable)
# Threads and processes that each wait for Postgres: as many as wrk has connections.
THREADS = 32
# Connections to Postgres that the API has for each worker, the loops of the reference for changes alone, and Go for each core.
CONNECTIONS = 8


@dataclasses.dataclass
class Stack:
    """A way to answer the same requests. `command` makes the words and the variables that start it."""

    name: str
    about: str
    passes: str
    # The most connections to Postgres that it has.
    connections: int
    socket: object
    command: object
    parameters: dict = dataclasses.field(default_factory=dict)
    binary: object = None
    process: object = None

    def start(self, cluster, log, database="aktify", loops=CORES):
        words, variables = self.command(cluster, database, loops)
        self.process = start(*words, env=variables, log=log)

    def stop(self):
        if self.process:
            stop(self.process)
            self.process = None

    def memory(self):
        return memory(self.process.pid)

    def stripped_bytes(self):
        """The size of the program without debug information; None for what is no program of its own."""
        if not self.binary:
            return None
        copy = self.socket.with_suffix(".stripped")
        output("strip", "-o", copy, self.binary)
        return copy.stat().st_size


def api(directory):
    def command(cluster, database, loops):
        words = [
            ROOT / ".build/release/aktify", "serve", "--workers", loops, "--listen", f"unix:{directory}/api.sock",
            "--status-listen", f"unix:{directory}/status.sock"]
        # As scripts/dev starts it.
        tunables = {"GLIBC_TUNABLES": "glibc.malloc.tcache_max=16400:glibc.malloc.tcache_count=100"}
        return words, cluster.environment(database) | tunables | {"POSTGRES_CONNECTIONS": str(CONNECTIONS)}

    about = f"the API behind the bare nginx, {CORES} workers"
    return Stack("api*", about, "fastcgi-loops", CORES * CONNECTIONS, directory / "api.sock", command, binary=ROOT / ".build/release/aktify")


def build(directory):
    """Builds the reference and the generator of an open loop."""
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall"]
    sources = sorted((HERE / "reference").glob("*.c"))
    output("gcc", *flags, f"-I{output('pg_config', '--includedir').strip()}", *sources, "-o", directory / "reference", "-lfcgi", "-lpq", "-lpthread")
    output("gcc", *flags, HERE / "load/openloop.c", "-o", directory / "openloop", "-lm")


def reference(directory, mode, about, passes, connections, threads=None):
    socket = directory / f"{mode}.sock"

    def command(cluster, database, loops):
        return [directory / "reference", mode, socket, cluster.conninfo(database), threads or loops], {}

    return Stack(mode, about, passes, connections, socket, command, binary=directory / "reference")


def flask(directory):
    socket = directory / "flask.sock"

    def command(cluster, database, loops):
        words = [
            f"{TOOLS}/gunicorn", "--workers", 2 * loops + 1, "--bind", f"unix:{socket}", "--log-level", "warning",
            "--no-control-socket", "--pythonpath", HERE / "stacks", "flask_app:app"]
        return words, {"SQLALCHEMY_URL": cluster.url("postgresql+psycopg2", database), "PYTHONDONTWRITEBYTECODE": "1"}

    workers = 2 * CORES + 1
    return Stack("flask", f"Flask, SQLAlchemy, psycopg2, gunicorn with {workers} workers: the original's stack", "http", workers, socket, command)


def fastapi(directory):
    socket = directory / "fastapi.sock"

    def command(cluster, database, loops):
        words = [
            f"{TOOLS}/uvicorn", "--workers", loops, "--uds", socket, "--log-level", "warning", "--no-access-log",
            "--app-dir", HERE / "stacks", "fastapi_app:app"]
        return words, {"ASYNCPG_URL": cluster.url("postgresql", database), "PYTHONDONTWRITEBYTECODE": "1"}

    # Of which asyncpg's pool has ten each.
    return Stack("fastapi", f"FastAPI, asyncpg, uvicorn with {CORES} workers", "http", 10 * CORES, socket, command)


# --- Stacks whose programs may not be here: each gives a Stack, or why there is none.

def php(directory):
    program = found("php-fpm*")
    if not program:
        return "php-fpm is not installed"
    if "pdo_pgsql" not in output(program, "-m"):
        return f"{program.name} has no pdo_pgsql"
    socket, config = directory / "php.sock", directory / "php-fpm.conf"

    def command(cluster, database, loops):
        # As root, nginx must be able to connect, and php-fpm wants to be told that it is meant.
        owner = "user = root\n" if os.getuid() == 0 else ""
        config.write_text(
            f"[global]\nerror_log = {directory}/php.log\n[bench]\n{owner}listen = {socket}\npm = static\npm.max_children = {THREADS}\n"
            "clear_env = no\n")
        words = [program, "--nodaemonize", "--fpm-config", config, *(["--allow-to-run-as-root"] if owner else [])]
        return words, {"PDO_DSN": f"pgsql:host={cluster.host};dbname={database}"}

    about = f"PHP, PDO, php-fpm with {THREADS} processes"
    return Stack("php", about, "fastcgi-threads", THREADS, socket, command, {"SCRIPT_FILENAME": HERE / "stacks/php_app.php"})


def go(directory):
    if not shutil.which("go"):
        return "Go is not installed"
    if not (GO_LIBRARIES / "src/github.com/lib/pq").exists():
        return "Go's lib/pq is not installed (golang-github-lib-pq-dev)"
    program, socket = directory / "go_app", directory / "go.sock"
    variables = {"GO111MODULE": "off", "GOPATH": GO_LIBRARIES, "GOCACHE": directory / "go-cache", "GOFLAGS": ""}
    output("go", "build", "-o", program, HERE / "stacks/go_app.go", env={**os.environ, **variables}, cwd=directory)

    def command(cluster, database, loops):
        return [program, socket, cluster.conninfo(database), CORES * CONNECTIONS], {"GOMAXPROCS": str(loops)}

    return Stack("go", "Go, net/http, database/sql and lib/pq", "http", CORES * CONNECTIONS, socket, command, binary=program)


def found(pattern):
    """The first program on PATH whose name is like this."""
    for folder in os.environ["PATH"].split(":"):
        for program in sorted(pathlib.Path(folder).glob(pattern)):
            return program
    return None


def all_stacks(directory):
    """The stacks that can run here, and why others cannot."""
    build(directory)
    loops, documented = f"a reference in C: {CORES} event loops, pipelined statements", "a reference in C: libfcgi's documented loop"
    # One for reads, and those for changes.
    connections = CORES * (1 + CONNECTIONS)
    stacks = [
        api(directory),
        reference(directory, "onesync", f"{loops}, a sync a turn of the loop", "fastcgi-loops", connections),
        reference(directory, "pipelined", f"{loops}, a sync a statement", "fastcgi-loops", connections),
        reference(directory, "documented", f"{documented}, {THREADS} threads that wait", "fastcgi-threads", THREADS, threads=THREADS),
    ]
    optional = {"go": go(directory), "php": php(directory)}
    stacks += [stack for stack in optional.values() if isinstance(stack, Stack)]
    stacks += [fastapi(directory), flask(directory)]
    return stacks, {name: why for name, why in optional.items() if isinstance(why, str)}
