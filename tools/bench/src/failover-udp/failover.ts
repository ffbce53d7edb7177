// One failover: a client that sends all the time, a power loss, and what became of the datagrams.
import { setTimeout as delay } from 'node:timers/promises';
import { randomFraction, type Random } from '@rfsis/link';
import {
  LabError,
  STANDARD_ADDRESSES,
  startUdpProbe,
  wallClockOffsetMs,
  type Lab,
  type LabEvent,
  type PowerLoss,
  type UdpProbe,
  type UdpReport,
} from '@rfsis/tool-lab';
import { watchProcessors } from '../machine.js';
import { rounded } from '../statistics.js';
import type { Contender, TakeoverNews } from './contender.js';
import { PROBER_LATE_MS, type FailoverRun } from './measurement.js';
import type { Failover, WireTimes } from './wire.js';

const SERVICE_PORT = 7;
const DATAGRAM_INTERVAL_MS = 1;
/** Payloads of a size that needs no thought, so that only time is measured. */
const PAYLOAD_OCTETS = 64;
/** The prober sends for so long before the power loss: caches are warm, and gaps of before would show. */
const LEAD_MS = 300;
/** And after the takeover: whatever else goes wrong has its time to. */
const TAIL_MS = 500;
/** The phase of the power loss is drawn from so many intervals of the contender. */
const PHASE_INTERVALS = 2;

/** What a failover left behind; with the frames on the wire it becomes a {@link FailoverRun}. */
export interface RawFailover {
  readonly powerLoss: PowerLoss;
  readonly news: TakeoverNews;
  readonly report: UdpReport;
  /** The first answer after the silence. */
  readonly answered: LabEvent | undefined;
  readonly busy: number;
  /** For the capture. */
  readonly failover: Failover;
}

/**
 * Starts the client and lets it send for a while, up to a random phase of the contender's beat.
 * @throws {LabError} also when the contender is no pair any more by then
 */
export async function startClient(lab: Lab, contender: Contender, random: Random): Promise<UdpProbe> {
  const probe = await startUdpProbe(lab.host('client'), {
    address: STANDARD_ADDRESSES.service,
    port: SERVICE_PORT,
    intervalMs: DATAGRAM_INTERVAL_MS,
    minSize: PAYLOAD_OCTETS,
    maxSize: PAYLOAD_OCTETS,
    realtime: true,
  });
  try {
    await probe.answered();
    await delay(LEAD_MS + randomFraction(random) * PHASE_INTERVALS * contender.intervalMs);
    const disturbance = contender.disturbance();
    if (disturbance === undefined) return probe;
    throw new LabError('RFSIS_LAB_OUTPUT_INVALID', `before the power loss, ${disturbance}`);
  } catch (error) {
    await probe.process.kill();
    throw error;
  }
}

/**
 * Lets the main of a contender die, now.
 * @param probe the client, which is ended
 * @throws {LabError} when nobody takes over in time
 */
export async function failOver(lab: Lab, contender: Contender, probe: UdpProbe): Promise<RawFailover> {
  const { main, backup } = contender;
  try {
    const wallOffsetMs = wallClockOffsetMs();
    const mark = probe.process.mark();
    const takeover = contender.expectTakeover();
    const processors = watchProcessors();
    const powerLoss = await lab.powerLoss(main);
    const news = await takeover();
    await delay(TAIL_MS);
    const busy = processors();
    const report = await probe.stop();
    if (powerLoss.atMs - report.startedAtMs > (report.lastAnswerMs ?? 0)) {
      const message = `${backup.name} took over, but answered nothing within ${TAIL_MS} ms`;
      throw new LabError('RFSIS_LAB_TIMEOUT', message);
    }
    const [answered] = probe.process.events({ event: 'answered' }, mark);
    const failover = {
      deadMac: main.mac.toString(),
      heirMac: backup.mac.toString(),
      clientMac: lab.host('client').mac.toString(),
      powerLossMs: powerLoss.atMs + wallOffsetMs,
      cutOffMs: powerLoss.linkDownAtMs + wallOffsetMs,
    };
    return { powerLoss, news, report, answered, busy, failover };
  } finally {
    await probe.process.kill();
  }
}

/** Puts together what was seen at the client, at the switch and in the log. */
export function judgeFailover(number: number, raw: RawFailover, wire: WireTimes): FailoverRun {
  const { powerLoss, news, report, answered } = raw;
  const lossMs = powerLoss.atMs - report.startedAtMs;
  const longest = report.gaps.reduce<UdpReport['gaps'][number] | undefined>(
    (best, gap) => (best === undefined || gap.ms > best.ms ? gap : best),
    undefined,
  );
  const own = report.gaps.find(({ startMs, ms }) => startMs + ms > lossMs);
  const { maxLateMs } = report.sender;
  const orNull = (value: number | null | undefined): number | null =>
    value === null || value === undefined ? null : rounded(value);
  return {
    number,
    gapMs: rounded(longest?.ms ?? 0),
    unanswered: longest?.unanswered ?? 0,
    silenceMs: rounded(report.longestSilenceMs),
    coversPowerLoss: longest !== undefined && longest === own,
    otherGaps: Math.max(0, report.gapCount - 1),
    wrongAnswers: report.corrupted + report.duplicated,
    detectMs: news.detectMs,
    installMs: news.installMs,
    afterPowerLossMs: {
      lastAnsweredSent: own === undefined ? null : rounded(own.startMs - lossMs),
      lastSign: orNull(wire.lastSign),
      announced: orNull(wire.announced),
      logged: rounded(news.loggedAtMs - powerLoss.atMs),
      firstAnsweredSent: own === undefined || own.open ? null : rounded(own.startMs + own.ms - lossMs),
      firstAnswer: orNull(answerAfter(answered, powerLoss.atMs)),
      askedForClient: orNull(wire.askedForClient),
      toldClient: orNull(wire.toldClient),
    },
    proberLateMs: rounded(maxLateMs),
    proberLate: maxLateMs > PROBER_LATE_MS,
    busy: raw.busy,
  };
}

function answerAfter(answered: LabEvent | undefined, powerLossAtMs: number): number | undefined {
  const atMs = answered?.fields['atMs'];
  return typeof atMs === 'number' ? atMs - powerLossAtMs : undefined;
}
