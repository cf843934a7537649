"""BENCH_SECONDS is how long a run takes, BENCH_ROUNDS how many there are of each, BENCH_ROWS the largest table. As a program, it only
checks them."""
import os

from database import ROWS
from machine import fail

DEFAULTS = {"BENCH_SECONDS": 2, "BENCH_ROUNDS": 5, "BENCH_ROWS": 1_000_000}


def number(name, least=1, most=100_000_000):
    text = os.environ.get(name, str(DEFAULTS[name]))
    if not text.isascii() or not text.isdigit() or len(text) > len(str(most)) or not least <= int(text) <= most:
        fail(f"{name}: expected a number from {least} to {most}, not {text[:40]!r}")
    return int(text)


def knobs():
    return {"BENCH_SECONDS": number("BENCH_SECONDS"), "BENCH_ROUNDS": number("BENCH_ROUNDS"), "BENCH_ROWS": number("BENCH_ROWS", least=ROWS)}


if __name__ == "__main__":
    knobs()
