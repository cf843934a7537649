"""The machine: its tools, and the resources that its processes use."""
import contextlib
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TICK = 1e6 / os.sysconf("SC_CLK_TCK")
# The environment variables that are passed on to started processes: any other one could affect the measurements.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
PACKAGES = {"gcc": "gcc", "wrk": "wrk", "nginx": "nginx-light", "psql": "postgresql", "strip": "binutils", "pg_config": "libpq-dev",
    "setpriv": "util-linux"}


def fail(message):
    sys.exit(f"bench: {message}")


def clear_environment():
    for name in set(os.environ).difference(INHERITED):
        del os.environ[name]
    os.environ["PATH"] += ":/usr/sbin"


def need_tools():
    for tool, package in PACKAGES.items():
        if not shutil.which(tool):
            fail(f"{tool} is not installed: apt-get install {package}")
    if not (ROOT / ".build/release/aktify").exists():
        fail(".build/release/aktify does not exist: run make build")


def output(*arguments, **options):
    """Runs a command and returns its output; aborts the benchmark if it fails."""
    done = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, **options)
    if done.returncode != 0:
        fail(f"{arguments[0]} failed: {(done.stderr.strip() or 'no error message').splitlines()[-1]}")
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- Processes

def _fields(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def processes():
    """The parent and the CPU time, in microseconds, of each process."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = _fields(name)
        except OSError:
            continue
        found[int(name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) * TICK
    return found


def tree(pid, all_processes=None):
    """The ids of a process and all its descendants."""
    children = {}
    for child, (parent, _) in (all_processes or processes()).items():
        children.setdefault(parent, []).append(child)
    found, rest = [], [pid]
    while rest:
        found.append(rest.pop())
        rest += children.get(found[-1], [])
    return found


def used(roots):
    """The CPU time, in microseconds, of the processes of each tree."""
    now = processes()
    return [{pid: now[pid][1] for pid in tree(root, now) if pid in now} for root in roots]


def spent(before, after):
    """The CPU time, in microseconds, between two results of `used`; a new process counts from its start."""
    return [sum(time - old.get(pid, 0) for pid, time in new.items()) for old, new in zip(before, after)]


def machine_time():
    """The machine's total CPU time so far, in microseconds, and the busy part of it, including time stolen by other guests."""
    with open("/proc/stat") as file:
        times = [int(ticks) * TICK for ticks in file.readline().split()[1:9]]
    return sum(times), sum(times) - times[3] - times[4]


def generators_time():
    """The CPU time, in microseconds, of ended child processes: the load generators."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1e6


def kibibytes(pid, file, field):
    try:
        for line in pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def memory(root):
    """The resident set size of a tree's largest process and the proportional set size of all its processes, in KiB, and their number."""
    pids = tree(root)
    return max(kibibytes(pid, "status", "VmRSS") for pid in pids), sum(kibibytes(pid, "smaps_rollup", "Pss") for pid in pids), len(pids)


# --- Starting and stopping

_started = []


def start(*arguments, env=None, cwd=ROOT, log):
    """Starts a process that is terminated with the benchmark, even if that is killed. It does not receive Ctrl-C."""
    with open(log, "ab") as file:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *map(str, arguments)], env={**os.environ, **(env or {})}, cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=file, stderr=file, start_new_session=True)
    _started.append(process)
    return process


def _births(pids):
    """The start time of each process, since process ids are reused."""
    births = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            births[pid] = _fields(pid)[19]
    return births


def stop(process):
    """Stops a process, and kills the descendants that it leaves."""
    births = _births(tree(process.pid))
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        print(f"bench: {process.args[3]} does not stop; killing it", file=sys.stderr)
    for pid, birth in births.items():
        with contextlib.suppress(OSError):
            if _births([pid]).get(pid) == birth:
                os.kill(pid, signal.SIGKILL)
    process.wait()
    _started.remove(process)


def stop_all():
    """Stops all running processes in reverse order of their start."""
    for process in list(reversed(_started)):
        stop(process)


def end_with_signals():
    """Stops the benchmark on SIGINT, SIGTERM and SIGHUP; further signals do not interrupt the cleanup."""
    def end(number, _):
        for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(other, signal.SIG_IGN)
        print("bench: stopped", file=sys.stderr)
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def last_line(path):
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1] if lines else "its log is empty"
