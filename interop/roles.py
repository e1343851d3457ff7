"""Two roles in plain Python: SGLang's message definitions over pyzmq, none of its processes.

    roles.py scheduler --dp-rank R --input TCP --detokenizer TCP --tokenizer TCP --replies FILE

The scheduler stands in for an engine: it replays output ids that were recorded, by prompt, and answers control calls
as SGLang's does. TokenizerSide is the other end, for the tests in pairs.py.
"""

import argparse
import json
import sys
from array import array

import released
import zmq

io = released.load_io_struct()
TOKENS_A_BATCH = 5
SURROUNDING = 5

# A prompt that the scheduler takes and never answers.
UNANSWERED = "Nobody knows"


def socket(kind, endpoint, bind):
    made = zmq.Context.instance().socket(kind)
    made.setsockopt(zmq.LINGER, 1000)
    (made.bind if bind else made.connect)(endpoint)
    return made


def unused(kind):
    """None for each required field of a message that carries no such thing."""
    fields = released.msgspec.structs.fields(kind)
    return {f.encode_name: None for f in fields if f.required}


class Scheduler:
    """One rank: every request is answered token by token, in batches of several requests as they come."""

    def __init__(self, options):
        with open(options.replies, encoding="utf-8") as file:
            self.replies = {tuple(ids): out for ids, out in json.load(file)}
        self.rank = options.dp_rank
        self.input = socket(zmq.PULL, options.input, bind=False)
        self.detokenizer = socket(zmq.PUSH, options.detokenizer, bind=False)
        self.tokenizer = socket(zmq.PUSH, options.tokenizer, bind=False)
        self.running = {}

    def run(self):
        print("READY scheduler", flush=True)
        while True:
            while self.input.poll(0 if self.running else None):
                self.take(io.sock_recv(self.input))
            self.step()

    def take(self, message):
        if isinstance(message, io.TokenizedGenerateReqInput):
            prompt = list(message.input_ids)
            limit = message.sampling_params.max_new_tokens
            health = message.rid.startswith("HEALTH_CHECK")
            reply = [0] if health else self.replies[tuple(prompt)]
            if reply is not None:
                self.running[message.rid] = (prompt, reply[:limit], 0)
        elif isinstance(message, io.AbortReq):
            for rid in [r for r in self.running if message.abort_all or r.startswith(message.rid)]:
                prompt, out, sent = self.running[rid]
                self.emit({rid: (prompt, out, sent, sent, {"type": "abort", "message": "Aborted", "status_code": None,
                                                           "err_type": None})})
                del self.running[rid]
        elif isinstance(message, io.FlushCacheReqInput):
            io.sock_send(self.tokenizer, io.FlushCacheReqOutput(success=True))
        elif isinstance(message, io.GetInternalStateReq):
            io.sock_send(self.tokenizer, io.GetInternalStateReqOutput(internal_state={"python": True}))
        else:
            sys.exit(f"unexpected {type(message).__name__}")

    def step(self):
        batch = {}
        for rid, (prompt, out, sent) in list(self.running.items())[:8]:
            until = min(len(out), sent + TOKENS_A_BATCH)
            finished = {"type": "length", "length": len(out)} if until == len(out) else None
            batch[rid] = (prompt, out, sent, until, finished)
            if finished:
                del self.running[rid]
            else:
                self.running[rid] = (prompt, out, until)
        self.emit(batch)

    def emit(self, batch):
        n = len(batch)
        if n == 0:
            return
        first = [p[-SURROUNDING:] if sent == 0 else [] for p, _, sent, _, _ in batch.values()]
        new = [out[sent:until] for _, out, sent, until, _ in batch.values()]
        io.sock_send(self.detokenizer, io.BatchTokenIDOutput(**{
            **unused(io.BatchTokenIDOutput),
            "rids": list(batch), "http_worker_ipcs": [None] * n,
            "finished_reasons": [finished for *_, finished in batch.values()],
            "decoded_texts": [""] * n,
            "decode_ids": [array("q", before + ids) for before, ids in zip(first, new)],
            "read_offsets": [len(before) for before in first],
            "output_ids": [array("q", ids) for ids in new],
            "skip_special_tokens": [True] * n, "spaces_between_special_tokens": [True] * n, "no_stop_trim": [False] * n,
            "prompt_tokens": [len(prompt) for prompt, *_ in batch.values()],
            "completion_tokens": [until for _, _, _, until, _ in batch.values()],
            "reasoning_tokens": [0] * n, "cached_tokens": [0] * n, "retraction_counts": [0] * n,
            "dp_ranks": [self.rank] * n,
        }))


class TokenizerSide:
    """What SGLang's tokenizer manager binds, and its two ways of sending."""

    def __init__(self, at):
        self.input = socket(zmq.PULL, at.tokenizer, bind=True)
        self.stream = socket(zmq.PUSH, at.stream, bind=True)

    def close(self):
        self.input.close()
        self.stream.close()

    def send(self, message):
        io.sock_send(self.stream, message)

    def receive(self, timeout_s=20):
        if not self.input.poll(timeout_s * 1000):
            sys.exit("FAILED no message within 20 s")
        return io.sock_recv(self.input)

    def request(self, rid, ids, tokens, **fields):
        params = sys.modules["sglang.srt.sampling.sampling_params"].SamplingParams(
            max_new_tokens=tokens, temperature=0, ignore_eos=True)
        params.stop_strs, params.stop_regex_strs, params.is_normalized = [], [], True
        return io.TokenizedGenerateReqInput(**{
            **unused(io.TokenizedGenerateReqInput), "rid": rid, "input_text": "", "input_ids": array("q", ids),
            "sampling_params": params, "return_logprob": False, "logprob_start_len": -1, "top_logprobs_num": 0,
            "stream": True, **fields})


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("role", choices=["scheduler"])
    arguments.add_argument("--dp-rank", type=int, required=True)
    for name in ("input", "detokenizer", "tokenizer", "replies"):
        arguments.add_argument(f"--{name}", required=True)
    Scheduler(arguments.parse_args()).run()


if __name__ == "__main__":
    main()
