"""Starts the processes of a pair, waits until they are ready, asks them and stops them."""

import concurrent.futures
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HERE = os.path.join(ROOT, "interop")
HOST = "127.0.0.1"
# A busy machine takes minutes to import SGLang.
READY_TIMEOUT_S = 600

MAINS = {
    "tokenizer": ("tokenizer", "dpserve.tokenizer.process.TokenizerManagerMain"),
    "detokenizer": ("tokenizer", "dpserve.detokenizer.process.DetokenizerMain"),
    "controller": ("controller", "dpserve.controller.process.DataParallelControllerMain"),
    "scheduler": ("scheduler", "dpserve.scheduler.process.SchedulerMain"),
}

RANKS = 2

# A model without meaning on the CPU: what matters is that SGLang's own code runs, and always with the same result.
SGLANG_FLAGS = """--load-format dummy --device cpu --dtype float32 --attention-backend torch_native --sampling-backend pytorch
    --disable-cuda-graph --max-total-tokens 8192 --disable-overlap-schedule --random-seed 1 --skip-server-warmup""".split()

TINY_MODEL = {
    "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 4,
    "vocab_size": 100352, "n_positions": 4096, "activation_function": "gelu_new", "torch_dtype": "float32",
    "bos_token_id": 100257, "eos_token_id": 100257,
}

# From plain words to characters of several tokens, whose bytes arrive in pieces.
PROMPTS = ["Once upon a time", "The quick brown fox", "Zażółć gęślą jaźń", "数据并行", "🙂🙃", "def main():\n    return",
           "1 2 3 4 5 6 7 8 9", " ", "a" * 300, "Straße, naïve, œuvre", "How many ranks are there?", "\n\n\n"]

# Stands for the first prompt with a stop string.
STOPPED = "(stopped)"


class Endpoints:
    """Those of docs/protocol.md section 1 for an HTTP port, and one for each rank that the controller listens on."""

    def __init__(self, port):
        base = port + 234
        self.http = port
        self.tokenizer, self.detokenizer, self.stream = (f"tcp://{HOST}:{base + n}" for n in (0, 1, 4))
        self.ranks = [f"tcp://{HOST}:{port + 300 + rank}" for rank in range(RANKS)]


class Processes(contextlib.ExitStack):
    """The processes of one pair; leaving it stops them all and complains about any that ended by itself."""

    def __init__(self, folder, name, port, model):
        super().__init__()
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.at = Endpoints(port)
        self.model = model
        self.running = []

    def java(self, role, *flags, name=None):
        module, main = MAINS[role]
        class_path = f"{ROOT}/{module}/target/{module}-0.1.0-SNAPSHOT.jar:{ROOT}/{module}/target/lib/*"
        self.start(name or role, ["java", "-XX:+UseSerialGC", "-Xmx256m", "-cp", class_path, main,
                                  "--port", str(self.at.http), "--dp-size", str(RANKS), *flags])

    def java_schedulers(self, *flags):
        for rank in range(RANKS):
            self.java("scheduler", "--dp-rank", str(rank), "--time-scale", "0", *flags, name=f"scheduler-{rank}")

    def python(self, name, script, *arguments):
        self.start(name, [sys.executable, os.path.join(HERE, script), *arguments])

    def sglang(self, role, scheduler_input, *flags, dp_rank=None):
        rank = [] if dp_rank is None else ["--dp-rank", str(dp_rank)]
        self.python(f"sglang-{role}{'' if dp_rank is None else f'-{dp_rank}'}", "sglang_process.py", role, *rank,
                    "--tokenizer", self.at.tokenizer, "--detokenizer", self.at.detokenizer,
                    "--scheduler-input", scheduler_input, "--", *self.sglang_flags(RANKS), *flags)

    def sglang_flags(self, dp_size):
        # Each rank has a core of its own, as far as there are enough.
        os.environ["SGLANG_CPU_OMP_THREADS_BIND"] = "|".join(str(r % os.cpu_count()) for r in range(dp_size))
        return ["--model-path", self.model, "--host", HOST, "--port", str(self.at.http), "--dp-size", str(dp_size),
                *SGLANG_FLAGS]

    def sglang_schedulers(self):
        for rank in range(RANKS):
            self.sglang("scheduler", self.at.ranks[rank], dp_rank=rank)

    def start(self, name, command):
        log = os.path.join(self.folder, name + ".log")
        with open(log, "wb") as out:
            # A session of its own: SGLang signals its parent when it fails.
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        self.running.append((name, process, log))
        self.callback(self.stop, process)

    @staticmethod
    def stop(process):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def wait_ready(self, serves=True):
        """Until each process has said READY and, if there is an HTTP server, that one is healthy."""
        deadline = time.monotonic() + READY_TIMEOUT_S
        for name, _, log in self.running:
            while True:
                self.check_alive()
                with open(log, encoding="utf-8", errors="replace") as text:
                    if "READY" in text.read():
                        break
                if time.monotonic() > deadline:
                    sys.exit(f"FAILED {name} is not ready [log: {log}]")
                time.sleep(0.1)
        if serves:
            self.wait_for_service()

    def check_alive(self):
        for name, process, log in self.running:
            if process.poll() is not None:
                with open(log, encoding="utf-8", errors="replace") as text:
                    tail = "".join(text.readlines()[-15:])
                sys.exit(f"FAILED {name} ended with status {process.returncode} [log: {log}]\n{tail}")

    def kill(self, name):
        """Ends one process at once, and expects it to be gone from then on."""
        process = next(p for n, p, _ in self.running if n == name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.running = [entry for entry in self.running if entry[0] != name]

    def post(self, text, stream, routed_dp_rank=None, **sampling):
        params = {"temperature": 0, "max_new_tokens": 24, "ignore_eos": True, **sampling}
        body = json.dumps({"text": text, "stream": stream, "sampling_params": params,
                           "routed_dp_rank": routed_dp_rank}).encode()
        request = urllib.request.Request(f"http://{HOST}:{self.at.http}/generate", body,
                                         {"Content-Type": "application/json"})
        return urllib.request.urlopen(request, timeout=60)

    def generate(self, text, stream=False, **sampling):
        """The reply to a text: text, output ids and token counts, which must not depend on who serves."""
        with self.post(text, stream, **sampling) as answer:
            if stream:
                events = [line[6:] for line in answer.read().decode().split("\n") if line.startswith("data: ")]
                if events[-1] != "[DONE]":
                    sys.exit(f"FAILED a stream ended with {events[-1]!r}")
                reply = json.loads(events[-2])
            else:
                reply = json.load(answer)
        info = reply["meta_info"]
        return {"text": reply["text"], "output_ids": reply["output_ids"], "finish": info["finish_reason"]["type"],
                "prompt_tokens": info["prompt_tokens"], "completion_tokens": info["completion_tokens"]}

    def replies(self, stop=True):
        """All prompts, whole and streamed, some at a time; and one that a stop string ends, in its middle."""
        with concurrent.futures.ThreadPoolExecutor(4) as threads:
            whole = list(threads.map(self.generate, PROMPTS))
            streamed = list(threads.map(lambda text: self.generate(text, stream=True), PROMPTS))
        for text, one, other in zip(PROMPTS, whole, streamed):
            if one != other:
                sys.exit(f"FAILED {text!r}: whole {one}, streamed {other}")
        found = dict(zip(PROMPTS, whole))
        if stop:
            found[STOPPED] = self.generate(PROMPTS[0], stop=[whole[0]["text"][8:12]])
            if found[STOPPED]["finish"] != "stop":
                sys.exit(f"FAILED a stop string: {found[STOPPED]}")
        self.check_alive()
        return found

    def wait_for_service(self):
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            self.check_alive()
            try:
                with urllib.request.urlopen(f"http://{HOST}:{self.at.http}/health", timeout=30):
                    return
            except OSError:
                if time.monotonic() > deadline:
                    sys.exit(f"FAILED the server is not healthy [logs: {self.folder}]")
                time.sleep(0.2)


def same(name, replies, reference):
    """Ends the run unless the replies are those of the reference."""
    for text, found in replies.items():
        if found != reference[text]:
            sys.exit(f"FAILED {name}: {text!r}: {found} instead of {reference[text]}")
    print(f"  {name}: {len(replies)} prompts, all as they should be", flush=True)
