"""Starts one of SGLang's own processes with its peers elsewhere, which upstream has no option for.

    sglang_process.py ROLE [--dp-rank R] --tokenizer TCP --detokenizer TCP --scheduler-input TCP[,TCP...] -- SGLANG_FLAGS

ROLE is tokenizer (with the HTTP server), detokenizer, controller or scheduler. The endpoints are SGLang's own:
--tokenizer and --detokenizer are what those processes listen on; --scheduler-input is what a scheduler connects to. For the
tokenizer it is the request stream, which it binds and a controller connects to; for the controller first that, then one
endpoint for each rank, which it binds. Whatever SGLang would start beside the role is taken to run already.

Prints "READY role" on standard output. Needs SGLANG_USE_PICKLE_IPC=0, which it sets.
"""

import argparse
import os
import sys
import threading
import uuid

os.environ["SGLANG_USE_PICKLE_IPC"] = "0"

ROLES = ("tokenizer", "detokenizer", "controller", "scheduler")

# What the processes that run elsewhere are said to hold; a tokenizer manager bounds prompts with the second.
MAX_TOTAL_NUM_TOKENS = "DPSERVE_INTEROP_MAX_TOTAL_NUM_TOKENS"
DEFAULT_TOKENS = "8192"


def elsewhere(*args, **kwargs):
    """Stands where SGLang would start a process: reports what that one would, and lives as long as its parent."""
    pipe = kwargs.get("pipe_writer") or next((a for a in args if hasattr(a, "send")), None)
    if pipe is not None:
        tokens = int(os.environ.get(MAX_TOTAL_NUM_TOKENS, DEFAULT_TOKENS))
        pipe.send({"status": "ready", "max_total_num_tokens": tokens, "max_req_input_len": tokens - 6,
                   "startup_time": {}, "scheduler_pids": []})
    from sglang.srt.utils import kill_itself_when_parent_died

    kill_itself_when_parent_died()
    threading.Event().wait()


class Ready:
    """Where SGLang tells the process that started it that it is ready."""

    def __init__(self, role):
        self.role = role

    def send(self, info):
        print(f"READY {self.role} max_total_num_tokens={info.get('max_total_num_tokens')}", flush=True)


def ports(options, inputs):
    """An endless supply of PortArgs, the first for the role itself, each next one with the next of the inputs."""
    from sglang.srt.server_args import PortArgs

    for scheduler_input in inputs:
        yield PortArgs(
            tokenizer_ipc_name=options.tokenizer,
            scheduler_input_ipc_name=scheduler_input,
            detokenizer_ipc_name=options.detokenizer,
            nccl_port=options.nccl_port,
            rpc_ipc_name=f"ipc:///tmp/{uuid.uuid4().hex}",
            metrics_ipc_name=f"ipc:///tmp/{uuid.uuid4().hex}",
            tokenizer_worker_ipc_name=None,
            decoupled_spec_ipc_config=None,
            instance_id=options.instance_id,
        )


def run(options):
    from sglang.srt.server_args import PortArgs, prepare_server_args
    from sglang.srt.utils.network import get_free_port_below_ephemeral

    options.nccl_port = get_free_port_below_ephemeral()
    server_args = prepare_server_args(options.flags)
    supply = ports(options, options.scheduler_input.split(","))
    own = next(supply)
    if options.role == "tokenizer":
        from sglang.srt.entrypoints import engine, http_server

        PortArgs.init_new = staticmethod(lambda *args, **kwargs: own)
        engine.run_data_parallel_controller_process = elsewhere
        http_server.launch_server(server_args, run_scheduler_process_func=elsewhere,
                                  run_detokenizer_process_func=elsewhere,
                                  launch_callback=lambda: print("READY tokenizer", flush=True))
        return
    server_args.resolve_once()
    if options.role == "detokenizer":
        from sglang.srt.managers.detokenizer_manager import DetokenizerManager, run_detokenizer_process

        class Announced(DetokenizerManager):
            def event_loop(self):
                print("READY detokenizer", flush=True)
                super().event_loop()

        run_detokenizer_process(server_args, own, Announced)
    elif options.role == "controller":
        from sglang.srt.managers.data_parallel_controller import run_data_parallel_controller_process

        PortArgs.init_new = staticmethod(lambda *args, **kwargs: next(supply))
        run_data_parallel_controller_process(server_args, own, Ready("controller"), elsewhere)
    else:
        from sglang.srt.managers.scheduler import run_scheduler_process

        run_scheduler_process(server_args, own, 0, 0, 0, options.dp_rank, Ready("scheduler"))


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("role", choices=ROLES)
    arguments.add_argument("--dp-rank", type=int)
    arguments.add_argument("--tokenizer", required=True)
    arguments.add_argument("--detokenizer", required=True)
    arguments.add_argument("--scheduler-input", required=True)
    arguments.add_argument("--instance-id", default=uuid.uuid4().hex[:12])
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = arguments.parse_args(sys.argv[1:split])
    options.flags = sys.argv[split + 1:]
    run(options)


if __name__ == "__main__":
    main()
