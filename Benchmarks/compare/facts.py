"""The conditions of the measurements: the machine, the versions, the commit."""
import datetime
import importlib.metadata
import os
import platform
import re
import subprocess

import front
from machine import ROOT

PYTHON_PACKAGES = ["flask", "sqlalchemy", "psycopg2-binary", "gunicorn", "fastapi", "uvicorn", "asyncpg"]


def load_average():
    return os.getloadavg()[0]


def _first(pattern, path):
    with open(path) as file:
        found = re.search(pattern, file.read(), re.MULTILINE)
    return found[1] if found else "unknown"


def _text(*arguments):
    """The output of a command; empty if it is not installed."""
    try:
        return subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


def _commit():
    # Untracked files count, because they are built too; the files that the benchmark writes do not.
    changed = _text("git", "status", "--porcelain", "--", ".", ":!Benchmarks/RESULTS.md", ":!Benchmarks/charts", ":!README.md")
    return (_text("git", "rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if changed else "")


def _version(pattern, *arguments):
    return (re.search(pattern, _text(*arguments)) or ["", "unknown"])[1]


def _versions(cluster):
    return {
        "Swift": _version(r"Swift version ([\w.-]+)", "swift", "--version"), "Postgres": cluster.sql("SHOW server_version").split()[0],
        "nginx": front.version(), "gcc": _version(r"(\S+)", "gcc", "-dumpfullversion"), "wrk": _version(r"wrk (?:debian/)?([\w.]+)", "wrk", "-v"),
        "Python": platform.python_version(),
    } | {name: importlib.metadata.version(name) for name in PYTHON_PACKAGES}


def facts(cluster, load_before):
    return {
        "date": datetime.date.today().isoformat(), "commit": _commit(), "kernel": platform.release(),
        "cpu": _first(r"^model name\s*: (.*)$", "/proc/cpuinfo"), "architecture": platform.machine(), "cores": os.cpu_count(),
        "memory": int(_first(r"^MemTotal:\s+(\d+)", "/proc/meminfo")) // 1024 // 1024, "load": load_before, "versions": _versions(cluster),
    }
