import { checksum, SeededRandom, VirtualClock, writeU16 } from '@rfsis/link';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitIpv4, Ipv4View, parseIpv4 } from '../../src/ipv4/packet.js';
import { Reassembler, type FragmentDrop, type ReassemblyLimits } from '../../src/ipv4/reassembler.js';
import { ip } from '../network.js';

interface Piece {
  readonly begin: number;
  readonly data: Uint8Array;
  readonly more: boolean;
  readonly source?: string;
  readonly destination?: string;
  readonly identification?: number;
  readonly protocol?: number;
  /** Octets of IP options, a multiple of four. */
  readonly options?: number;
}

function reassembler(limits: Partial<ReassemblyLimits> = {}) {
  const clock = new VirtualClock();
  const timedOut: Uint8Array[] = [];
  const subject = new Reassembler(
    clock,
    {
      reassemblyMs: 30_000,
      reassemblyOctets: 2 ** 22,
      reassemblySourceOctets: 2 ** 20,
      reassemblyDatagrams: 1024,
      ...limits,
    },
    (bytes, offset, end) => timedOut.push(bytes.slice(offset, end)),
  );
  const view = new Ipv4View();
  /** The finished payload, the reason for a drop, or undefined. */
  const add = (piece: Piece): Uint8Array | FragmentDrop | undefined => {
    const headerLength = 20 + (piece.options ?? 0);
    const bytes = new Uint8Array(headerLength + piece.data.length);
    emitIpv4(bytes, 0, {
      typeOfService: 0,
      totalLength: bytes.length,
      identification: piece.identification ?? 1,
      dontFragment: false,
      moreFragments: piece.more,
      fragmentOffset: piece.begin,
      timeToLive: 64,
      protocol: piece.protocol ?? 17,
      source: ip(piece.source ?? '10.0.0.2'),
      destination: ip(piece.destination ?? '10.0.0.1'),
    });
    if (headerLength > 20) {
      bytes[0] = 0x40 + headerLength / 4;
      writeU16(bytes, 10, 0);
      writeU16(bytes, 10, checksum(bytes, 0, headerLength));
    }
    bytes.set(piece.data, headerLength);
    expect(view.read(bytes, 0, bytes.length)).toBeUndefined();
    const result = subject.add(view, bytes);
    if (result === undefined || typeof result === 'string') return result;
    const datagram = result.buffer.slice(result.datagramOffset, result.datagramEnd);
    expect(parseIpv4(datagram)).toMatchObject({
      totalLength: datagram.length,
      moreFragments: false,
      fragmentOffset: 0,
    });
    subject.release(result);
    return datagram.subarray(20);
  };
  return { clock, subject, timedOut, add };
}

const octets = (length: number, value = 1): Uint8Array => new Uint8Array(length).fill(value);

/** Cuts a payload at the given borders. */
function cut(payload: Uint8Array, borders: readonly number[]): Piece[] {
  const all = [0, ...borders, payload.length];
  return all.slice(1).map((end, index) => ({
    begin: all[index] ?? 0,
    data: payload.subarray(all[index], end),
    more: end < payload.length,
  }));
}

describe('Reassembler', () => {
  it('RFC 791 3.2: puts fragments together in any order, with any number of copies', () => {
    const pieces = fc
      .record({
        length: fc.integer({ min: 9, max: 65_515 }),
        seed: fc.nat(),
        count: fc.integer({ min: 2, max: 40 }),
      })
      .chain(({ length, seed, count }) => {
        const payload = new Uint8Array(length);
        new SeededRandom(seed).fill(payload);
        const units = Math.floor((length - 1) / 8);
        return fc
          .uniqueArray(fc.integer({ min: 1, max: units }), {
            minLength: 1,
            maxLength: Math.min(count, units),
          })
          .map((borders) =>
            cut(
              payload,
              borders.sort((a, b) => a - b).map((border) => border * 8),
            ),
          )
          .chain((all) =>
            fc.record({
              payload: fc.constant(payload),
              order: fc.shuffledSubarray(all, { minLength: all.length }),
              copies: fc.array(fc.nat(all.length - 1), { maxLength: 10 }),
            }),
          );
      });
    fc.assert(
      fc.property(pieces, ({ payload, order, copies }) => {
        const { subject, add, clock } = reassembler();
        const queue = order.flatMap((piece, index) => (copies.includes(index) ? [piece, piece] : [piece]));
        const results = queue.map(add);
        // A copy of the last piece that arrived begins the datagram anew.
        const finished = results.filter((result) => result instanceof Uint8Array);
        expect(finished).toHaveLength(1);
        expect(Buffer.compare(finished[0] ?? octets(0), payload)).toBe(0);
        subject.clear();
        expect([subject.octets, subject.datagrams, clock.pending]).toEqual([0, 0, 0]);
      }),
      { numRuns: 150 },
    );
  });

  it('agrees with a naive model on fragments that overlap, contradict and repeat each other', () => {
    const piece = fc.record({
      begin: fc.nat(12).map((unit) => unit * 8),
      units: fc.integer({ min: 1, max: 4 }),
      odd: fc.nat(7),
      more: fc.boolean(),
      value: fc.constantFrom(1, 1, 1, 1, 2),
    });
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 14 }), (script) => {
        const { add } = reassembler();
        const model = naive();
        for (const { begin, units, odd, more, value } of script) {
          const data = octets(more ? units * 8 : units * 8 - odd, value);
          const result = add({ begin, data, more });
          expect(result instanceof Uint8Array ? [...result] : result).toEqual(model(begin, data, more));
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps datagrams apart that differ in any part of the key', () => {
    const { add, subject } = reassembler();
    const variants: Partial<Piece>[] = [
      {},
      { source: '10.0.0.3' },
      { destination: '10.0.0.9' },
      { identification: 2 },
      { protocol: 1 },
    ];
    for (const variant of variants)
      expect(add({ begin: 0, data: octets(8), more: true, ...variant })).toBeUndefined();
    expect(subject.datagrams).toBe(5);
    for (const variant of variants) {
      expect(add({ begin: 8, data: octets(4), more: false, ...variant })).toBeInstanceOf(Uint8Array);
    }
    expect([subject.datagrams, subject.octets]).toEqual([0, 0]);
  });

  it('refuses fragments without payload, and of a length that no next one can follow', () => {
    const { add, subject } = reassembler();
    expect(add({ begin: 0, data: octets(0), more: true })).toBe('fragment-empty');
    expect(add({ begin: 0, data: octets(12), more: true })).toBe('fragment-length');
    expect(subject.datagrams).toBe(0);
  });

  it('refuses datagrams of more than 65,535 octets: the "ping of death"', () => {
    const { add, subject } = reassembler();
    expect(add({ begin: 65_512, data: octets(4), more: false })).toBe('fragment-too-long');
    expect(add({ begin: 0, data: octets(8), more: true })).toBe('fragment-discarded');
    expect(subject.counters.discarded).toBe(1);
    expect(add({ begin: 65_512, data: octets(3), more: false, identification: 2 })).toBeUndefined();
    // The header counts too, and that of the first fragment may come last, and be longer.
    expect(add({ begin: 0, data: octets(8), more: true, identification: 2, options: 4 })).toBe(
      'fragment-too-long',
    );
  });

  it('RFC 5722 4: discards a datagram with overlapping fragments, those before and those to come', () => {
    const { add, subject } = reassembler();
    expect(add({ begin: 0, data: octets(16), more: true })).toBeUndefined();
    expect(add({ begin: 8, data: octets(16), more: true })).toBe('fragment-overlap');
    expect(add({ begin: 16, data: octets(8), more: false })).toBe('fragment-discarded');
    expect(subject.counters).toMatchObject({ discarded: 1, timedOut: 0 });
    expect([subject.octets, subject.datagrams]).toEqual([0, 1]);
  });

  it('forgets the mark of a discarded datagram when its time is over', () => {
    const { add, clock, subject, timedOut } = reassembler();
    add({ begin: 0, data: octets(16), more: true });
    add({ begin: 0, data: octets(16, 2), more: true });
    clock.advance(30_000);
    expect([subject.datagrams, clock.pending, timedOut.length]).toEqual([0, 0, 0]);
    expect(subject.counters).toMatchObject({ discarded: 1, timedOut: 0 });
  });

  it('RFC 1122 3.3.2: gives up after a time counted from the first fragment that arrived', () => {
    const { add, clock, subject, timedOut } = reassembler();
    add({ begin: 8, data: octets(8, 2), more: true });
    clock.advance(29_999);
    add({ begin: 0, data: octets(8, 1), more: true });
    add({ begin: 0, data: octets(8, 1), more: true, identification: 2 });
    expect(subject.datagrams).toBe(2);
    clock.advance(1);
    expect(subject.datagrams).toBe(1);
    // RFC 1122 3.2.2: what an error quotes MUST be unchanged from what was received: it is the first fragment.
    expect(timedOut).toHaveLength(1);
    const [told] = timedOut;
    expect(told && parseIpv4(told)).toMatchObject({ totalLength: 28, moreFragments: true });
    clock.advance(30_000);
    expect(subject.counters.timedOut).toBe(2);
    expect([subject.octets, subject.datagrams, clock.pending]).toEqual([0, 0, 0]);
  });

  it('RFC 1122 3.3.2: tells nobody without the first fragment', () => {
    const { add, clock, subject, timedOut } = reassembler();
    add({ begin: 8, data: octets(8), more: true });
    clock.advance(30_000);
    expect([subject.counters.timedOut, timedOut]).toEqual([1, []]);
  });

  it('bounds the memory of all datagrams: the oldest go', () => {
    const { add, subject } = reassembler({ reassemblyOctets: 8192, reassemblySourceOctets: 2 ** 20 });
    for (let identification = 1; identification <= 10; identification++) {
      add({ begin: 0, data: octets(8), more: true, identification, source: `10.0.0.${identification}` });
      expect(subject.octets).toBeLessThanOrEqual(8192);
    }
    expect(subject.counters.evicted).toBe(6);
    expect(add({ begin: 8, data: octets(1), more: false, identification: 10, source: '10.0.0.10' })).toEqual(
      octets(9),
    );
    expect(
      add({ begin: 8, data: octets(1), more: false, identification: 1, source: '10.0.0.1' }),
    ).toBeUndefined();
  });

  it('bounds the memory of one source: its own oldest go, those of others stay', () => {
    const { add, subject } = reassembler({ reassemblySourceOctets: 4096 });
    add({ begin: 0, data: octets(8), more: true, source: '10.0.0.3' });
    for (let identification = 1; identification <= 10; identification++) {
      add({ begin: 0, data: octets(8), more: true, identification });
    }
    expect(subject.octets).toBe(3 * 2048);
    expect(subject.counters.evicted).toBe(8);
    expect(add({ begin: 8, data: octets(1), more: false, source: '10.0.0.3' })).toEqual(octets(9));
  });

  it('bounds the number of datagrams, marks included', () => {
    const { add, subject } = reassembler({ reassemblyDatagrams: 3 });
    for (let identification = 1; identification <= 10; identification++) {
      expect(add({ begin: 65_512, data: octets(8), more: false, identification })).toBe('fragment-too-long');
      expect(subject.datagrams).toBeLessThanOrEqual(3);
    }
  });

  it('bounds the pieces of one datagram', () => {
    const { add } = reassembler();
    for (let piece = 0; piece < 256; piece++) {
      expect(add({ begin: piece * 16, data: octets(8), more: true })).toBeUndefined();
    }
    expect(add({ begin: 256 * 16, data: octets(8), more: true })).toBe('fragment-runs');
    expect(add({ begin: 8, data: octets(8), more: true })).toBe('fragment-discarded');
  });

  it('abandons what is for an address that was given up', () => {
    const { add, subject, clock } = reassembler();
    add({ begin: 0, data: octets(8), more: true, destination: '10.0.0.10' });
    add({ begin: 0, data: octets(8), more: true });
    subject.abandon(ip('10.0.0.10').value);
    expect([subject.datagrams, subject.counters.abandoned]).toEqual([1, 1]);
    expect(add({ begin: 8, data: octets(1), more: false, destination: '10.0.0.10' })).toBeUndefined();
    subject.clear();
    expect(clock.pending).toBe(0);
  });
});

/** One datagram as an array of octets; the same answers as the reassembler, or so it should be. */
function naive() {
  let present: (number | undefined)[] = [];
  let length: number | undefined;
  let discarded = false;
  return (begin: number, data: Uint8Array, more: boolean): number[] | FragmentDrop | undefined => {
    if (discarded) return 'fragment-discarded';
    const end = begin + data.length;
    const fail = (reason: FragmentDrop): FragmentDrop => {
      discarded = true;
      return reason;
    };
    if (more ? length !== undefined && end >= length : (length ?? end) !== end || present.length > end) {
      return fail('fragment-beyond-end');
    }
    const there = Array.from(data, (_, index) => present[begin + index]);
    if (there.every((octet, index) => octet === data[index])) return 'fragment-duplicate';
    if (there.some((octet) => octet !== undefined)) return fail('fragment-overlap');
    data.forEach((octet, index) => (present[begin + index] = octet));
    if (!more) length = end;
    const whole = Array.from(present);
    if (length === undefined || whole.length < length || whole.some((octet) => octet === undefined))
      return undefined;
    present = [];
    length = undefined;
    return whole as number[];
  };
}
