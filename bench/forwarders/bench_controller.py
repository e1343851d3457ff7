"""Measures the controller beside three other forwarders; called by scripts/bench-controller.sh, which see.

A run is one process of a forwarder from its start: the first two seconds, a warm-up, saturation with short and long prompts
and with reports in the queue, latency at a fixed rate, overload. Forwarders take turns. At the end of a round the controller and the
bare JeroMQ forwarder run side by side. Every run is kept in FOLDER/runs.jsonl; report.py makes the table of it.
"""

import argparse
import array
import atexit
import json
import os
import signal
import statistics
import subprocess
import sys
import time

import messages
import msgspec

# Requests under way at saturation: enough to keep every queue filled, few enough to fit in memory caches as in the sockets.
WINDOW = {500: 1000, 4000: 250, 100_000: 16}
LIFE_S = 2.0
SETTLE_S = 1.5
REPORTS = 6
OVERLOAD = 2.0

# Side by side: so many windows of each, in turn; long enough for some hundred thousand requests, short enough that both see the
# same minute of a machine that others use too, where one program's cost differs by half from one quarter of an hour to the next.
WINDOWS = 16
WINDOW_S = 0.5
WINDOW_SETTLE_S = 0.15
PORTS = messages.RANKS + 3


class Run:
    """One forwarder and the load generator on it."""

    def __init__(self, options, name, folder, port):
        self.name = name
        self.folder = folder
        self.answers_from = 0
        self.ages_file = os.path.join(folder, "ages.bin")
        for file in ("ages.bin", "answers.bin", "hello.bin", "ask.bin"):
            if os.path.exists(os.path.join(folder, file)):
                os.remove(os.path.join(folder, file))
        own = name.startswith("dpserve")
        messages.write_files(folder, port + 1, hello=own, int32=name.endswith("int32"))
        endpoint = "tcp://127.0.0.1:{}".format
        ranks = [port + 2 + r for r in range(messages.RANKS)]
        command = {
            "dpserve": options.controller + ["--input", endpoint(port), "--load-balance-method", "total_tokens",
                                             "--controller-endpoint", endpoint(port + 2 + messages.RANKS),
                                             "--worker-endpoints", ",".join(map(endpoint, ranks))],
            "python": [sys.executable, os.path.join(options.sources, "forwarder.py"), endpoint(port),
                       ",".join(map(endpoint, ranks)), self.ages_file],
            "c": [options.forwarder, endpoint(port)] + [endpoint(p) for p in ranks],
            "jeromq": options.bare + [endpoint(port)] + [endpoint(p) for p in ranks],
        }[name.split("-")[0]]
        self.log = open(os.path.join(folder, name + ".log"), "w")
        self.started_ns = time.monotonic_ns()
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT)
        atexit.register(self.process.kill)
        self.load = subprocess.Popen(
            [options.load, str(self.process.pid), folder, str(port), str(port + 1)] + list(map(str, ranks + [ranks[-1] + 1])),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        atexit.register(self.load.kill)
        connected = json.loads(self.line())
        if self.process.poll() is not None:
            raise SystemExit(f"error: {name} ended; see {self.log.name}")
        self.connected_ns = connected["connected_ns"]
        self.idle_rss_mib = connected["rss_kib"] / 1024

    def line(self):
        line = self.load.stdout.readline()
        if not line:
            raise SystemExit(f"error: the load generator ended; see {self.log.name}")
        return line

    def phase(self, prompt, reports, mode, amount, seconds, mark_ns=0):
        self.load.stdin.write(f"{prompt} {reports} {mode} {amount} {seconds} {mark_ns}\n")
        self.load.stdin.flush()
        return json.loads(self.line())

    def saturate(self, prompt, reports, seconds):
        return self.phase(prompt, reports, "saturate", WINDOW[prompt], seconds)

    def close(self):
        self.load.stdin.close()
        self.load.wait(10)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def mark_ages(self):
        """Only what is decided from now on counts."""
        self.answers_from = os.path.getsize(os.path.join(self.folder, "answers.bin"))
        if self.name == "python":
            self.process.send_signal(signal.SIGUSR1)

    def ages(self):
        """Age of the load behind decisions: of all, or of the newest dozen a hundred times a second."""
        ages = []
        if os.path.exists(self.ages_file):
            values = array.array("d")
            with open(self.ages_file, "rb") as file:
                values.frombytes(file.read())
            ages = [v * 1e3 for v in values]
        with open(os.path.join(self.folder, "answers.bin"), "rb") as file:
            data = file.read()
        at = self.answers_from
        while at + 4 <= len(data):
            length = int.from_bytes(data[at:at + 4], "little")
            found = msgspec.msgpack.decode(data[at + 4:at + 4 + length])[4]
            at += 4 + length
            for d in found.get("decisions", []):
                for rank in d["ranks"]:
                    if rank["dp_rank"] == d["dp_rank"] and "load_age_ms" in rank:
                        ages.append(rank["load_age_ms"])
        ages.sort()
        return {"ages": len(ages), "age_p50_ms": ages[len(ages) // 2], "age_p99_ms": ages[int(len(ages) * 0.99)]} if ages else {}


def thread_kind(name):
    """What a thread does, by its name."""
    if name.startswith(("iothread", "ZMQbg")):
        return "io"
    if name.startswith("stream-"):
        return "reader"
    if name.startswith(("C1 ", "C2 ")):
        return "compiler"
    if name == "VM Thread" or name.startswith(("GC", "G1")):
        return "gc"
    if name.startswith(("reaper", "endpoint", "Signal", "Service", "Monitor", "Reference", "Finalizer", "Common-", "Sweeper",
                        "Notification", "VM Periodic")):
        return "other"
    return "main"


def costs(phase):
    """Microseconds of CPU for each request, by kind of thread."""
    by = {}
    for name, delta_ns, _ in phase["threads"]:
        kind = thread_kind(name)
        by[kind] = by.get(kind, 0.0) + delta_ns / 1e3 / max(1, phase["received"])
    by["process"] = sum(by.values())
    return by


def summary(phase):
    return {"rate": phase["received"] / phase["seconds"], "us": costs(phase), "rss_mib": phase["rss_kib"] / 1024,
            "lost": phase["lost"], "load_cpu": phase["load_cpu"], "per_rank": phase["per_rank"]}


def first_seconds(run):
    """What it forwards within two seconds of its start; what a request costs in the two seconds since it listens."""
    phase = run.phase(500, 0, "saturate", WINDOW[500], LIFE_S, run.started_ns + int(LIFE_S * 1e9))
    since_start_us = sum(t[2] for t in phase["threads"]) / 1e3 / max(1, phase["received"])
    return summary(phase) | {"listening_after_s": (run.connected_ns - run.started_ns) / 1e9,
                             "forwarded_by_2_s": max(0, phase["at_mark"]), "us_with_start": since_start_us}


def measure(options, name):
    run = Run(options, name, options.folder, options.port)
    try:
        result = {"name": name, "idle_rss_mib": run.idle_rss_mib, "first": first_seconds(run)}
        run.saturate(500, 0, options.warm_s)
        result["500"] = summary(run.saturate(500, 0, options.seconds))
        run.saturate(4000, 0, SETTLE_S)
        result["4000"] = summary(run.saturate(4000, 0, options.seconds))
        run.saturate(100_000, 0, SETTLE_S)
        result["100000"] = summary(run.saturate(100_000, 0, options.seconds))
        run.saturate(500, REPORTS, options.warm_s)
        result["reports"] = summary(run.saturate(500, REPORTS, options.seconds))
        phase = run.phase(500, 0, "rate", options.rate, options.seconds)
        result["latency"] = summary(phase) | {"p50_us": phase["p50_us"], "p99_us": phase["p99_us"]}
        offered = result["reports"]["rate"] * OVERLOAD
        result["overload"] = overload(run, REPORTS, offered, options.overload_s)
        if name.startswith("dpserve"):
            run.phase(500, -REPORTS, "rate", offered, SETTLE_S)
            result["overload_endpoint"] = overload(run, -REPORTS, offered, options.overload_s)
    finally:
        run.close()
    if name == "python":
        result["overload"] |= run.ages()
    return result


def beside(options, names):
    """CPU of a request in two forwarders that are both alive, warm, and under load in turn: by load the median of the windows."""
    runs = [Run(options, name, os.path.join(options.folder, f"beside-{name}"), options.port + i * PORTS)
            for i, name in enumerate(names)]
    result = {"name": "beside"}
    try:
        for run in runs:
            run.saturate(500, 0, options.warm_s)
        for load, prompt, reports in (("500", 500, 0), ("4000", 4000, 0), ("100000", 100_000, 0), ("reports", 500, REPORTS)):
            windows = {name: [] for name in names}
            for run in runs:
                run.saturate(prompt, reports, SETTLE_S)
            for number in range(options.windows):
                for run in runs if number % 2 == 0 else reversed(runs):
                    run.saturate(prompt, reports, WINDOW_SETTLE_S)
                    windows[run.name].append(costs(run.saturate(prompt, reports, WINDOW_S))["process"])
            result[load] = {name: statistics.median(w) for name, w in windows.items()} | {"windows": windows}
    finally:
        for run in runs:
            run.close()
    return result


def overload(run, reports, offered, seconds):
    """More than it can forward. What the generator cannot hand over waits in it, as in a tokenizer worker."""
    run.mark_ages()
    phase = run.phase(500, reports, "rate", offered, seconds)
    found = summary(phase) | {"offered": offered, "sent": phase["sent"] / phase["seconds"], "behind_s": phase["generator_behind_s"],
                              "blocked": phase["blocked"], "drain_s": phase["drain_s"],
                              "reports_per_s": phase["reports_written"] / phase["seconds"],
                              "updates_per_s": phase["updates_written"] / phase["seconds"],
                              "report_late_p99_ms": phase["report_late_p99_us"] / 1e3}
    return found if run.name == "python" else found | run.ages()


def keep(options, result):
    with open(os.path.join(options.folder, "runs.jsonl"), "a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


def main():
    parser = argparse.ArgumentParser()
    for name in ("--sources", "--folder", "--load", "--forwarder"):
        parser.add_argument(name, required=True)
    for name in ("--controller", "--bare"):
        parser.add_argument(name, required=True, type=json.loads)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--forwarders", required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--warm-s", type=float, default=8)
    parser.add_argument("--overload-s", type=float, default=5)
    parser.add_argument("--windows", type=int, default=WINDOWS)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    names = options.forwarders.split(",")
    for number in range(options.runs):
        for name in names:
            result = measure(options, name)
            print(f"run {number + 1} of {options.runs}: {name} {result['500']['rate']:,.0f}/s", file=sys.stderr, flush=True)
            keep(options, result)
        if {"dpserve", "jeromq"} <= set(names):
            result = beside(options, ["jeromq", "dpserve"])
            ratio = result["500"]["dpserve"] / result["500"]["jeromq"]
            print(f"run {number + 1} of {options.runs}: dpserve beside jeromq {ratio:.2f}", file=sys.stderr, flush=True)
            keep(options, result)


main()
