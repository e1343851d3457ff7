"""Prints the positional layouts of the released SGLang package and writes golden bytes made by it.

The package's own io_struct module is imported. What it pulls in beyond message definitions (torch, model code) is
replaced by empty stand-ins, because no field used here needs it.

    wire_layout.py --layouts            every position of every message used
    wire_layout.py --golden FILE        lines of: name, form (tuple or ext), hex
"""

import argparse
import enum
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
import typing
from array import array

os.environ["SGLANG_USE_PICKLE_IPC"] = "0"

import msgspec  # noqa: E402

# "org": the standard library probes for Jython with it.
REAL_TOP_LEVEL = {"sglang", "msgspec", "numpy", "zmq", "pydantic", "org"}
LAYOUTS = """SamplingParams TokenizedGenerateReqInput TokenizedEmbeddingReqInput BatchTokenizedGenerateReqInput
BatchTokenIDOutput BatchStrOutput AbortReq HealthCheckOutput FlushCacheReqInput FlushCacheReqOutput
GetInternalStateReq GetInternalStateReqOutput ShutdownReq""".split()


class StandIn(types.ModuleType):
    """A module whose every attribute is a class that does nothing."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {
            "__module__": self.__name__,
            "__init__": lambda self, *args, **kwargs: None,
            "__class_getitem__": classmethod(lambda cls, item: cls),
            "__call__": lambda self, *args, **kwargs: args[0] if args else None,
        })
        setattr(self, name, made)
        return made


class MissingModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds a stand-in for every module outside those that are really needed."""

    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in REAL_TOP_LEVEL:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return StandIn(spec.name)

    def exec_module(self, module):
        module.__path__ = []


class Modality(enum.IntEnum):
    IMAGE = 1
    VIDEO = 2
    AUDIO = 3


class Opaque(msgspec.Struct):
    """Type of fields that are always nil here."""


def load_io_struct():
    sys.meta_path.append(MissingModules())
    root = importlib.util.find_spec("sglang").submodule_search_locations[0]

    def package(name):
        module = StandIn(name)
        module.__path__ = [os.path.join(root, *name.split(".")[1:])]
        sys.modules[name] = module

    def stand_in(name, **attributes):
        module = StandIn(name)
        module.__path__ = []
        module.__dict__.update(attributes)
        sys.modules[name] = module

    for name in ("", ".srt", ".srt.utils", ".srt.managers", ".srt.sampling", ".srt.beam_search"):
        package("sglang" + name)
    stand_in(
        "sglang.srt.managers.schedule_batch",
        Modality=Modality,
        MultimodalProcessorOutput=Opaque,
        ReturnHiddenStatesMode=typing.Union[bool, str],
        SamplingLogprobsMode=typing.Literal["support", "selected"],
        get_return_hidden_states_mode=lambda mode: mode,
    )
    stand_in("sglang.srt.managers.embed_types", PositionalEmbeds=Opaque)
    stand_in("sglang.srt.multimodal")
    stand_in("sglang.srt.multimodal.mm_utils")
    stand_in("sglang.srt.lora")
    stand_in("sglang.srt.lora.lora_registry", LoRARef=Opaque)
    stand_in("sglang.srt.utils.cuda_ipc_transport_utils")
    return importlib.import_module("sglang.srt.managers.io_struct")


class GetLoadReqInput(msgspec.Struct, tag=True, array_like=True, kw_only=True):
    """As upstream had it until January 2026."""

    rid: typing.Optional[str] = None
    http_worker_ipc: typing.Optional[str] = None


class GetLoadReqOutput(msgspec.Struct, tag=True, array_like=True, kw_only=True):
    """As in upstream's pull request 11469."""

    rid: typing.Optional[str] = None
    http_worker_ipc: typing.Optional[str] = None
    dp_rank: int
    num_reqs: int
    num_waiting_reqs: int
    num_tokens: int
    ts_tic: float


class WatchLoadUpdateReq(msgspec.Struct, tag=True, array_like=True, kw_only=True):
    """As in upstream's pull request 11469."""

    rid: typing.Optional[str] = None
    http_worker_ipc: typing.Optional[str] = None
    loads: typing.List[GetLoadReqOutput]


def messages(io):
    """Name and message; the Java test builds the same messages by these names."""
    sampling = importlib.import_module("sglang.srt.sampling.sampling_params").SamplingParams
    # The constructor checks and rewrites; the fields are set as the tokenizer manager leaves them.
    params = sampling(max_new_tokens=8)
    for field, value in {
        "stop_strs": ["\n\n", "é"], "stop_regex_strs": [], "stop_str_max_len": 2, "stop_token_ids": {7},
        "temperature": 0.5, "top_p": 0.9, "top_k": 40, "min_new_tokens": 3, "ignore_eos": True,
        "stream_interval": 4, "sampling_seed": 99, "is_normalized": True,
    }.items():
        setattr(params, field, value)
    ids = array("q", [1, 2, 100000])
    request = io.TokenizedGenerateReqInput(
        rid="r1", http_worker_ipc="tcp://127.0.0.1:30234", input_text="hi", input_ids=ids, input_embeds=None,
        mm_inputs=None, token_type_ids=None, sampling_params=params, return_logprob=False, logprob_start_len=-1,
        top_logprobs_num=0, token_ids_logprob=None, stream=True, bootstrap_host="h", bootstrap_port=8998,
        bootstrap_room=1 << 40, routed_dp_rank=3, disagg_prefill_dp_rank=1, routing_key="k", priority=2, extra_key="x")
    reasons = [None, {"type": "length", "length": 8}, {"type": "stop", "matched": 100257},
               {"type": "abort", "message": "Aborted", "status_code": None, "err_type": None}]
    n = len(reasons)
    rids = [f"r{i}" for i in range(n)]
    none = {name: None for name in """input_token_logprobs_val input_token_logprobs_idx output_token_logprobs_val
        output_token_logprobs_idx input_top_logprobs_val input_top_logprobs_idx output_top_logprobs_val
        output_top_logprobs_idx input_token_ids_logprobs_val input_token_ids_logprobs_idx output_token_ids_logprobs_val
        output_token_ids_logprobs_idx output_token_entropy_val output_token_sampling_mask output_hidden_states
        routed_experts indexer_topk placeholder_tokens_idx placeholder_tokens_val""".split()}
    lists = [array("q", [9, 300 + i]) for i in range(n)]
    common = dict(
        rids=rids, http_worker_ipcs=["tcp://127.0.0.1:1"] * n, finished_reasons=reasons, output_ids=lists,
        prompt_tokens=[3] * n, reasoning_tokens=[0] * n, completion_tokens=[2] * n, cached_tokens=[1] * n,
        retraction_counts=[0, 1, 0, 0], dp_ranks=[2] * n, **none)
    return {
        "TokenizedGenerateReqInput": request,
        "BatchTokenizedGenerateReqInput": io.BatchTokenizedGenerateReqInput(batch=[request]),
        "BatchTokenIDOutput": io.BatchTokenIDOutput(
            decoded_texts=[""] * n, decode_ids=lists, read_offsets=[1] * n, skip_special_tokens=[True] * n,
            spaces_between_special_tokens=[True] * n, no_stop_trim=[False] * n, **common),
        "BatchStrOutput": io.BatchStrOutput(output_strs=["a", "é", "你", "🙂"], **common),
        "AbortReq": io.AbortReq(rid="r1"),
        "AbortReq.all": io.AbortReq(abort_all=True),
        "AbortReq.answer": io.AbortReq(rid="r1", finished_reason=reasons[3], abort_message="Abort in waiting queue"),
        "HealthCheckOutput": io.HealthCheckOutput(rid="HEALTH_CHECK_1"),
        "FlushCacheReqInput": io.FlushCacheReqInput(timeout_s=0.5),
        "FlushCacheReqOutput": io.FlushCacheReqOutput(success=True, message="m"),
        "GetInternalStateReq": io.GetInternalStateReq(),
        "GetInternalStateReqOutput": io.GetInternalStateReqOutput(internal_state={"a": 1, "b": [1.5, None, True]}),
        "ShutdownReq": io.ShutdownReq(),
        "GetLoadReqInput": GetLoadReqInput(),
        "GetLoadReqOutput": GetLoadReqOutput(dp_rank=2, num_reqs=25, num_waiting_reqs=1, num_tokens=17075, ts_tic=1.5),
        "WatchLoadUpdateReq": WatchLoadUpdateReq(loads=[
            GetLoadReqOutput(dp_rank=2, num_reqs=25, num_waiting_reqs=1, num_tokens=17075, ts_tic=1.5)]),
    }


def tuple_form(value):
    """Arrays as (typecode, bytes), the form that every release since June 2026 reads."""
    if isinstance(value, array):
        return value.typecode, value.tobytes()
    raise TypeError(type(value))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--layouts", action="store_true")
    arguments.add_argument("--golden", metavar="FILE")
    options = arguments.parse_args()
    io = load_io_struct()
    if options.layouts:
        for name in LAYOUTS:
            struct = getattr(io, name)
            tagged = 1 if struct.__struct_config__.tag else 0
            fields = msgspec.structs.fields(struct)
            print(f"{name}: {len(fields) + tagged} elements")
            for index, field in enumerate(fields, start=tagged):
                print(f"  {index} {field.encode_name}{'  (required)' if field.required else ''}")
    if options.golden:
        lines = []
        for name, message in messages(io).items():
            tuples = msgspec.msgpack.encode(message, enc_hook=tuple_form)
            lines.append(f"{name} tuple {tuples.hex()}")
            if name in LAYOUTS or "." in name:
                own = io.msgpack_encode(message)
                # The tuple form must mean the same to SGLang's own decoder.
                assert io.msgpack_encode(io.msgpack_decode(tuples)) == own, name
                if own != tuples:
                    lines.append(f"{name} ext {own.hex()}")
        with open(options.golden, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
