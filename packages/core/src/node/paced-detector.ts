// A failure detector that minds the peer's own pace. Both nodes should be configured alike; while they are not, because
// one of them was restarted with other figures already, a slow beat must not look like a death.
import type { FailureDetector } from '@rfsis/sniffer';

export class PacedDetector implements FailureDetector {
  readonly #detector: FailureDetector;
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  #lastMs = -Infinity;
  /** How long the peer's pace makes us wait at the least. */
  #floorMs = 0;

  /**
   * @param intervalMs our own interval
   * @param timeoutMs our own timeout: the peer gets as many of its intervals as it would get of ours
   */
  constructor(detector: FailureDetector, intervalMs: number, timeoutMs: number) {
    this.#detector = detector;
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
  }

  /** The peer means to beat at this interval; to be told with each beat. */
  pace(peerIntervalMs: number): void {
    const isSlower = peerIntervalMs > this.#intervalMs;
    this.#floorMs = isSlower ? (peerIntervalMs * this.#timeoutMs) / this.#intervalMs : 0;
  }

  heard(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#detector.heard(nowMs);
  }

  resume(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#detector.resume(nowMs);
  }

  deadline(): number {
    return Math.max(this.#detector.deadline(), this.#lastMs + this.#floorMs);
  }

  reset(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#detector.reset(nowMs);
  }
}
