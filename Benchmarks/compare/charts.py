"""Draws the charts as SVG."""
import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import FuncFormatter, NullLocator

OURS, OTHERS = "#2563a8", "#a9b4c0"
PARTS = {"worker": "#2563a8", "Postgres": "#e0a458", "nginx": "#b8c4d0"}
LINES = {
    "api": "#2563a8", "api*": "#7fb2e5", "onesync": "#2f8f6b", "pipelined": "#9bbf6a", "documented": "#c9a227", "go": "#4aa3a2",
    "php": "#9a5b8f", "fastapi": "#c7794a", "flask": "#6b7280",
}

pyplot.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": "#8a94a0", "axes.titlesize": 11, "axes.titlelocation": "left", "axes.axisbelow": True, "grid.color": "#e6eaee",
    "xtick.color": "#4a5560", "ytick.color": "#4a5560", "text.color": "#202830", "axes.labelcolor": "#4a5560", "legend.frameon": False,
})


def draw(found, folder):
    _throughput(found["compared"], folder / "throughput.svg")
    _cpu(found["compared"]["GET one"], folder / "cpu.svg")
    _connections(found["connections"], folder / "connections.svg")
    _latency(found["latencies"]["GET one"], folder / "latency.svg")
    _rows(found["rows"], folder / "rows.svg")


def _save(figure, path):
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    # matplotlib writes trailing spaces: they are removed.
    path.write_text("".join(line.rstrip() + "\n" for line in path.read_text().splitlines()))


def _bars(axes, names):
    axes.invert_yaxis()
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.margins(x=0.16)


def _throughput(compared, path):
    figure, panels = pyplot.subplots(1, len(compared), figsize=(10, 3.2))
    for axes, (scenario, results) in zip(panels, compared.items()):
        names = list(results)
        rates = [results[name]["rate"] for name in names]
        bars = axes.barh(range(len(names)), rates, color=[OURS if name.startswith("api") else OTHERS for name in names], height=0.7)
        axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates], padding=4, fontsize=9)
        _bars(axes, names)
        axes.xaxis.set_major_locator(NullLocator())
        axes.spines["bottom"].set_visible(False)
        axes.set_title(f"{scenario}, requests per second")
    _save(figure, path)


def _cpu(results, path):
    """CPU time per request. A bar that is much longer than the references' is cut off, and labelled with its length."""
    figure, axes = pyplot.subplots(figsize=(8, 3.2))
    names, left = list(results), [0] * len(results)
    totals = [sum(results[name]["cpu"]) for name in names]
    last = 2.5 * max(sum(results[name]["cpu"]) for name in ("api", "api*", "documented"))
    for position, (part, colour) in enumerate(PARTS.items()):
        times = [results[name]["cpu"][position] for name in names]
        axes.barh(range(len(names)), times, left=left, color=colour, height=0.7, label=part)
        left = [before + time for before, time in zip(left, times)]
    for position, total in enumerate(totals):
        _note(axes, min(total, last), position, f"{total:,.0f}" + (" →" if total > last else ""))
    _bars(axes, names)
    axes.set_xlim(0, last)
    axes.set_title("GET one: CPU time per request in microseconds (bars with an arrow are cut off)")
    axes.legend(loc="upper right")
    _save(figure, path)


def _note(axes, x, position, text):
    axes.annotate(text, (x, position), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9, annotation_clip=False)


def _lines(axes, results, scale):
    """A line for each stack, over a varied number."""
    counts = list(results)
    for name in results[counts[0]]:
        rates = [results[count][name]["rate"] for count in counts]
        axes.plot([int(count) for count in counts], rates, marker="o", markersize=4, color=LINES[name], label=name)
    axes.set_xscale("log", base=scale)
    axes.set_xticks([int(count) for count in counts], [f"{int(count):,}" for count in counts])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:,.0f}"))
    axes.set_ylim(bottom=0)
    axes.grid(axis="y")


def _connections(results, path):
    figure, axes = pyplot.subplots(figsize=(8, 4))
    _lines(axes, results, 2)
    axes.set_title("GET one: requests per second by number of connections")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def _latency(results, path):
    figure, axes = pyplot.subplots(figsize=(8, 3.2))
    names = list(results)
    for position, name in enumerate(names):
        first, last = results[name]["p50"] / 1000, results[name]["p99"] / 1000
        colour = OURS if name.startswith("api") else "#6b7682"
        axes.plot([first, last], [position, position], color=colour, linewidth=2, alpha=0.5)
        axes.plot([first], [position], "o", color=colour)
        axes.plot([last], [position], "D", color=colour, markersize=5)
        _note(axes, last, position, f"{first:.2f}, {last:.2f}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda time, _: f"{time:g} ms"))
    _bars(axes, names)
    axes.set_title("GET one at half of the maximum rate, open loop: p50 (circle) and p99 (diamond), ms")
    _save(figure, path)


def _rows(results, path):
    kinds = list(next(iter(results.values())))
    figure, panels = pyplot.subplots(1, len(kinds), figsize=(9, 3.4))
    for axes, kind in zip(panels, kinds):
        _lines(axes, {rows: by_kind[kind] for rows, by_kind in results.items()}, 10)
        axes.set_title(f"{kind}, requests per second by number of rows")
    panels[0].legend(loc="lower left")
    _save(figure, path)
