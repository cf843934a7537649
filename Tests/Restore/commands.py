"""Shared by all parts of the drill."""

import contextlib
import pathlib
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).parent.parent / "Browser")]

from stack import CHECKOUT


def run(command, seconds=90, **options):
    return subprocess.run([str(part) for part in command], cwd=CHECKOUT, timeout=seconds, text=True, stdin=subprocess.DEVNULL, **options)


def output(command, **options):
    return run(command, check=True, stdout=subprocess.PIPE, **options).stdout.strip()


def megabytes(folder):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file()) / 1e6


class Clock:
    """Prints the duration of each step."""

    def __init__(self):
        self.start = time.monotonic()

    @contextlib.contextmanager
    def step(self, name):
        start, notes = time.monotonic(), []
        yield notes
        seconds = time.monotonic() - start
        print(f"{start - self.start:6.1f} s  {name}: {seconds:.1f} s" + "".join(f", {note}" for note in notes), flush=True)


class Problems:
    def __init__(self):
        self.count = 0

    def check(self, holds, problem):
        if not holds:
            self.count += 1
            print(f"✘ {problem}", flush=True)
        return holds
