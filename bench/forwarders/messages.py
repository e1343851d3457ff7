"""The messages of the measurement, by the positions in docs/protocol.md: as Python structs for forwarder.py, and as the files
that load.c sends.

    messages.py FOLDER WORKER_PORT
"""

import os
import pickle
import struct
import sys
from array import array
from typing import Any, Dict, List, Optional, Union

import msgspec

RANKS = 8
PROMPTS = (500, 4000, 100_000)

# load.c fills these in.
DIGITS = "##########"
STAMP = struct.unpack(">d", bytes.fromhex("7ff8deadbeefcafe"))[0]
WORKER_INCARNATION = 1_700_000_000_000

Text = Optional[str]
Number = Optional[int]


def _struct(name, fields, tag=False):
    return msgspec.defstruct(name, fields, array_like=True, tag=name if tag else None, kw_only=True)


class TimeStats:
    """Times of a request, as its sender has them; pickled on the wire."""

    def __init__(self, metrics=False):
        self.disagg_mode = "null"
        self.enable_metrics = metrics
        self.trace_ctx = None
        self.diff_realtime_monotonic = 0.0

    def __getstate__(self):
        return dict(self.__dict__)


class PickleWrapper(msgspec.Struct, array_like=True, tag=True):
    data: bytes


SamplingParams = _struct("SamplingParams", [
    ("max_new_tokens", Number, 128), ("stop", Union[str, List[str], None], None), ("stop_token_ids", Optional[List[int]], None),
    ("stop_regex", Union[str, List[str], None], None), ("temperature", float, 1.0), ("top_p", float, 1.0),
    ("top_k", int, 1 << 30), ("min_p", float, 0.0), ("frequency_penalty", float, 0.0), ("presence_penalty", float, 0.0),
    ("repetition_penalty", float, 1.0), ("min_new_tokens", int, 0), ("n", int, 1), ("beam_width", Any, None),
    ("json_schema", Text, None), ("regex", Text, None), ("ebnf", Text, None), ("structural_tag", Text, None),
    ("ignore_eos", bool, False), ("skip_special_tokens", bool, True), ("spaces_between_special_tokens", bool, True),
    ("no_stop_trim", bool, False), ("stream_interval", Number, None), ("logit_bias", Optional[Dict[str, float]], None),
    ("sampling_seed", Number, None), ("custom_params", Optional[Dict[str, Any]], None), ("custom_params_hash", Any, None),
    ("stop_strs", Union[str, List[str], None], []), ("stop_regex_strs", Union[str, List[str], None], []),
    ("stop_str_max_len", int, 0), ("stop_regex_max_len", int, 0), ("is_normalized", bool, True),
    ("ebnf_full_assistant", bool, False)])

_OPEN = object  # positions that this project names none of: anything, mostly nil

TokenizedGenerateReqInput = _struct("TokenizedGenerateReqInput", [
    ("rid", Text, None), ("http_worker_ipc", Text, None), ("input_text", Text, None), ("input_ids", Optional[array], None),
    ("input_embeds", Optional[List[List[float]]], None), ("mm_inputs", Any, None), ("token_type_ids", Optional[List[int]], None),
    ("sampling_params", SamplingParams), ("return_logprob", bool, False), ("logprob_start_len", int, -1),
    ("top_logprobs_num", int, 0), ("token_ids_logprob", Optional[List[int]], None), ("stream", bool, True),
    ("p14", bool, False), ("p15", bool, False), ("p16", Any, False), ("p17", bool, False), ("p18", int, 0), ("p19", bool, False),
    ("p20", Text, None), ("p21", Any, None), ("p22", Text, None), ("p23", Text, None), ("p24", Any, None),
    ("bootstrap_host", Text, None), ("bootstrap_port", Number, None), ("bootstrap_room", Number, None), ("p28", Text, None),
    ("p29", Number, None), ("routed_dp_rank", Number, None), ("disagg_prefill_dp_rank", Number, None),
    ("routing_key", Text, None), ("p33", bool, False), ("priority", Number, None), ("extra_key", Text, None),
    ("p36", bool, False), ("p37", bool, False), ("p38", bool, False), ("p39", Any, None), ("p40", Any, None), ("p41", Any, None),
    ("p42", Optional[List[int]], None), ("p43", Any, None), ("time_stats", Optional[PickleWrapper], None), ("p45", Text, None),
    ("p46", Any, None), ("p47", Any, None), ("sampling_logprobs_mode", Text, "selected"), ("p49", Any, None)], tag=True)

GetLoadReqOutput = _struct("GetLoadReqOutput", [
    ("rid", Text, None), ("http_worker_ipc", Text, None), ("dp_rank", int), ("num_reqs", int), ("num_waiting_reqs", int),
    ("num_tokens", int), ("ts_tic", float)], tag=True)

WatchLoadUpdateReq = _struct("WatchLoadUpdateReq", [
    ("rid", Text, None), ("http_worker_ipc", Text, None), ("loads", List[GetLoadReqOutput])], tag=True)


def enc_hook(value):
    """Token ids as the typecode and the machine's bytes."""
    if isinstance(value, array):
        return (value.typecode, value.tobytes())
    raise NotImplementedError(type(value))


def dec_hook(kind, value):
    if kind is array:
        ids = array(value[0])
        ids.frombytes(value[1])
        return ids
    raise NotImplementedError(kind)


def encoder():
    return msgspec.msgpack.Encoder(enc_hook=enc_hook)


def decoder():
    return msgspec.msgpack.Decoder(Union[TokenizedGenerateReqInput, WatchLoadUpdateReq, PickleWrapper], dec_hook=dec_hook)


def _request(encode, tokens, typecode, worker):
    rid = f"bench-{DIGITS}\x1f{WORKER_INCARNATION}.{DIGITS}.0"
    request = TokenizedGenerateReqInput(
        rid=rid, http_worker_ipc=worker, input_ids=array(typecode, range(tokens)), sampling_params=SamplingParams(),
        time_stats=PickleWrapper(pickle.dumps(TimeStats())))
    return rid, encode(request)


def _with_dispatch_time(frame):
    """One more element, as Java peers have it: ["DpserveExt", {5: 0.0}]."""
    assert frame[0] == 0xDC
    length = int.from_bytes(frame[1:3], "big") + 1
    return b"\xdc" + length.to_bytes(2, "big") + frame[3:] + b"\x92\xaaDpserveExt\x81\x05\xcb" + bytes(8)


def write_files(folder, worker_port, hello, int32=False):
    """What load.c sends; with hello the stream is that of a Java tokenizer worker, int32 in its own form of requests."""
    encode = encoder().encode
    worker = f"tcp://127.0.0.1:{worker_port}"
    os.makedirs(folder, exist_ok=True)

    def write(name, data):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)

    for tokens in PROMPTS:
        rid, frame = _request(encode, tokens, "i" if int32 else "q", worker)
        write(f"request-{tokens}.bin", _with_dispatch_time(frame) if int32 else frame)
        write("rid.txt", f"{frame.index(rid.encode())} {len(rid)}".encode())
    for rank in range(RANKS):
        load = GetLoadReqOutput(dp_rank=rank, num_reqs=0, num_waiting_reqs=0, num_tokens=0, ts_tic=STAMP)
        write(f"report-{rank}.bin", encode(WatchLoadUpdateReq(loads=[load])))
    if hello:
        write("hello.bin", encode(["Hello", None, None, "tokenizer", 0, WORKER_INCARNATION, {"pull": worker}, 1, os.getpid(), {}, []]))
        write("ask.bin", encode(["GetRequestReq", "newest", worker, ""]))


if __name__ == "__main__":
    write_files(sys.argv[1], int(sys.argv[2]), hello=False)
