// A session: all failovers of all contenders in one lab, a few of one, then a few of the other, so that what the machine
// does besides hits both alike.
import { Lab, LabError, NodePair, type Capture } from '@rfsis/tool-lab';
import { type Random } from '@rfsis/link';
import { builtApplication, packageVersion } from '../application.js';
import { BenchError } from '../errors.js';
import type { Contender } from './contender.js';
import { failOver, judgeFailover, startClient, type RawFailover } from './failover.js';
import { KeepalivedContender } from './keepalived-contender.js';
import type { ContenderResult } from './measurement.js';
import { RfsisContender } from './rfsis-contender.js';
import { CAPTURE_FILTER, readSigns, wireTimes, type Sign } from './wire.js';

/** Whom to measure besides RFSIS; `auto`: keepalived when it is installed. */
export type PeerChoice = 'auto' | 'keepalived' | 'none';

/** Options of {@link measureFailovers}. */
export interface SessionOptions {
  /** Failovers of each contender. */
  readonly runs: number;
  /** So many in a row with one pair, then it is the other's turn with a new pair. */
  readonly batch: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly peer: PeerChoice;
  /** Draws the phases of the power losses. */
  readonly random: Random;
  /** What happens, a line each. */
  readonly onProgress: (line: string) => void;
}

/** What a session has found. */
export interface SessionResult {
  readonly rfsis: ContenderResult;
  readonly peer: ContenderResult | undefined;
}

/** A contender that fails this often to take over is not measured any further. */
const MAX_FAILURES = 3;
/** Nor is one that cannot be set up this often. */
const MAX_SETUP_FAILURES = 20;

interface Score {
  readonly contender: Contender;
  readonly raw: RawFailover[];
  readonly failures: string[];
  readonly setupFailures: string[];
}

/**
 * Measures in a lab of its own, which is gone afterwards.
 * @throws {LabError} `RFSIS_LAB_UNAVAILABLE` when there can be no lab here
 * @throws {BenchError} `RFSIS_BENCH_UNAVAILABLE` when something must be built or installed
 */
export async function measureFailovers(options: SessionOptions): Promise<SessionResult> {
  const application = builtApplication('echo-udp');
  const verdict = Lab.available(['network', 'capture', 'analysis', 'clients']);
  if (!verdict.ok) throw new LabError('RFSIS_LAB_UNAVAILABLE', verdict.reason);
  const timers = { intervalMs: options.intervalMs, timeoutMs: options.timeoutMs };
  await using pair = await NodePair.create({ application, configuration: { heartbeat: timers } });
  const peer = await findPeer(pair.lab, options);
  const rfsis = newScore(new RfsisContender(pair, timers, packageVersion('core')));
  const scores = peer === undefined ? [rfsis] : [rfsis, newScore(peer)];
  const capture = await pair.lab.capture('switch', undefined, { filter: CAPTURE_FILTER });
  while (scores.some((score) => missing(score, options) > 0)) {
    for (const score of scores) await runBatch(pair.lab, score, options);
  }
  const signs = await signsOf(capture, options);
  const [ours, theirs] = scores.map((score) => resultOf(score, signs));
  return { rfsis: ours as ContenderResult, peer: theirs };
}

async function findPeer(lab: Lab, { peer, onProgress }: SessionOptions): Promise<Contender | undefined> {
  if (peer === 'none') return undefined;
  const found = await KeepalivedContender.find(lab);
  if (found !== undefined) return found;
  const advice = 'keepalived is not installed (apt-get install keepalived)';
  if (peer === 'keepalived') throw new BenchError('RFSIS_BENCH_UNAVAILABLE', advice);
  onProgress(`${advice}: RFSIS is measured alone`);
  return undefined;
}

function newScore(contender: Contender): Score {
  return { contender, raw: [], failures: [], setupFailures: [] };
}

function missing({ raw, failures, setupFailures }: Score, { runs }: SessionOptions): number {
  const isHopeless = failures.length >= MAX_FAILURES || setupFailures.length >= MAX_SETUP_FAILURES;
  return isHopeless ? 0 : runs - raw.length;
}

/** A few failovers with one pair; the nodes change roles from one to the next. A failure ends it early. */
async function runBatch(lab: Lab, score: Score, options: SessionOptions): Promise<void> {
  const { contender, raw } = score;
  const target = raw.length + Math.min(options.batch, missing(score, options));
  if (raw.length === target) return;
  const tell = (line: string): void => {
    options.onProgress(`${contender.name} ${line}`);
  };
  let failures = score.setupFailures;
  try {
    await contender.start();
    while (raw.length < target) {
      const client = await startClient(lab, contender, options.random);
      failures = score.failures;
      const latest = await failOver(lab, contender, client);
      failures = score.setupFailures;
      raw.push(latest);
      tell(`${raw.length} of ${options.runs}: a gap of ${latest.report.longestGapMs.toFixed(1)} ms`);
      if (raw.length < target) await contender.restore();
    }
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    failures.push(error.message);
    tell(`${failures === score.failures ? 'did not take over' : 'is set up anew'}: ${error.message}`);
  } finally {
    await contender.stop();
  }
}

async function signsOf(capture: Capture, { onProgress }: SessionOptions): Promise<Sign[]> {
  const { file, dropped } = await capture.stop();
  if (dropped > 0) onProgress(`the capture lacks ${dropped} frames; some times on the wire may be wrong`);
  return readSigns(file);
}

function resultOf(
  { contender, raw, failures, setupFailures }: Score,
  signs: readonly Sign[],
): ContenderResult {
  const { name, version, intervalMs, timeoutMs } = contender;
  const runs = raw.map((each, index) => judgeFailover(index + 1, each, wireTimes(signs, each.failover)));
  return { name, version, intervalMs, timeoutMs, runs, failures, setupFailures };
}
