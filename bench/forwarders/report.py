"""The table of scripts/bench-controller.sh, and which targets it meets: from runs.jsonl, the best run of each figure.

A target's ratio is that of the best figures of two forwarders; beside it stands that of each round. The controller and the bare JeroMQ
forwarder, which are closest to each other, are compared by the windows in which they ran side by side, and the median of the rounds counts: on a machine
that others use the same forwarder differs by a third from one quarter of an hour to another.

    report.py RUNS JSON
"""

import json
import statistics
import sys

TITLES = {"python": "Python, SGLang's newest design", "c": "C on libzmq, bytes only", "jeromq": "bare JeroMQ",
          "dpserve": "dpserve's controller", "dpserve-int32": "the same, int32 ids as between Java peers"}

# Not a forwarder: what two of them cost side by side.
BESIDE = "beside"

# A load generator that needs this much of a core may be what limits the rate.
BOUND_BY_LOAD = 0.9


def value(run, path):
    for key in path:
        run = run.get(key) if run else None
    return run


def best(runs, *path, most=False):
    found = [v for v in (value(r, path) for r in runs) if v is not None]
    return (max if most else min)(found) if found else None


def figures(runs):
    f = {}
    for load in ("500", "4000", "100000", "reports"):
        f[load] = {"us": best(runs, load, "us", "process"), "main_us": best(runs, load, "us", "main"),
                   "reader_us": best(runs, load, "us", "reader"), "io_us": best(runs, load, "us", "io"),
                   "gc_us": best(runs, load, "us", "gc"), "rate": best(runs, load, "rate", most=True),
                   "rss_mib": best(runs, load, "rss_mib"),
                   "bound_by_load": all(value(r, (load, "load_cpu")) > BOUND_BY_LOAD for r in runs)}
    f["first"] = {"us": best(runs, "first", "us_with_start"), "forwarded_by_2_s": best(runs, "first", "forwarded_by_2_s", most=True),
                  "listening_after_s": best(runs, "first", "listening_after_s")}
    f["latency"] = {k: best(runs, "latency", k) for k in ("rate", "p50_us", "p99_us")}
    f["latency"]["us"] = best(runs, "latency", "us", "process")
    f["overload"] = {k: best(runs, "overload", k) for k in ("offered", "age_p50_ms", "age_p99_ms", "rss_mib", "behind_s")}
    f["overload"]["rate"] = best(runs, "overload", "rate", most=True)
    f["overload_endpoint"] = {k: best(runs, "overload_endpoint", k) for k in ("age_p50_ms", "age_p99_ms", "rss_mib", "behind_s", "reports_per_s", "report_late_p99_ms")}
    f["idle_rss_mib"] = best(runs, "idle_rss_mib")
    f["lost"] = sum(value(r, (p, "lost")) or 0 for r in runs for p in ("first", "500", "4000", "100000", "reports", "latency", "overload"))
    f["runs"] = len(runs)
    return f


def cost(f):
    if f["us"] is None:
        return ""
    parts = [f"{f['main_us']:.1f}"] + [f"{f[k]:.1f}" for k in ("reader_us",) if f[k] is not None] + [f"{f['io_us']:.1f}"]
    return f"{f['us']:.1f} ({' + '.join(parts)}), {f['rate'] / 1000:,.{0 if f['rate'] > 1e4 else 1}f}k{'*' if f['bound_by_load'] else ''}"


def age(f):
    return "" if f["age_p99_ms"] is None else f"{f['age_p50_ms']:,.1f} / {f['age_p99_ms']:,.1f}"


def table(all_figures):
    rows = [["forwarder", "500 tokens", "4,000 tokens", "100,000 tokens", "500, 6 reports each", "first 2 s: µs, requests", "p50 / p99 µs",
             "age of load p50 / p99 ms", "MiB idle / busy"]]
    for name, f in all_figures.items():
        own_way = f["overload_endpoint"]["age_p99_ms"] is not None
        rows.append([
            TITLES[name], cost(f["500"]), cost(f["4000"]), cost(f["100000"]), cost(f["reports"]),
            f"{f['first']['us']:.1f}, {f['first']['forwarded_by_2_s'] / 1000:,.0f}k",
            f"{f['latency']['p50_us']:,.0f} / {f['latency']['p99_us']:,.0f}",
            age(f["overload"]) + (f"; {age(f['overload_endpoint'])}" if own_way else ""),
            f"{f['idle_rss_mib']:.0f} / {max(f[k]['rss_mib'] for k in ('500', '4000', '100000', 'reports')):.0f}"])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0])] + lines[1:])


def ratios(by_name, above, below, *path):
    """Of each round in which both ran."""
    pairs = ((value(a, path), value(b, path)) for a, b in zip(by_name.get(above, []), by_name.get(below, [])))
    return [a / b for a, b in pairs if a is not None and b]


def beside(runs):
    """The controller's cost over the bare forwarder's, by load: of each round the ratio of their medians."""
    found = {}
    for run in runs:
        for load in ("500", "4000", "100000", "reports"):
            found.setdefault(load, []).append(run[load]["dpserve"] / run[load]["jeromq"])
    return found


def targets(by_name, all_figures):
    """What, the value that counts, the most it may be, and the ratio of each round."""
    def ratio(what, limit, above, below, figure, path):
        if above in all_figures and below in all_figures:
            found = value(all_figures[above], figure) / value(all_figures[below], figure)
            yield what, found, limit, ratios(by_name, above, below, *path)

    own = all_figures.get("dpserve")
    if not own:
        return
    for load, limit in (("500", 0.35), ("4000", 0.65)):
        yield from ratio(f"process at {load} tokens / Python", limit, "dpserve", "python", (load, "us"), (load, "us", "process"))
    yield from ratio("first 2 s, µs / Python", 1.0, "dpserve", "python", ("first", "us"), ("first", "us_with_start"))
    forwarded = ("first", "forwarded_by_2_s")
    yield from ratio("first 2 s, Python's requests / own", 1.0, "python", "dpserve", forwarded, forwarded)
    for load, rounds in beside(by_name.get(BESIDE, [])).items():
        yield f"process, {load} / bare JeroMQ, side by side", statistics.median(rounds), 1.25, rounds
    for load, limit in (("500", 6.0), ("4000", 12.0)):
        yield f"main and reader thread at {load} tokens, µs", own[load]["main_us"] + own[load]["reader_us"], limit, []
    yield from ratio("latency p50 / C", 1.5, "dpserve", "c", ("latency", "p50_us"), ("latency", "p50_us"))
    yield "age of load p99, ms, reports in the request stream", own["overload"]["age_p99_ms"], 5.0, []
    yield "age of load p99, ms, reports as workers send them", own["overload_endpoint"]["age_p99_ms"], 5.0, []


def main():
    by_name = {}
    with open(sys.argv[1], encoding="utf-8") as file:
        for line in file:
            run = json.loads(line)
            by_name.setdefault(run["name"], []).append(run)
    all_figures = {name: figures(runs) for name, runs in by_name.items() if name != BESIDE}
    checks = [{"what": w, "value": v, "limit": l, "met": v is not None and v <= l, "rounds": r}
              for w, v, l, r in targets(by_name, all_figures)]
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump({"figures": all_figures, "targets": checks}, file, indent=1)
    print("µs of CPU for each request: whole process (main + reader + I/O threads), requests a second at saturation")
    print(table(all_figures))
    rate = next(iter(all_figures.values()))["latency"]["rate"]
    print(f"Latency at {rate:,.0f} requests a second. * the load generator used over 0.9 of a core: more might be possible.")
    for c in checks:
        rounds = f", rounds {', '.join(f'{v:.2f}' for v in c['rounds'])}" if c["rounds"] else ""
        print(f"{'met   ' if c['met'] else 'MISSED'} {c['what']}: {c['value']:.2f} (at most {c['limit']}{rounds})")
    lost = {n: f["lost"] for n, f in all_figures.items() if f["lost"]}
    if lost:
        print("LOST requests:", lost)


main()
