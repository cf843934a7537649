"""The results as Markdown."""
import statistics

# README.md's table is between these lines.
FIRST, LAST = "<!-- written by make bench -->", "<!-- to here -->"
README_NAMES = {
    "api": "the API, as shipped",
    "onesync": "a minimal server in C: event loops, pipelined statements, one sync per loop iteration (`onesync`)",
    "pipelined": "the same, with one sync per statement (`pipelined`)", "documented": "libfcgi as documented, in C: 32 blocking threads",
    "go": "Go, net/http, lib/pq", "php": "PHP, php-fpm, PDO", "fastapi": "FastAPI, asyncpg, uvicorn",
    "flask": "the original's Flask, SQLAlchemy, gunicorn",
}
# The column titles of scenarios in the summary, where they differ from the scenario's name.
TITLES = {"GET one": "GET one campaign"}

HEAD = """# Speed

`make bench` measures the API beside other implementations of the same routes, and writes this file. The load generator, nginx, the stacks
and one Postgres run on one machine. Before measuring, it checks that all stacks return the same responses. `api` is the API as shipped, with
its own nginx; `api*` is the same workers behind the minimal nginx of all other stacks, which only passes requests on. The references in C do
the minimum of work: the same statements and the same JSON, without checks, limits, logs, ETags or timeouts. `onesync` and `pipelined` read
and write FastCGI records themselves; `documented` uses libfcgi, with one thread for each connection of nginx. All keep nginx's connections
open, and the event loops have as many connections for writes as the API.
Runs of {seconds} s are interleaved in random order (seed {seed}): {rounds} rounds, and {fewer} where a parameter is varied. Tables contain
medians; a ratio is computed for each round, with its minimum and maximum in parentheses. wrk keeps 32 connections busy unless another number
is given. CPU is the CPU time that the kernel has counted for the processes of the worker, Postgres and nginx. A commit is on disk before it is
acknowledged. The table has 1,000 rows unless another number is given, and the rows that POST adds during a run.
"""


def table(head, rows, texts=1):
    """A table. The first `texts` columns are left-aligned, the others, which are numbers, right-aligned."""
    lines = [head, ["---"] * texts + ["---:"] * (len(head) - texts)] + rows
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def ratio(one, other):
    """The ratio of the rates of two stacks, over all rounds."""
    if one is other:
        return ""
    each = [first / second for first, second in zip(one["rates"], other["rates"]) if second]
    return spread(each) if each else "-"


def spread(each):
    """The median and, of several values, the minimum and maximum."""
    middle = f"{statistics.median(each):.2f}"
    return middle if len(each) == 1 else f"{middle} ({min(each):.2f}..{max(each):.2f})"


def cpu(result):
    return [f"{time:.1f}" for time in (*result["cpu"], sum(result["cpu"]))]


def write(found, path):
    sections = [
        _head(found["facts"]), _summary(found), _machine(found["facts"]), _stacks(found["facts"], found["stacks"]), _compared(found["compared"]),
        _latencies(found["latencies"]), _alone(found["alone"]), _connections(found["connections"]), _workers(found["workers"]),
        _rows(found["rows"]), _descriptions(found["descriptions"]), _notes(found["facts"]),
    ]
    path.write_text("\n".join(sections))


def _head(facts):
    return HEAD.format(seed=facts["seed"], seconds=facts["seconds"], rounds=facts["rounds"], fewer=max(1, facts["rounds"] // 2))


def _summary(found, names=None):
    """The table of the most important figures: of the stacks in `names`, with these titles, or of all stacks."""
    rows = []
    for name, title in (names or {name: f"`{name}`" for name in found["compared"]["GET one"]}).items():
        rates = [f"{results[name]['rate']:,.0f}" for results in found["compared"].values()]
        used = f"{sum(found['compared']['GET one'][name]['cpu']):,.0f}"
        memory = found["stacks"]["api*" if name == "api" else name]["pss"]
        rows.append([title, *rates, used, f"{found['latencies']['GET one'][name]['p99'] / 1000:.1f}", f"{memory / 1024:.0f}"])
    kinds = [f"{TITLES.get(scenario, scenario)}/s" for scenario in found["compared"]]
    return table(["", *kinds, "CPU per GET, us", "p99 at half load, ms", "memory, MiB"], rows)


def write_summary(found, path):
    """Replaces the table in README.md."""
    before, rest = path.read_text().split(FIRST)
    after = rest.split(LAST)[1]
    names = {name: title for name, title in README_NAMES.items() if name in found["compared"]["GET one"]}
    path.write_text(
        f"{before}{FIRST}\nOn {found['facts']['cores']} cores, which also generate the load, with each commit synced to the disk:\n\n"
        f"{_summary(found, names)}{LAST}{after}")


def _machine(facts):
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"Measured on {facts['date']} at commit {facts['commit']}, in {facts['took']} s, on {facts['cores']} cores ({facts['cpu']},\n"
        f"{facts['architecture']}) with {facts['memory']} GiB and Linux {facts['kernel']}; the load average before was {facts['load']:.1f}.\n"
        f"During the runs, other processes used {facts['others']:.0%} of the machine's CPU time.\n"
        f"{versions}.\n")


def _stacks(facts, stacks):
    rows = []
    for name, result in stacks.items():
        size = f"{result['binary'] / 1e6:.2f}" if result["binary"] else "-"
        rows.append([
            f"`{name}`", facts["about"][name], result["same"], facts["connections"][name], result["processes"],
            f"{result['rss'] / 1024:.1f}", f"{result['pss'] / 1024:.1f}", f"{result['start']:.0f}", size])
    head = ["", "what it is", "same", "connections", "processes", "RSS, MiB", "all, MiB", "start, ms", "size, MB"]
    return (
        "## Stacks\n\n" + table(head, rows, texts=3) +
        "\nsame: whether responses equal the API's byte for byte, or as JSON. connections: maximum number of connections to Postgres.\n"
        "RSS: resident set of the largest process after load. all: proportional set size of all processes of the stack. start: time to the\n"
        "first response. size: the program without debug information.\n")


def _compared(compared):
    text = "## Throughput and CPU\n\n![Requests per second by stack](charts/throughput.svg)\n\n![CPU per request by stack](charts/cpu.svg)\n"
    for scenario, results in compared.items():
        rows = [
            [f"`{name}`", f"{result['rate']:,.0f}", ratio(results["api"], result), ratio(results["api*"], result), *cpu(result)]
            for name, result in results.items()]
        head = ["", "requests/s", "`api` / it", "`api*` / it", "worker, us", "Postgres, us", "nginx, us", "sum, us"]
        text += f"\n### {scenario}\n\n" + table(head, rows)
    return text


def _latencies(latencies):
    text = (
        "## Latency\n\nMeasured in an open loop, which sends requests at random times, at half of the rate above, regardless of earlier requests. A\n"
        "latency is measured from the time at which the request was due. A request without a successful response counts as if its response\n"
        "had arrived at the end of the run. The parentheses after p99 contain its minimum and maximum over the rounds.\n\n"
        "![Latency by stack](charts/latency.svg)\n")
    for scenario, results in latencies.items():
        rows = [
            [f"`{name}`", f"{result['rate']:,.0f}", *(f"{result[part] / 1000:.2f}" for part in ("p50", "p90")),
             spread([time / 1000 for time in result["p99s"]])]
            for name, result in results.items()]
        text += f"\n### {scenario}\n\n" + table(["", "requests/s", "p50, ms", "p90, ms", "p99, ms"], rows)
    return text


def _alone(alone):
    rows = [[name, f"{result['rate']:,.0f}", *cpu(result)] for name, result in alone.items()]
    about = (
        "PATCH changes 20,000 campaigns one after the other, so that no change waits for the previous one of the same campaign; the others\n"
        "use the 1,000.\n\n")
    return "## Other requests, `api`\n\n" + about + table(["", "requests/s", "worker, us", "Postgres, us", "nginx, us", "sum, us"], rows)


def _by(results):
    """The rates: a row for each stack, a column for each count."""
    counts = list(results)
    rows = [[f"`{name}`", *(f"{results[count][name]['rate']:,.0f}" for count in counts)] for name in results[counts[0]]]
    return rows, [f"{int(count):,}" for count in counts]


def _connections(results):
    rows, counts = _by(results)
    return "## By connections\n\nGET one, requests per second.\n\n![By connections](charts/connections.svg)\n\n" + table(["connections", *counts], rows)


def _pairs(results, what):
    """The API and the reference side by side, for each count."""
    rows = []
    for count, pair in results.items():
        rows.append([
            f"{int(count):,}", *(f"{pair[name]['rate']:,.0f}" for name in ("api*", "onesync")), ratio(pair["api*"], pair["onesync"]),
            f"{pair['api*']['cpu'][0]:.1f}", f"{pair['onesync']['cpu'][0]:.1f}"])
    return table([what, "`api*`, requests/s", "`onesync`", "`api*` / `onesync`", "worker of `api*`, us", "of `onesync`, us"], rows)


def _kinds(results, what):
    kinds = list(next(iter(results.values())))
    return "\n".join(f"### {kind}\n\n" + _pairs({count: by_kind[kind] for count, by_kind in results.items()}, what) for kind in kinds)


def _workers(results):
    return "## By workers\n\nThe number is that of the API's workers, or of the reference's event loops.\n\n" + _kinds(results, "workers")


def _rows(results):
    text = "## By rows\n\nGET one requests 1,000 campaigns that are evenly distributed over the table.\n\n![By rows](charts/rows.svg)\n\n"
    return text + _kinds(results, "rows")


def _descriptions(results):
    return "## By length of the description\n\nGET one.\n\n" + _pairs(results, "bytes")


def _notes(facts):
    notes = [f"`{name}` was not measured: {why}." for name, why in facts["absent"].items()] + facts["notes"]
    return "## Notes\n\n" + ("".join(f"- {note}\n" for note in notes) or "None.\n")
