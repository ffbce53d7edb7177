// Reusable byte buffers in a few sizes, so that reassembly does not allocate 64 KiB a datagram.

const SMALLEST_BITS = 11;
const LARGEST_BITS = 17;

/**
 * Keeps up to `idlePerSize` returned buffers of each power of two from 2 KiB to 128 KiB; more are left to the garbage
 * collector. Buffers are not cleared.
 */
export class BufferPool {
  readonly #idlePerSize: number;
  readonly #idle: Uint8Array[][] = Array.from({ length: LARGEST_BITS + 1 }, () => []);

  constructor(idlePerSize: number) {
    this.#idlePerSize = idlePerSize;
  }

  /** A buffer of at least `octets`, at most 128 KiB. */
  take(octets: number): Uint8Array {
    const bits = Math.max(SMALLEST_BITS, 32 - Math.clz32(octets - 1));
    // allocUnsafeSlow loses no time on zeros that are overwritten anyway; and not a Buffer, whose slice() does not copy.
    return this.#idle[bits]?.pop() ?? new Uint8Array(Buffer.allocUnsafeSlow(2 ** bits).buffer);
  }

  /** Gives a buffer of {@link BufferPool.take} back. */
  put(buffer: Uint8Array): void {
    const idle = this.#idle[31 - Math.clz32(buffer.length)];
    if (idle !== undefined && idle.length < this.#idlePerSize) idle.push(buffer);
  }
}
