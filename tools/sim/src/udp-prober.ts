// A UDP client that checks its server: one numbered datagram at a time, every answer compared octet for octet.
import { readU32, writeU32, type Clock, type Timer } from '@rfsis/link';
import type { Stack } from '@rfsis/stack';
import { createDgram } from '@rfsis/stack/dgram';

/** Options of {@link UdpProber}. */
export interface UdpProberOptions {
  readonly stack: Stack;
  readonly clock: Clock;
  readonly address: string;
  readonly port: number;
  readonly intervalMs: number;
}

/** What a prober saw. */
export interface UdpProbeReport {
  readonly sent: number;
  readonly answered: number;
  readonly duplicated: number;
  readonly corrupted: number;
  /** The longest time between the sending of two answered datagrams, in milliseconds. */
  readonly longestGapMs: number;
  /** Stretches in which nothing was answered, by the times of sending. */
  readonly gaps: readonly { readonly startMs: number; readonly ms: number }[];
}

/** Octets of a probe: a number, then a pattern that depends on it. */
const PROBE_OCTETS = 64;

export class UdpProber {
  readonly #options: UdpProberOptions;
  readonly #socket;
  readonly #sentAtMs: number[] = [];
  readonly #answers: number[] = [];
  #corrupted = 0;
  #timer: Timer | undefined;

  constructor(options: UdpProberOptions) {
    this.#options = options;
    this.#socket = createDgram(options.stack).createSocket('udp4');
    this.#socket.on('message', (message: Uint8Array) => {
      this.#check(message);
    });
    // An unreachable server is a gap, not an error of the prober.
    this.#socket.on('error', () => undefined);
    this.#socket.bind(0);
    this.#send();
  }

  /** Stops sending; answers still count. */
  stop(): void {
    this.#timer?.cancel();
  }

  report(): UdpProbeReport {
    let longestGapMs = 0;
    let previousMs: number | undefined;
    let answered = 0;
    let previousIndex = 0;
    const gaps: { startMs: number; ms: number }[] = [];
    this.#sentAtMs.forEach((sentAtMs, index) => {
      if ((this.#answers[index] ?? 0) === 0) return;
      answered++;
      if (previousMs !== undefined) longestGapMs = Math.max(longestGapMs, sentAtMs - previousMs);
      if (previousMs !== undefined && index > previousIndex + 1) {
        gaps.push({ startMs: previousMs, ms: sentAtMs - previousMs });
      }
      previousMs = sentAtMs;
      previousIndex = index;
    });
    const duplicated = this.#answers.reduce((count, answers) => count + Math.max(0, answers - 1), 0);
    return {
      sent: this.#sentAtMs.length,
      answered,
      duplicated,
      corrupted: this.#corrupted,
      longestGapMs,
      gaps,
    };
  }

  #send(): void {
    const { clock, intervalMs, address, port } = this.#options;
    const number = this.#sentAtMs.length;
    this.#sentAtMs.push(clock.now());
    this.#answers.push(0);
    this.#socket.send(probeOctets(number), port, address);
    this.#timer = clock.setTimer(intervalMs, () => {
      this.#send();
    });
  }

  #check(message: Uint8Array): void {
    const number = readU32(message, 0);
    const expected = probeOctets(number);
    const isRight =
      message.length === PROBE_OCTETS &&
      number < this.#answers.length &&
      expected.every((octet, index) => octet === message[index]);
    if (isRight) this.#answers[number] = (this.#answers[number] as number) + 1;
    else this.#corrupted++;
  }
}

function probeOctets(number: number): Uint8Array {
  const octets = new Uint8Array(PROBE_OCTETS);
  writeU32(octets, 0, number);
  for (let index = 4; index < PROBE_OCTETS; index++) octets[index] = number * 31 + index * 7;
  return octets;
}
