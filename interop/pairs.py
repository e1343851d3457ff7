"""Exchanges one process after the other and compares the replies with those of the topology it was taken from.

    pairs.py --model DIR [--port N] [--folder DIR] [--sglang] [--only NAME]

DIR holds the vocabulary as a Hugging Face tokenizer (tokenizer_files.py). Without --sglang the Python side is SGLang's
message definitions over pyzmq (roles.py). With it the processes are SGLang's own, on the CPU (sglang_process.py); that
needs the packages of requirements-sglang.txt.
"""

import argparse
import concurrent.futures
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request

from tokenizers import Tokenizer

import roles
from harness import HOST, PROMPTS, RANKS, TINY_MODEL, Processes, same
from roles import io

# A topology's endpoints lie within so many ports of each other, see harness.Endpoints.
PORT_STEP = 10

INT64 = ("--token-id-form", "int64")


class Pairs:
    def __init__(self, options):
        self.options = options
        vocabulary = Tokenizer.from_file(os.path.join(options.model, "tokenizer.json"))
        self.ids = {text: vocabulary.encode(text).ids for text in (*PROMPTS, roles.UNANSWERED)}

    def topology(self, name):
        # Ports of its own, so that nothing of the topology before it is met.
        self.options.port += PORT_STEP
        return Processes(self.options.folder, name, self.options.port, self.options.model)

    def java_alone(self):
        """The reference of the simulated engine."""
        with self.topology("java") as p:
            p.java("controller")
            p.java_schedulers()
            p.java("detokenizer")
            p.java("tokenizer")
            p.wait_ready()
            return p.replies()

    def python_tokenizer(self, reference):
        """Python where SGLang's tokenizer manager is; controller, schedulers and detokenizer are Java."""
        with self.topology("python-tokenizer") as p:
            side = roles.TokenizerSide(p.at)
            p.callback(side.close)
            p.java("controller", "--input", p.at.stream)
            p.java_schedulers(*INT64)
            p.java("detokenizer", *INT64)
            p.wait_ready(serves=False)
            single = {f"single-{i}": text for i, text in enumerate(PROMPTS)}
            for rid, text in single.items():
                side.send(side.request(rid, self.ids[text], 24))
            same("requests one by one", self.collect(side, single), reference)
            batch = {f"batch-{i}": text for i, text in enumerate(PROMPTS)}
            side.send(io.BatchTokenizedGenerateReqInput(
                batch=[side.request(rid, self.ids[text], 24) for rid, text in batch.items()]))
            same("a batch", self.collect(side, batch), reference)
            self.control_calls(side)
            p.check_alive()

    @staticmethod
    def collect(side, wanted):
        """The outputs for rids, put together as SGLang's tokenizer manager does."""
        found = {text: {"text": "", "output_ids": []} for text in wanted.values()}
        left = set(wanted)
        while left:
            out = side.receive()
            if not isinstance(out, io.BatchStrOutput):
                sys.exit(f"FAILED unexpected {type(out).__name__}")
            for i, rid in enumerate(out.rids):
                reply = found[wanted[rid]]
                reply["text"] += out.output_strs[i]
                reply["output_ids"] += out.output_ids[i]
                reply["prompt_tokens"] = out.prompt_tokens[i]
                reply["completion_tokens"] = out.completion_tokens[i]
                if out.finished_reasons[i]:
                    reply["finish"] = out.finished_reasons[i]["type"]
                    left.remove(rid)
        return found

    @staticmethod
    def control_calls(side):
        """Each rank answers once, with SGLang's own messages; an abort and a health check end as SGLang's do."""
        for call, answer in ((io.FlushCacheReqInput(), io.FlushCacheReqOutput),
                             (io.GetInternalStateReq(), io.GetInternalStateReqOutput)):
            side.send(call)
            for _ in range(RANKS):
                found = next(m for m in iter(side.receive, None) if getattr(m, "rids", True))
                if not isinstance(found, answer):
                    sys.exit(f"FAILED {type(call).__name__}: {type(found).__name__}")
        side.send(side.request("long", [1, 2, 3], 30000))
        side.send(io.AbortReq(rid="long"))
        side.send(side.request("HEALTH_CHECK_1", [0], 1))
        ends = {}
        while set(ends) != {"long", "HEALTH_CHECK_1"}:
            message = side.receive()
            if isinstance(message, io.BatchStrOutput):
                ends.update((rid, reason["type"]) for rid, reason in zip(message.rids, message.finished_reasons) if reason)
            else:
                ends[message.rid or "HEALTH_CHECK_1"] = "abort" if isinstance(message, io.AbortReq) else "answered"
        if ends["long"] != "abort":
            sys.exit(f"FAILED an aborted request ended by {ends['long']}")
        print("  cache flush and internal state of every rank, abort, health check")

    def python_schedulers(self, reference):
        """Python where SGLang's schedulers are; tokenizer, controller and detokenizer are Java."""
        replies = os.path.join(self.options.folder, "replies.json")
        with open(replies, "w", encoding="utf-8") as file:
            known = [[self.ids[text], reference[text]["output_ids"]] for text in PROMPTS]
            json.dump([*known, [self.ids[roles.UNANSWERED], None]], file)
        with self.topology("python-schedulers") as p:
            self.java_front(p)
            for rank, endpoint in enumerate(p.at.ranks):
                p.python(f"scheduler-{rank}", "roles.py", "scheduler", "--dp-rank", str(rank), "--input", endpoint,
                         "--detokenizer", p.at.detokenizer, "--tokenizer", p.at.tokenizer, "--replies", replies)
            p.wait_ready()
            same("requests", p.replies(stop=False), reference)
            self.http_calls(p)
            self.rank_dies(p, reference)

    @staticmethod
    def rank_dies(p, reference):
        """A request that must go to rank 0 and is not answered ends with a reason when that rank is killed."""
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            pending = thread.submit(p.generate, roles.UNANSWERED, routed_dp_rank=0)
            time.sleep(1)
            p.kill("scheduler-0")
            try:
                sys.exit(f"FAILED a dead rank answered: {pending.result()}")
            except urllib.error.HTTPError as error:
                reason = error.read().decode()
        same("requests after the death of a rank", p.replies(stop=False), reference)
        print(f"  {reason}")

    @staticmethod
    def java_front(p):
        p.java("controller", "--worker-endpoints", ",".join(p.at.ranks), "--load-balance-method", "least_requests")
        p.java("detokenizer")
        p.java("tokenizer", *INT64)

    @staticmethod
    def http_calls(p):
        """Calls that reach the ranks. None may end one, and /metrics may not wait for what they do not know."""
        began = time.monotonic()
        for path in ("/flush_cache", "/server_info", "/get_load", "/metrics", "/health_generate"):
            try:
                with urllib.request.urlopen(f"http://{HOST}:{p.at.http}{path}", timeout=30) as answer:
                    answer.read()
            except urllib.error.HTTPError as error:
                sys.exit(f"FAILED {path}: {error.code} {error.read()!r}")
        took = time.monotonic() - began
        time.sleep(0.5)
        p.check_alive()
        print(f"  flush, server info, loads, metrics, health: {took:.1f} s, every rank lives")

    @staticmethod
    def client_leaves(p):
        """The rank ends what nobody reads any more, and says so: the tokenizer forgets it."""
        with p.post(PROMPTS[0], stream=True, max_new_tokens=3000) as stream:
            stream.readline()
        deadline = time.monotonic() + 30
        held = {"requests": 1}
        while held["requests"] or held["zombies"]:
            if time.monotonic() > deadline:
                sys.exit(f"FAILED a request whose client left is still held: {held}")
            with urllib.request.urlopen(f"http://{HOST}:{p.at.http}/server_info", timeout=30) as answer:
                held = next(q for q in json.load(answer)["processes"] if q["role"] == "tokenizer")["tables"]
        print("  a client that leaves: nothing is held any more", flush=True)

    def sglang_tokenizer(self, reference):
        """SGLang's HTTP server and tokenizer manager before the Java processes."""
        with self.topology("sglang-tokenizer") as p:
            p.sglang("tokenizer", p.at.stream)
            p.java("controller", "--input", p.at.stream)
            p.java_schedulers(*INT64)
            p.java("detokenizer", *INT64)
            p.wait_ready()
            same("requests", p.replies(), reference)

    def sglang_detokenizer(self, reference):
        """SGLang's detokenizer among the Java processes."""
        with self.topology("sglang-detokenizer") as p:
            p.java("controller", "--load-report", "direct")
            p.java_schedulers("--load-report", "direct", *INT64)
            p.sglang("detokenizer", p.at.stream, "--skip-server-warmup")
            p.java("tokenizer", "--sglang-detokenizer", "--load-report", "direct")
            p.wait_ready()
            same("requests", p.replies(), reference)
            self.http_calls(p)

    def sglang_controller(self, reference):
        """SGLang's DataParallelController between Java processes."""
        with self.topology("sglang-controller") as p:
            p.java("tokenizer", "--sglang-controller", *INT64)
            p.sglang("controller", ",".join([p.at.stream, *p.at.ranks]))
            for rank, endpoint in enumerate(p.at.ranks):
                p.java("scheduler", "--dp-rank", str(rank), "--time-scale", "0", "--sglang-controller",
                       "--input-endpoint", endpoint, name=f"scheduler-{rank}")
            p.java("detokenizer")
            p.wait_ready()
            same("requests", p.replies(), reference)
            self.http_calls(p)
            self.client_leaves(p)

    def sglang_alone(self):
        """The reference of the model: SGLang's own server, nothing else."""
        with self.topology("sglang") as p:
            p.start("sglang", [sys.executable, "-m", "sglang.launch_server", *p.sglang_flags(1)])
            p.wait_for_service()
            return p.replies()

    def sglang_schedulers(self, reference):
        """SGLang's schedulers, with their model, behind the Java tokenizer, controller and detokenizer."""
        with self.topology("sglang-schedulers") as p:
            self.java_front(p)
            p.sglang_schedulers()
            p.wait_ready()
            same("requests", p.replies(), reference)
            self.http_calls(p)
            self.client_leaves(p)
            same("requests after that", p.replies(), reference)

    def java_controller(self, reference):
        """Only the controller is Java."""
        with self.topology("java-controller") as p:
            p.java("controller", "--input", p.at.stream, "--worker-endpoints", ",".join(p.at.ranks))
            p.sglang("tokenizer", p.at.stream)
            p.sglang("detokenizer", p.at.stream)
            p.sglang_schedulers()
            p.wait_ready()
            same("requests", p.replies(), reference)

    def run(self):
        groups = [(self.java_alone, [self.python_tokenizer, self.python_schedulers])]
        if self.options.sglang:
            groups = [(self.java_alone, [self.sglang_tokenizer, self.sglang_detokenizer, self.sglang_controller]),
                      (self.sglang_alone, [self.sglang_schedulers, self.java_controller])]
        for alone, pairs in groups:
            chosen = [pair for pair in pairs if self.options.only in ("", pair.__name__)]
            reference = alone() if chosen else None
            for pair in chosen:
                print(f"{pair.__doc__}", flush=True)
                pair(reference)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--model", required=True)
    arguments.add_argument("--port", type=int, default=28200)
    arguments.add_argument("--folder", default="target/interop")
    arguments.add_argument("--sglang", action="store_true")
    arguments.add_argument("--only", default="", metavar="PAIR")
    options = arguments.parse_args()
    if options.sglang:
        with open(os.path.join(options.model, "config.json"), "w", encoding="utf-8") as file:
            json.dump(TINY_MODEL, file)
    # SGLang's processes signal their parent when they fail; what that was is said by check_alive.
    signal.signal(signal.SIGQUIT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    Pairs(options).run()


if __name__ == "__main__":
    main()
