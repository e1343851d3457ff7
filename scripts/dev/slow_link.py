"""A network cable that is slow: two TAP devices, and every frame of one leaves the other some time later.

Usage: slow_link.py NAME NAME DELAY_MS

Makes both devices in the network namespace it runs in, says READY, and copies frames, in order, until it is ended; the devices
go with it. Either may be moved to another namespace. For kernels without netem.
"""

import collections
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP_NO_PI = 0x0002 | 0x1000

# Without offloading a frame is never longer than this.
MAX_FRAME = 65536


def open_tap(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP_NO_PI))
    return fd


def write(fd, frame):
    try:
        os.write(fd, frame)
    except OSError:
        pass  # the other end is down: a cable does not keep what it cannot hand over


def main():
    one, other = open_tap(sys.argv[1]), open_tap(sys.argv[2])
    delay = float(sys.argv[3]) / 1000
    peer = {one: other, other: one}
    under_way = collections.deque()  # time, where to, frame; the delay is one for all, so they are in order
    print("READY", flush=True)
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select([one, other], [], [], wait)
        for fd in ready:
            try:
                frame = os.read(fd, MAX_FRAME)
            except OSError:
                time.sleep(0.001)  # down or not yet up
                continue
            under_way.append((time.monotonic() + delay, peer[fd], frame))
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, to, frame = under_way.popleft()
            write(to, frame)


main()
