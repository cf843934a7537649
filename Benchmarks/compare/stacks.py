"""The stacks that are compared: how each is built, started and described."""
import dataclasses
import os
import pathlib
import shutil
import sys

from machine import ROOT, memory, output, start, stop

CORES = os.cpu_count()
# Where Debian installs the sources of Go libraries.
GO_LIBRARIES = pathlib.Path(os.environ.get("BENCH_GOPATH", "/usr/share/gocode"))
HERE = ROOT / "Benchmarks"
TOOLS = os.path.dirname(sys.executable)
# The number of threads or processes of blocking stacks: as many as wrk has connections.
THREADS = 32
# The number of connections to Postgres: of the API per worker, of the reference per event loop for writes, of Go per core.
CONNECTIONS = 8


@dataclasses.dataclass
class Stack:
    """An implementation of the routes. `command` returns the command line and the environment variables that start it."""

    name: str
    about: str
    passes: str
    # The maximum number of connections to Postgres.
    connections: int
    socket: object
    command: object
    parameters: dict = dataclasses.field(default_factory=dict)
    binary: object = None
    process: object = None

    def start(self, cluster, log, database="aktify", loops=CORES):
        arguments, variables = self.command(cluster, database, loops)
        self.process = start(*arguments, env=variables, log=log)

    def stop(self):
        if self.process:
            stop(self.process)
            self.process = None

    def memory(self):
        return memory(self.process.pid)

    def stripped_bytes(self):
        """The size of the executable without debug information; None for a stack that has none of its own."""
        if not self.binary:
            return None
        copy = self.socket.with_suffix(".stripped")
        output("strip", "-o", copy, self.binary)
        return copy.stat().st_size


def api(directory):
    def command(cluster, database, loops):
        arguments = [
            ROOT / ".build/release/aktify", "serve", "--workers", loops, "--listen", f"unix:{directory}/api.sock",
            "--status-listen", f"unix:{directory}/status.sock"]
        # The same as in scripts/dev.
        tunables = {"GLIBC_TUNABLES": "glibc.malloc.tcache_max=16400:glibc.malloc.tcache_count=100"}
        return arguments, cluster.environment(database) | tunables | {"POSTGRES_CONNECTIONS": str(CONNECTIONS)}

    about = f"the API behind the bare nginx, {CORES} workers"
    return Stack("api*", about, "fastcgi-loops", CORES * CONNECTIONS, directory / "api.sock", command, binary=ROOT / ".build/release/aktify")


def build(directory):
    """Builds the reference and the open-loop load generator."""
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
        arguments = [
            f"{TOOLS}/gunicorn", "--workers", 2 * loops + 1, "--bind", f"unix:{socket}", "--log-level", "warning",
            "--no-control-socket", "--pythonpath", HERE / "stacks", "flask_app:app"]
        return arguments, {"SQLALCHEMY_URL": cluster.url("postgresql+psycopg2", database), "PYTHONDONTWRITEBYTECODE": "1"}

    workers = 2 * CORES + 1
    return Stack("flask", f"Flask, SQLAlchemy, psycopg2, gunicorn with {workers} workers: the stack of the original API", "http", workers, socket, command)


def fastapi(directory):
    socket = directory / "fastapi.sock"

    def command(cluster, database, loops):
        arguments = [
            f"{TOOLS}/uvicorn", "--workers", loops, "--uds", socket, "--log-level", "warning", "--no-access-log",
            "--app-dir", HERE / "stacks", "fastapi_app:app"]
        return arguments, {"ASYNCPG_URL": cluster.url("postgresql", database), "PYTHONDONTWRITEBYTECODE": "1"}

    # Each worker has an asyncpg pool of ten connections.
    return Stack("fastapi", f"FastAPI, asyncpg, uvicorn with {CORES} workers", "http", 10 * CORES, socket, command)


# --- Stacks whose programs may not be installed: each function returns a Stack, or the reason why there is none.

def php(directory):
    program = found("php-fpm*")
    if not program:
        return "php-fpm is not installed"
    if "pdo_pgsql" not in output(program, "-m"):
        return f"{program.name} has no pdo_pgsql"
    socket, config = directory / "php.sock", directory / "php-fpm.conf"

    def command(cluster, database, loops):
        # As root, the socket must be accessible to nginx, and php-fpm must be allowed explicitly to run as root.
        owner = "user = root\n" if os.getuid() == 0 else ""
        config.write_text(
            f"[global]\nerror_log = {directory}/php.log\n[bench]\n{owner}listen = {socket}\npm = static\npm.max_children = {THREADS}\n"
            "clear_env = no\n")
        arguments = [program, "--nodaemonize", "--fpm-config", config, *(["--allow-to-run-as-root"] if owner else [])]
        return arguments, {"PDO_DSN": f"pgsql:host={cluster.host};dbname={database}"}

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
    """The first program on PATH whose name matches a pattern."""
    for folder in os.environ["PATH"].split(":"):
        for program in sorted(pathlib.Path(folder).glob(pattern)):
            return program
    return None


def all_stacks(directory):
    """The stacks that can run on this machine, and the reasons why others cannot."""
    build(directory)
    loops, documented = f"a reference in C: {CORES} event loops, pipelined statements", "a reference in C: libfcgi's documented loop"
    # One for reads, and those for writes.
    connections = CORES * (1 + CONNECTIONS)
    stacks = [
        api(directory),
        reference(directory, "onesync", f"{loops}, one sync per loop iteration", "fastcgi-loops", connections),
        reference(directory, "pipelined", f"{loops}, one sync per statement", "fastcgi-loops", connections),
        reference(directory, "documented", f"{documented}, {THREADS} blocking threads", "fastcgi-threads", THREADS, threads=THREADS),
    ]
    optional = {"go": go(directory), "php": php(directory)}
    stacks += [stack for stack in optional.values() if isinstance(stack, Stack)]
    stacks += [fastapi(directory), flask(directory)]
    return stacks, {name: why for name, why in optional.items() if isinstance(why, str)}
