"""The settings, environment variables: BENCH_SECONDS is the duration of a run, BENCH_ROUNDS the number of runs of each kind, BENCH_ROWS the
number of rows of the largest table. Run as a program, it only checks them."""
import os

from database import ROWS
from machine import fail

DEFAULTS = {"BENCH_SECONDS": 2, "BENCH_ROUNDS": 5, "BENCH_ROWS": 1_000_000}


def number(name, minimum=1, maximum=100_000_000):
    text = os.environ.get(name, str(DEFAULTS[name]))
    if not text.isascii() or not text.isdigit() or len(text) > len(str(maximum)) or not minimum <= int(text) <= maximum:
        fail(f"{name}: expected a number from {minimum} to {maximum}, not {text[:40]!r}")
    return int(text)


def knobs():
    return {"BENCH_SECONDS": number("BENCH_SECONDS"), "BENCH_ROUNDS": number("BENCH_ROUNDS"), "BENCH_ROWS": number("BENCH_ROWS", minimum=ROWS)}


if __name__ == "__main__":
    knobs()
