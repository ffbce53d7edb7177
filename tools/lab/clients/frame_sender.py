#!/usr/bin/env python3
"""Sends Ethernet frames exactly as given, for forged, replayed and malformed ones.

Standard input: one frame a line, as hexadecimal digits. All of them are sent in order, --times times over, with
--interval-ms between two frames. Prints {"event": "ready"} before the first and {"event": "sent", ...} at the end;
SIGTERM ends it early. Standard library only.
"""

import argparse
import errno
import json
import signal
import socket
import sys
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interface", default="eth0", help="default eth0")
    parser.add_argument("--times", type=int, default=1, help="rounds over all frames; 0: until a signal (default 1)")
    parser.add_argument("--interval-ms", type=float, default=0.0, help="time between two frames (default 0)")
    arguments = parser.parse_args()
    try:
        frames = [bytes.fromhex(line) for line in sys.stdin.read().split()]
    except ValueError as error:
        sys.exit(f"frame_sender: a frame is not hexadecimal: {error}")
    if not frames:
        sys.exit("frame_sender: no frame on standard input")

    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    signal.signal(signal.SIGINT, lambda *_: stopping.append(True))
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    try:
        raw.bind((arguments.interface, 0))
    except OSError as error:
        sys.exit(f"frame_sender: interface {arguments.interface}: {error.strerror}")

    print(json.dumps({"event": "ready"}), flush=True)
    sent, errors, rounds = 0, {}, 0
    due = time.monotonic()
    while not stopping and (arguments.times == 0 or rounds < arguments.times):
        for frame in frames:
            pause = due - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            if stopping:
                break
            try:
                raw.send(frame)
                sent += 1
            except OSError as error:
                name = errno.errorcode.get(error.errno, str(error.errno))
                errors[name] = errors.get(name, 0) + 1
            # On a grid, without a burst after a stall.
            due = max(due + arguments.interval_ms / 1e3, time.monotonic() - arguments.interval_ms / 1e3)
        rounds += 1
    print(json.dumps({"event": "sent", "sent": sent, "errors": errors}), flush=True)


if __name__ == "__main__":
    main()
