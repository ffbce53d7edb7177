#!/usr/bin/env python3
"""A UDP echo service of the kernel, to compare with and to test the prober. It misbehaves when told to.

Prints {"event": "ready"} when it listens. Every option ..-every N means every Nth datagram. Standard library only.
"""

import argparse
import json
import socket


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    for fault in ("drop", "duplicate", "corrupt", "truncate", "swap"):
        parser.add_argument(f"--{fault}-every", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    service = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    service.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    service.bind((arguments.address, arguments.port))
    print(json.dumps({"event": "ready"}), flush=True)

    held = None
    count = 0
    while True:
        data, peer = service.recvfrom(65535)
        count += 1

        def due(every):
            return every > 0 and count % every == 0

        if due(arguments.drop_every):
            continue
        if due(arguments.corrupt_every):
            data = data[:-1] + bytes([data[-1] ^ 1])
        if due(arguments.truncate_every):
            data = data[:-1]
        if due(arguments.swap_every):
            held = (data, peer)  # goes out after the next one
            continue
        service.sendto(data, peer)
        if due(arguments.duplicate_every):
            service.sendto(data, peer)
        if held is not None:
            service.sendto(*held)
            held = None


if __name__ == "__main__":
    main()
