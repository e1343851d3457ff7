"""Prints the positional layouts of the released SGLang package and writes golden bytes made by it.

    wire_layout.py --layouts            every position of every message used
    wire_layout.py --golden FILE        lines of: name, form (tuple or ext), hex
"""

import argparse
import importlib
import os
import sys
from array import array

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../interop"))
from released import GetLoadReqInput, GetLoadReqOutput, WatchLoadUpdateReq, load_io_struct, tuple_form  # noqa: E402

import msgspec  # noqa: E402

LAYOUTS = """SamplingParams TokenizedGenerateReqInput TokenizedEmbeddingReqInput BatchTokenizedGenerateReqInput
BatchTokenIDOutput BatchStrOutput AbortReq HealthCheckOutput FlushCacheReqInput FlushCacheReqOutput
GetInternalStateReq GetInternalStateReqOutput ShutdownReq""".split()


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
