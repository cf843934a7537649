"""This machine: its tools, and what its processes use."""
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
# What of the user's environment reaches the processes that are started: any other variable could change what is measured.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
PACKAGES = {"gcc": "gcc", "wrk": "wrk", "nginx": "nginx-light", "psql": "postgresql", "strip": "binutils", "pg_config": "libpq-dev",
    "setpriv": "util-linux"}


def fail(sentence):
    sys.exit(f"bench: {sentence}")


def clear_environment():
    for name in set(os.environ).difference(INHERITED):
        del os.environ[name]
    os.environ["PATH"] += ":/usr/sbin"


def need_tools():
    for tool, package in PACKAGES.items():
        if not shutil.which(tool):
            fail(f"{tool} is not installed: apt-get install {package}")
    if not (ROOT / ".build/release/aktify").exists():
        fail("there is no .build/release/aktify: make build")


def output(*words, **options):
    """What a command prints; the benchmark ends when it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    if done.returncode != 0:
        fail(f"{words[0]} failed: {(done.stderr.strip() or 'it says nothing').splitlines()[-1]}")
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- What runs

def _fields(pid):
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def processes():
    """The parent and the used microseconds of each process."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = _fields(name)
        except OSError:
            continue
        found[int(name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) * TICK
    return found


def tree(pid, all_processes=None):
    """A process and all that it has started."""
    children = {}
    for child, (parent, _) in (all_processes or processes()).items():
        children.setdefault(parent, []).append(child)
    found, rest = [], [pid]
    while rest:
        found.append(rest.pop())
        rest += children.get(found[-1], [])
    return found


def used(roots):
    """The microseconds of CPU that each tree of processes has used."""
    now = processes()
    return [{pid: now[pid][1] for pid in tree(root, now) if pid in now} for root in roots]


def spent(before, after):
    """The microseconds between two `used`; a process that is new counts from its start."""
    return [sum(time - old.get(pid, 0) for pid, time in new.items()) for old, new in zip(before, after)]


def machine_time():
    """The microseconds of CPU that the machine had so far, and those that were used, by a hypervisor's other guests too."""
    with open("/proc/stat") as file:
        times = [int(ticks) * TICK for ticks in file.readline().split()[1:9]]
    return sum(times), sum(times) - times[3] - times[4]


def generators_time():
    """The microseconds that commands have used which have ended."""
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
    """The resident set of a tree's largest process, and the proportional set of all of them, in KiB; and how many they are."""
    pids = tree(root)
    return max(kibibytes(pid, "status", "VmRSS") for pid in pids), sum(kibibytes(pid, "smaps_rollup", "Pss") for pid in pids), len(pids)


# --- Starting and stopping

_started = []


def start(*words, env=None, cwd=ROOT, log):
    """Starts a process that ends with the benchmark, even when that is killed. Ctrl-C does not reach it."""
    with open(log, "ab") as file:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *map(str, words)], env={**os.environ, **(env or {})}, cwd=cwd, stdin=subprocess.DEVNULL,
            stdout=file, stderr=file, start_new_session=True)
    _started.append(process)
    return process


def _births(pids):
    """When each process was started: an id is used again."""
    births = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            births[pid] = _fields(pid)[19]
    return births


def stop(process):
    """Stops a process, and what it has left."""
    births = _births(tree(process.pid))
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        print(f"bench: {process.args[3]} does not stop, and is killed", file=sys.stderr)
    for pid, birth in births.items():
        with contextlib.suppress(OSError):
            if _births([pid]).get(pid) == birth:
                os.kill(pid, signal.SIGKILL)
    process.wait()
    _started.remove(process)


def stop_all():
    """Stops what still runs, the latest first."""
    for process in list(reversed(_started)):
        stop(process)


def end_with_signals():
    """Has Ctrl-C, TERM and HUP end the benchmark, and no further signal interrupt the end."""
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
