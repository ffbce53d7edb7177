// What a program prints, line by line: kept within limits, waited for, iterated over.
import { monotonicMs } from './monotonic.js';

/** One line that a program printed. */
export interface OutputLine {
  /** 0 for the first line of the program. */
  readonly number: number;
  /** Without the line end. */
  readonly text: string;
  /** When it arrived here, on the clock of `monotonicMs`. */
  readonly atMs: number;
}

/** Limits of {@link OutputLines}. */
export interface OutputLimits {
  /** Lines that are kept; the oldest tenth goes when there are more. Default 50,000. */
  readonly maxLines?: number;
  /** Characters of a line; a longer one is taken as several lines. Default 65,536. */
  readonly maxLineLength?: number;
}

/** Why {@link OutputLines.waitFor} found nothing. */
export type NoLine = 'timeout' | 'ended';

interface Waiter {
  readonly accept: (line: OutputLine) => boolean;
  readonly settle: (outcome: OutputLine | NoLine) => void;
}

/** The lines of one stream of a program. */
export class OutputLines {
  readonly #lines: OutputLine[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #maxLines: number;
  readonly #maxLineLength: number;
  #partial = '';
  #count = 0;
  #ended = false;

  constructor(limits: OutputLimits = {}) {
    this.#maxLines = limits.maxLines ?? 50_000;
    this.#maxLineLength = limits.maxLineLength ?? 65_536;
  }

  /** The lines that are kept, oldest first. */
  get kept(): readonly OutputLine[] {
    return this.#lines;
  }

  /** How many lines there were; also the number that the next one will have. */
  get count(): number {
    return this.#count;
  }

  /** The last lines, for messages. */
  tail(lines: number): string {
    return this.#lines
      .slice(-lines)
      .map(({ text }) => text)
      .join('\n');
  }

  /** For the reader of the stream: takes a piece of output. */
  push(text: string): void {
    const pieces = (this.#partial + text).split('\n');
    this.#partial = pieces.pop() ?? '';
    for (const piece of pieces) this.#add(piece);
    while (this.#partial.length > this.#maxLineLength) {
      this.#add(this.#partial.slice(0, this.#maxLineLength));
      this.#partial = this.#partial.slice(this.#maxLineLength);
    }
  }

  /** For the reader of the stream: nothing more will come. */
  end(): void {
    if (this.#ended) return;
    if (this.#partial !== '') this.#add(this.#partial);
    this.#partial = '';
    this.#ended = true;
    for (const waiter of [...this.#waiters]) waiter.settle('ended');
  }

  /** The first line from number `after` on that `accept` takes, among those kept and those to come. */
  async waitFor(
    accept: (line: OutputLine) => boolean,
    timeoutMs: number,
    after = 0,
  ): Promise<OutputLine | NoLine> {
    const found = this.#lines.find((line) => line.number >= after && accept(line));
    if (found !== undefined) return found;
    if (this.#ended) return 'ended';
    return new Promise((resolve) => {
      const waiter: Waiter = {
        accept: (line) => line.number >= after && accept(line),
        settle: (outcome) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(outcome);
        },
      };
      const timer = setTimeout(() => {
        waiter.settle('timeout');
      }, timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** All lines that are kept, then each as it comes, until the program has ended. */
  async *[Symbol.asyncIterator](): AsyncGenerator<OutputLine, void, undefined> {
    let next = 0;
    for (;;) {
      const line = await this.waitFor(() => true, MAX_TIMER_MS, next);
      if (line === 'ended') return;
      if (line === 'timeout') continue;
      next = line.number + 1;
      yield line;
    }
  }

  #add(text: string): void {
    const line: OutputLine = {
      number: this.#count++,
      text: text.endsWith('\r') ? text.slice(0, -1) : text,
      atMs: monotonicMs(),
    };
    this.#lines.push(line);
    if (this.#lines.length > this.#maxLines) this.#lines.splice(0, Math.ceil(this.#maxLines / 10));
    for (const waiter of [...this.#waiters]) if (waiter.accept(line)) waiter.settle(line);
  }
}

/** The longest delay that Node's timers can hold. */
const MAX_TIMER_MS = 0x7fff_ffff;
