"""What the results depend on: the machine, the versions, the commit."""
import datetime
import importlib.metadata
import os
import platform
import re
import subprocess

import front
from machine import ROOT, output

PYTHON_PACKAGES = ["flask", "sqlalchemy", "psycopg2-binary", "gunicorn", "fastapi", "uvicorn", "asyncpg"]


def load_average():
    return os.getloadavg()[0]


def _first(pattern, path):
    with open(path) as file:
        found = re.search(pattern, file.read(), re.MULTILINE)
    return found[1] if found else "unknown"


def _commit():
    short = output("git", "rev-parse", "--short", "HEAD", cwd=ROOT).strip()
    changed = output("git", "status", "--porcelain", "--untracked-files=no", "--", ".", ":!Benchmarks/RESULTS.md", ":!Benchmarks/charts", cwd=ROOT)
    return short + (" with changes" if changed.strip() else "")


def _swift():
    """The compiler's version, when it is there."""
    try:
        text = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
    except OSError:
        return "unknown"
    return (re.search(r"Swift version ([\w.-]+)", text) or ["", "unknown"])[1]


def _versions(cluster):
    gcc = output("gcc", "-dumpfullversion").strip()
    wrk = re.search(r"wrk\s+(\S+)", subprocess.run(["wrk", "-v"], capture_output=True, text=True).stdout)
    return {
        "Swift": _swift(), "Postgres": cluster.sql("SHOW server_version").split()[0], "nginx": front.version(), "gcc": gcc,
        "wrk": wrk[1] if wrk else "unknown", "Python": platform.python_version(),
    } | {name: importlib.metadata.version(name) for name in PYTHON_PACKAGES}


def facts(cluster, load_before):
    return {
        "date": datetime.date.today().isoformat(), "commit": _commit(), "kernel": platform.release(),
        "cpu": _first(r"^model name\s*: (.*)$", "/proc/cpuinfo"), "architecture": platform.machine(), "cores": os.cpu_count(),
        "memory": int(_first(r"^MemTotal:\s+(\d+)", "/proc/meminfo")) // 1024 // 1024, "load": load_before, "versions": _versions(cluster),
    }
