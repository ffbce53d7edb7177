import { describe, expect, it } from 'vitest';
import { Lab, probeUdp, startUdpProbe, type LabHost } from '../src/index.js';
import { readUdpReport } from '../src/udp-probe.js';
import { clientFile } from '../src/workspace.js';
import { obstacle } from './lab-tests.js';

const SERVICE = { address: '10.77.0.1', port: 7 };

async function network(...echoOptions: string[]): Promise<{ lab: Lab; client: LabHost; gateway: LabHost }> {
  const lab = await Lab.create();
  const [client, gateway] = await Promise.all([
    lab.addHost('client'),
    lab.addHost('gateway', { address: '10.77.0.1/24' }),
  ]);
  const echo = ['python3', clientFile('udp_echo.py'), SERVICE.address, String(SERVICE.port)];
  if (echoOptions[0] !== 'none') await gateway.spawnNode([...echo, ...echoOptions]);
  return { lab, client, gateway };
}

describe.skipIf(obstacle !== undefined)('the UDP prober', () => {
  it('finds nothing wrong with a service that works', async () => {
    const { lab, client } = await network();
    await using _ = lab;
    const report = await probeUdp(client, { ...SERVICE, durationMs: 1_000 });
    expect(report).toMatchObject({
      ...{ unsent: 0, lost: 0, duplicated: 0, corrupted: 0, stray: 0, reordered: 0 },
      ...{ errors: {}, gapCount: 0, gaps: [], longestGapMs: 0, answered: report.sent },
    });
    // One a millisecond, save those that fell into a pause of the prober itself.
    expect(report.sent + report.sender.skipped).toBeGreaterThanOrEqual(999);
    expect(report.sent + report.sender.skipped).toBeLessThanOrEqual(1_001);
    expect(report.sent).toBeGreaterThan(300);
    expect(report.durationMs).toBeGreaterThanOrEqual(1_000);
    expect(report.roundTripMs?.p50).toBeLessThan(20);
    expect(report.firstAnswerMs).toBeLessThan(500);
  });

  it('measures a gap by the send times around it', async () => {
    const { lab, client, gateway } = await network();
    await using _ = lab;
    const probe = await startUdpProbe(client, { ...SERVICE, silenceMs: 30 });
    await probe.answered();
    const mark = probe.process.mark();
    await lab.partition([client], [gateway]);
    const silent = await probe.silent(5_000, mark);
    await lab.heal();
    const again = await probe.answeredAgain(5_000, mark);
    const report = await probe.stop();
    const longest = [...report.gaps].sort((a, b) => b.ms - a.ms)[0];
    expect(report.longestGapMs).toBe(longest?.ms);
    expect(longest?.open).toBe(false);
    expect(longest?.ms).toBeGreaterThan(30);
    expect(Number(again.fields['silentMs'])).toBeGreaterThan(30);
    // The silence begins with the last answer, whose datagram was sent just before.
    const silentSince = Number(silent.fields['sinceAtMs']) - report.startedAtMs;
    expect(Math.abs(silentSince - (longest?.startMs ?? 0))).toBeLessThan(100);
    expect(report.lost).toBeGreaterThanOrEqual(longest?.unanswered ?? 0);
    expect(report.longestSilenceMs).toBeGreaterThan(30);
  });

  it('knows a gap that does not end', async () => {
    const { lab, client, gateway } = await network();
    await using _ = lab;
    const probe = await startUdpProbe(client, { ...SERVICE, lingerMs: 50 });
    await probe.answered();
    await lab.linkDown(gateway);
    await probe.silent();
    const { gaps, answered, sent, lost } = await probe.stop();
    expect(gaps.at(-1)).toMatchObject({ open: true });
    expect(lost).toBe(sent - answered);
    expect(lost).toBeGreaterThan(0);
  });

  it('counts what a bad service does: drops, copies, changes, cuts, swaps', async () => {
    const options = ['--drop-every', '10', '--duplicate-every', '7', '--corrupt-every', '11'];
    const { lab, client } = await network(...options, '--truncate-every', '13', '--swap-every', '17');
    await using _ = lab;
    const report = await probeUdp(client, { ...SERVICE, durationMs: 1_000, intervalMs: 0.5 });
    const { sent, corrupted, duplicated, reordered, lost, answered } = report;
    expect(sent).toBeGreaterThan(300);
    expect(answered + lost).toBe(sent);
    expect(lost / sent).toBeGreaterThan(0.15);
    expect(lost / sent).toBeLessThan(0.35);
    expect(corrupted / sent).toBeGreaterThan(0.1);
    expect(corrupted / sent).toBeLessThan(0.25);
    expect(duplicated).toBeGreaterThan(10);
    expect(reordered).toBeGreaterThan(10);
    expect(report.gapCount).toBeGreaterThan(10);
  });

  it('goes on when nobody listens, and counts the refusals', async () => {
    const { lab, client } = await network('none');
    await using _ = lab;
    const report = await probeUdp(client, { ...SERVICE, durationMs: 50, intervalMs: 5, lingerMs: 50 });
    expect(report.answered).toBe(0);
    expect(report.roundTripMs).toBeUndefined();
    expect(report.firstAnswerMs).toBeUndefined();
    expect(report.errors['ECONNREFUSED']).toBeGreaterThan(0);
    expect(report.gaps).toMatchObject([{ startMs: 0, open: true, unanswered: report.sent }]);
  });

  it('sends datagrams of every size up to the largest', async () => {
    const { lab, client } = await network();
    await using _ = lab;
    const report = await probeUdp(client, {
      ...{ ...SERVICE, durationMs: 300, intervalMs: 10, lingerMs: 2_000, minSize: 60_000, maxSize: 65_507 },
    });
    expect(report.answered).toBe(report.sent);
    expect(report.corrupted).toBe(0);
  });

  it('says on one line what is wrong with its options', async () => {
    const { lab, client } = await network();
    await using _ = lab;
    await expect(startUdpProbe(client, { ...SERVICE, minSize: 10 })).rejects.toMatchObject({
      code: 'RFSIS_LAB_PROCESS_ENDED',
      message: expect.stringContaining('sizes must satisfy 24 <= min-size') as string,
    });
    await expect(startUdpProbe(client, { address: '10.99.0.1', port: 7 })).rejects.toMatchObject({
      message: expect.stringContaining('no socket to 10.99.0.1:7: Network is unreachable') as string,
    });
  });
});

describe("the prober's report", () => {
  const fields = {
    ...{
      startedAtMs: 1,
      durationMs: 2,
      sent: 3,
      unsent: 0,
      answered: 2,
      lost: 1,
      duplicated: 0,
      corrupted: 0,
    },
    ...{ stray: 0, reordered: 0, errors: { EAGAIN: 1 }, firstAnswerMs: null, lastAnswerMs: 2, gapCount: 1 },
    ...{ longestGapMs: 1, gaps: [{ startMs: 0, ms: 1, unanswered: 1, open: true }], longestSilenceMs: 1 },
    ...{ longestSilenceStartMs: null, roundTripMs: { min: null }, sender: { skipped: 0, maxLateMs: 0 } },
  };

  it('is read into types', () => {
    expect(readUdpReport(fields)).toMatchObject({
      ...{ sent: 3, errors: { EAGAIN: 1 }, firstAnswerMs: undefined, roundTripMs: undefined },
      gaps: [{ startMs: 0, ms: 1, unanswered: 1, open: true }],
    });
  });

  it.each([
    [{ sent: 'three' }, 'sent should be a number'],
    [{ gaps: {} }, 'gaps should be a list'],
    [{ gaps: [3] }, 'gaps should be a list of objects'],
    [{ sender: null }, 'sender should be an object'],
    [{ errors: { EAGAIN: true } }, 'EAGAIN should be a number'],
  ])('is refused when damaged: %j', (damage, message) => {
    expect(() => readUdpReport({ ...fields, ...damage })).toThrow(message);
  });
});
