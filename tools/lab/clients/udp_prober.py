#!/usr/bin/env python3
"""Sends numbered datagrams to a UDP echo service on a fixed time grid and checks every echo bit for bit.

Prints one JSON object a line: "ready" before the first datagram, with --progress also "first", "silent" and
"answered" as they happen, and "report" at the end. SIGTERM and SIGINT end the sending early; the report still comes.
Times named ...AtMs are those of CLOCK_MONOTONIC, all other times count from "startedAtMs". Standard library only.
"""

import argparse
import array
import errno
import gc
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time

HEADER = struct.Struct("!4sIIIQ")  # magic, run, sequence number, length, send time in nanoseconds
MAGIC = b"RFSP"
MAX_UDP_PAYLOAD = 65507
MAX_DATAGRAMS = 50_000_000  # the run ends by itself here, before memory does
MAX_GAPS = 1000  # of more than these only the longest are reported
RECEIVE_BATCH = 64  # so that a flood of answers cannot delay the sending
UNANSWERED = -1


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="IPv4 address of the service")
    parser.add_argument("port", type=int)
    parser.add_argument("--interval-ms", type=float, default=1.0, help="time between datagrams (default 1)")
    parser.add_argument("--duration-ms", type=float, default=0.0, help="how long to send; 0 (default): until a signal")
    parser.add_argument("--linger-ms", type=float, default=200.0, help="how long to wait for late echoes (default 200)")
    parser.add_argument("--min-size", type=int, default=32, help="smallest payload in octets (default 32)")
    parser.add_argument("--max-size", type=int, default=512, help="largest payload in octets (default 512)")
    parser.add_argument("--silence-ms", type=float, default=0.0,
                        help='with --progress: how long without an echo is "silent" (default: 10 intervals)')
    parser.add_argument("--seed", type=int, default=1, help="of payloads and sizes (default 1)")
    parser.add_argument("--source-port", type=int, default=0, help="default: chosen by the kernel")
    parser.add_argument("--progress", action="store_true", help="report silences as they happen")
    parser.add_argument("--realtime", action="store_true", help="run before all other programs (SCHED_FIFO)")
    arguments = parser.parse_args()
    if not HEADER.size <= arguments.min_size <= arguments.max_size <= MAX_UDP_PAYLOAD:
        parser.error(f"sizes must satisfy {HEADER.size} <= min-size <= max-size <= {MAX_UDP_PAYLOAD}")
    if arguments.interval_ms <= 0:
        parser.error("interval-ms must be positive")
    return arguments


def say(event, **fields):
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def milliseconds(nanoseconds):
    return round(nanoseconds / 1e6, 4)


class Payloads:
    """Makes the datagram of a sequence number; the same one each time it is asked."""

    def __init__(self, seed, minimum, maximum):
        self.run = os.getpid() ^ (time.time_ns() & 0xFFFFFFFF)
        self.minimum = minimum
        self.spread = maximum - minimum + 1
        self.pool = random.Random(seed).randbytes(maximum + 65536)

    def datagram(self, sequence, sent_ns):
        # Multiplicative hashing (Knuth): sizes and contents vary without a pattern a stack could be tuned to.
        mixed = (sequence * 2654435761) & 0xFFFFFFFF
        length = self.minimum + (mixed >> 8) % self.spread
        start = mixed & 0xFFFF
        header = HEADER.pack(MAGIC, self.run & 0xFFFFFFFF, sequence, length, sent_ns)
        return header + self.pool[start:start + length - HEADER.size]


class Prober:
    def __init__(self, arguments):
        self.arguments = arguments
        self.payloads = Payloads(arguments.seed, arguments.min_size, arguments.max_size)
        self.interval_ns = max(1, round(arguments.interval_ms * 1e6))
        self.silence_ns = round((arguments.silence_ms or 10 * arguments.interval_ms) * 1e6)
        self.sent_ns = array.array("q")  # by sequence number
        self.round_trip_ns = array.array("q")  # by sequence number; UNANSWERED until the echo is there
        self.errors = {}
        self.unsent = 0
        self.answered = self.duplicated = self.corrupted = self.stray = self.reordered = 0
        self.highest = -1
        self.skipped = 0
        self.late_ns = 0
        self.first_ns = self.last_ns = None
        self.silence = (0, None)  # longest time between echoes, and when it began
        self.silent = False
        self.stopping = False
        self.buffer = bytearray(MAX_UDP_PAYLOAD + 1)
        self.view = memoryview(self.buffer)
        self.socket = self.open_socket()
        # A signal must end a wait at once, however long the interval is.
        self.wake_receiver, self.wake_sender = socket.socketpair()
        self.wake_sender.setblocking(False)
        self.wake_receiver.setblocking(False)
        signal.set_wakeup_fd(self.wake_sender.fileno())
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)

    def open_socket(self):
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for size, forced in ((socket.SO_RCVBUF, 33), (socket.SO_SNDBUF, 32)):  # SO_RCVBUFFORCE, SO_SNDBUFFORCE
            try:
                opened.setsockopt(socket.SOL_SOCKET, forced, 8 << 20)
            except OSError:
                opened.setsockopt(socket.SOL_SOCKET, size, 8 << 20)
        opened.bind(("0.0.0.0", self.arguments.source_port))
        # Connected: only the service can answer, and ICMP errors are reported.
        opened.connect((self.arguments.address, self.arguments.port))
        opened.setblocking(False)
        return opened

    def stop(self, _signal, _frame):
        self.stopping = True

    def count_error(self, error):
        name = errno.errorcode.get(error.errno, str(error.errno))
        self.errors[name] = self.errors.get(name, 0) + 1

    def send_one(self, now_ns):
        sequence = len(self.sent_ns)
        datagram = self.payloads.datagram(sequence, now_ns)
        self.sent_ns.append(now_ns)
        self.round_trip_ns.append(UNANSWERED)
        # The first call may report an earlier error (ICMP) instead of sending; the second one then sends.
        for _ in range(2):
            try:
                self.socket.send(datagram)
                return
            except OSError as error:
                self.count_error(error)
        self.unsent += 1

    def receive_some(self):
        for _ in range(RECEIVE_BATCH):
            try:
                length = self.socket.recv_into(self.buffer)
            except BlockingIOError:
                return
            except OSError as error:
                self.count_error(error)
                continue
            self.judge(length, time.monotonic_ns())

    def judge(self, length, now_ns):
        if length < HEADER.size:
            self.corrupted += 1
            return
        magic, run, sequence, _, sent_ns = HEADER.unpack_from(self.buffer)
        if magic == MAGIC and run != self.payloads.run & 0xFFFFFFFF:
            self.stray += 1  # of an earlier run that had the same port
            return
        if sequence >= len(self.sent_ns) or sent_ns != self.sent_ns[sequence]:
            self.corrupted += 1
            return
        if self.view[:length] != self.payloads.datagram(sequence, sent_ns):
            self.corrupted += 1
            return
        if self.round_trip_ns[sequence] != UNANSWERED:
            self.duplicated += 1
            return
        self.round_trip_ns[sequence] = now_ns - sent_ns
        self.answered += 1
        if sequence < self.highest:
            self.reordered += 1
        self.highest = max(self.highest, sequence)
        self.note_answer(sequence, now_ns)

    def note_answer(self, sequence, now_ns):
        if self.first_ns is None:
            self.first_ns = now_ns
            if self.arguments.progress:
                say("first", atMs=milliseconds(now_ns), sequence=sequence)
        else:
            self.silence = max(self.silence, (now_ns - self.last_ns, self.last_ns), key=lambda each: each[0])
            if self.silent:
                say("answered", atMs=milliseconds(now_ns), sequence=sequence,
                    silentMs=milliseconds(now_ns - self.last_ns))
        self.silent = False
        self.last_ns = now_ns

    def note_silence(self, now_ns):
        if self.silent or self.last_ns is None or now_ns - self.last_ns < self.silence_ns:
            return
        self.silent = True
        if self.arguments.progress:
            say("silent", atMs=milliseconds(now_ns), sinceAtMs=milliseconds(self.last_ns))

    def wait_until(self, moment_ns):
        timeout = max(0, moment_ns - time.monotonic_ns()) / 1e9
        readable, _, _ = select.select([self.socket, self.wake_receiver], [], [], timeout)
        if self.wake_receiver in readable:
            self.wake_receiver.recv(64)
        if self.socket in readable:
            self.receive_some()

    def run(self):
        arguments = self.arguments
        say("ready", atMs=milliseconds(time.monotonic_ns()))
        start_ns = due_ns = time.monotonic_ns()
        end_ns = start_ns + round(arguments.duration_ms * 1e6) if arguments.duration_ms > 0 else None
        while not self.stopping and len(self.sent_ns) < MAX_DATAGRAMS:
            now_ns = time.monotonic_ns()
            if end_ns is not None and now_ns >= end_ns:
                break
            if now_ns >= due_ns:
                self.late_ns = max(self.late_ns, now_ns - due_ns)
                self.send_one(now_ns)
                due_ns += self.interval_ns
                # After a stall of our own: no burst, the missed moments are left out and counted.
                missed = (time.monotonic_ns() - due_ns) // self.interval_ns
                if missed > 0:
                    self.skipped += missed
                    due_ns += missed * self.interval_ns
            self.wait_until(min(due_ns, end_ns) if end_ns is not None else due_ns)
            self.note_silence(time.monotonic_ns())
        stopped_ns = time.monotonic_ns()
        limit_ns = stopped_ns + round(arguments.linger_ms * 1e6)
        while self.answered < len(self.sent_ns) - self.unsent and time.monotonic_ns() < limit_ns:
            self.wait_until(limit_ns)
        return self.report(start_ns, stopped_ns)

    def gaps(self, start_ns, stopped_ns):
        """Stretches between the send times of consecutive answered datagrams with unanswered ones in between."""
        found = []
        last_ns, missing = start_ns, 0
        for sequence, sent_ns in enumerate(self.sent_ns):
            if self.round_trip_ns[sequence] == UNANSWERED:
                missing += 1
                continue
            if missing > 0:
                found.append((last_ns, sent_ns, missing, False))
            last_ns, missing = sent_ns, 0
        if missing > 0:
            found.append((last_ns, stopped_ns, missing, True))
        return found

    def report(self, start_ns, stopped_ns):
        sent = len(self.sent_ns) - self.unsent
        gaps = self.gaps(start_ns, stopped_ns)
        longest = sorted(gaps, key=lambda gap: gap[1] - gap[0], reverse=True)[:MAX_GAPS]
        trips = sorted(each for each in self.round_trip_ns if each != UNANSWERED)

        def relative(moment_ns):
            return None if moment_ns is None else milliseconds(moment_ns - start_ns)

        def percentile(share):
            return milliseconds(trips[min(len(trips) - 1, int(share * len(trips)))]) if trips else None

        return {
            "startedAtMs": milliseconds(start_ns),
            "durationMs": milliseconds(stopped_ns - start_ns),
            "sent": sent,
            "unsent": self.unsent,
            "answered": self.answered,
            "lost": sent - self.answered,
            "duplicated": self.duplicated,
            "corrupted": self.corrupted,
            "stray": self.stray,
            "reordered": self.reordered,
            "errors": self.errors,
            "firstAnswerMs": relative(self.first_ns),
            "lastAnswerMs": relative(self.last_ns),
            "gapCount": len(gaps),
            "longestGapMs": milliseconds(longest[0][1] - longest[0][0]) if longest else 0,
            "gaps": [
                {"startMs": relative(begin), "ms": milliseconds(end - begin), "unanswered": missing, "open": is_open}
                for begin, end, missing, is_open in sorted(longest)
            ],
            "longestSilenceMs": milliseconds(self.silence[0]),
            "longestSilenceStartMs": relative(self.silence[1]),
            "roundTripMs": {
                "min": percentile(0), "p50": percentile(0.5), "p90": percentile(0.9),
                "p99": percentile(0.99), "max": percentile(1),
            },
            "sender": {"skipped": self.skipped, "maxLateMs": milliseconds(self.late_ns)},
        }


def main():
    arguments = parse_arguments()
    gc.disable()  # No reference cycles arise; a collection would be a pause of our own.
    if arguments.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    try:
        prober = Prober(arguments)
    except OSError as error:
        sys.exit(f"udp_prober: no socket to {arguments.address}:{arguments.port}: {error.strerror}")
    say("report", **prober.run())


if __name__ == "__main__":
    main()
