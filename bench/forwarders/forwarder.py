"""A controller in Python after SGLang's newest design (2026): every request becomes a msgspec struct and is encoded anew, loads
lie in shared memory and are read at most every 20 ms, the loop never sleeps. Loads that come as messages are taken too.

    forwarder.py INPUT_ENDPOINT RANK_ENDPOINTS AGES_FILE

At SIGTERM it writes the age in seconds of the load behind each decision since SIGUSR1, as float64, to AGES_FILE.
"""

import fcntl
import os
import pickle
import signal
import struct
import sys
import tempfile
import time
from array import array

import messages
import msgspec
import zmq

REFRESH_S = 0.02
SLOT = 16384
HEADER = 12
LENGTH = struct.Struct("<I")


class LoadFile:
    """One slot of shared memory for each rank, read under a file lock."""

    def __init__(self, ranks):
        self.file = tempfile.TemporaryFile(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.file.write(bytes(HEADER + ranks * SLOT))
        for rank in range(ranks):
            data = msgspec.msgpack.encode({"timestamp": 1.0, "dp_rank": rank, "num_running_reqs": 0, "num_waiting_reqs": 0,
                                           "num_total_tokens": 0, "max_total_num_tokens": 100000, "token_usage": 0.0})
            self.file.seek(HEADER + rank * SLOT)
            self.file.write(LENGTH.pack(len(data)) + data)
        self.file.flush()
        self.ranks = ranks
        self.decode = msgspec.msgpack.Decoder(dict).decode

    def read(self):
        fcntl.flock(self.file, fcntl.LOCK_SH)
        data = os.pread(self.file.fileno(), HEADER + self.ranks * SLOT, 0)
        fcntl.flock(self.file, fcntl.LOCK_UN)
        for rank in range(self.ranks):
            at = HEADER + rank * SLOT
            (length,) = LENGTH.unpack_from(data, at)
            yield self.decode(data[at + 4:at + 4 + length])


class Controller:
    def __init__(self, input_endpoint, endpoints):
        context = zmq.Context(1 + len(endpoints))
        self.input = self.open(context, zmq.PULL)
        self.ranks = []
        for endpoint in endpoints:
            socket = self.open(context, zmq.PUSH)
            socket.bind(endpoint)
            self.ranks.append(socket)
        self.input.connect(input_endpoint)
        self.loads = LoadFile(len(endpoints))
        self.requests = [0] * len(endpoints)
        self.tokens = [0] * len(endpoints)
        self.seen = [0.0] * len(endpoints)
        self.stamps = [0.0] * len(endpoints)
        self.refreshed = 0.0
        self.decode = messages.decoder().decode
        self.encode = messages.encoder().encode
        self.ages = array("d")
        self.handlers = {messages.TokenizedGenerateReqInput: self.dispatch, messages.WatchLoadUpdateReq: self.update}

    @staticmethod
    def open(context, kind):
        socket = context.socket(kind)
        socket.setsockopt(zmq.SNDHWM if kind == zmq.PUSH else zmq.RCVHWM, 0)
        socket.setsockopt(zmq.LINGER, 0)
        return socket

    def refresh(self):
        now = time.monotonic()
        if now - self.refreshed < REFRESH_S:
            return
        self.refreshed = now
        for rank, load in enumerate(self.loads.read()):
            if load["timestamp"] != self.seen[rank]:
                self.seen[rank] = load["timestamp"]
                self.requests[rank] = load["num_running_reqs"] + load["num_waiting_reqs"]
                self.tokens[rank] = load["num_total_tokens"]

    def update(self, message):
        for load in message.loads:
            self.requests[load.dp_rank] = load.num_reqs
            self.tokens[load.dp_rank] = load.num_tokens
            self.stamps[load.dp_rank] = load.ts_tic

    def dispatch(self, request):
        self.refresh()
        if request.time_stats is not None:
            stats = pickle.loads(request.time_stats.data)
            again = messages.TimeStats(stats.enable_metrics)
            again.__dict__.update(stats.__dict__)
            request.time_stats = messages.PickleWrapper(pickle.dumps(again))
        rank = request.routed_dp_rank
        if rank is None:
            rank = min(range(len(self.ranks)), key=lambda r: (self.tokens[r], self.requests[r]))
            self.tokens[rank] += len(request.input_ids)
            self.requests[rank] += 1
        if self.stamps[rank]:
            self.ages.append(time.monotonic() - self.stamps[rank])
        self.ranks[rank].send(self.encode(request), copy=False)

    def run(self):
        while True:
            while True:
                try:
                    frame = self.input.recv(zmq.NOBLOCK)
                except zmq.Again:
                    break
                message = self.decode(frame)
                self.handlers[type(message)](message)


def main():
    controller = Controller(sys.argv[1], sys.argv[2].split(","))

    def end(number, frame):
        with open(sys.argv[3], "wb") as file:
            controller.ages.tofile(file)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGUSR1, lambda number, frame: controller.ages.__delitem__(slice(None)))
    print("READY forwarder.py", flush=True)
    controller.run()


main()
