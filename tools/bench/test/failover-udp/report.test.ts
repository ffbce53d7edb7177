import { describe, expect, it } from 'vitest';
import { failoverReport, passes } from '../../src/failover-udp/report.js';
import { reportText } from '../../src/failover-udp/report-text.js';
import { MACHINE, PEER, result, run } from './samples.js';

const OURS = result([run(1, 28), run(2, 33), run(3, 30)]);
const THEIRS = result(
  [
    run(1, 31, { detectMs: null, installMs: null }),
    run(2, 47, { proberLate: true, detectMs: null, installMs: null }),
  ],
  PEER,
);

describe('failoverReport', () => {
  it('has the peer beside us in every figure', () => {
    const report = failoverReport(MACHINE, OURS, THEIRS);
    expect(Object.keys(report)).toEqual(['benchmark', 'machine', 'targets', 'figures', 'rfsis', 'peer']);
    expect(report).toMatchObject({ benchmark: 'failover-udp', machine: MACHINE, rfsis: OURS, peer: THEIRS });
    expect(report.figures[0]).toEqual({
      name: 'gap',
      unit: 'ms',
      rfsis: { count: 3, min: 28, median: 30, p90: 33, max: 33 },
      peer: { count: 2, min: 31, median: 39, p90: 47, max: 47 },
    });
    const figure = (name: string) => report.figures.find((each) => each.name === name);
    expect(figure('gap if the prober was in time')?.peer).toMatchObject({ count: 1, max: 31 });
    expect(figure('silence beyond the timeout')?.rfsis).toMatchObject({ median: 1 });
    expect(figure('announcement to first answer')?.rfsis).toMatchObject({ median: 4 });
    expect(figure('ARP exchange with the client')?.rfsis).toMatchObject({ median: 0.25 });
    expect(figure('detectMs of the log')).toMatchObject({ rfsis: { median: 31 }, peer: null });
  });

  it('is JSON without loss', () => {
    const report = failoverReport(MACHINE, OURS, undefined);
    expect(report.peer).toBeNull();
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it.each([
    ['kept', [35, 35, 70], [true, true]],
    ['a median too long', [35, 36, 37], [false, true]],
    ['one gap too long', [30, 31, 70.1], [true, false]],
    ['no figures', [], [false, false]],
  ])('targets: %s', (_, gaps, verdicts) => {
    const report = failoverReport(MACHINE, result(gaps.map((gapMs, index) => run(index + 1, gapMs))), THEIRS);
    expect(report.targets.map(({ pass }) => pass)).toEqual(verdicts);
    expect(report.targets.map(({ peer }) => peer)).toEqual([39, 47]);
    expect(passes(report)).toBe(verdicts.every((verdict) => verdict));
  });

  it('a failover that never came misses every target', () => {
    const report = failoverReport(
      MACHINE,
      result([run(1, 30)], { failures: ['nobody took over'] }),
      undefined,
    );
    expect(report.targets.map(({ pass }) => pass)).toEqual([false, false]);
    expect(passes(report)).toBe(false);
  });

  it('with other timers there are no targets', () => {
    expect(failoverReport(MACHINE, result([run(1, 99)], { timeoutMs: 100 }), undefined).targets).toEqual([]);
  });
});

describe('reportText', () => {
  it('shows both, run by run, and the verdicts', () => {
    const text = reportText(failoverReport(MACHINE, OURS, THEIRS));
    expect(text).toContain('2 processors, load average 0.5 before and 0.75 after');
    expect(text).toContain('keepalived 2.2.7: beats each 10 ms, dead after 30 ms, 2 failovers');
    expect(text).toMatch(/^gap +30\.0 +33\.0 +33\.0 +28\.0 +39\.0 +47\.0 +47\.0 +31\.0$/m);
    expect(text).toMatch(/^2 +47\.0 .* 13 % {2}the prober was late$/m);
    expect(text).toContain(
      'PASS  median gap: 30.0 ms, at most 35 ms\nPASS  longest gap: 33.0 ms, at most 70 ms\n',
    );
    expect(text.endsWith('\n')).toBe(true);
  });

  it('says what was odd about a run', () => {
    const odd = run(1, 80, { coversPowerLoss: false, otherGaps: 1, wrongAnswers: 2 });
    const early = run(2, 90, {
      afterPowerLossMs: { ...run(2, 90).afterPowerLossMs, lastAnsweredSent: -60, announced: null },
    });
    const trouble = { failures: ['nobody'], setupFailures: ['a false alarm'] };
    const text = reportText(failoverReport(MACHINE, result([odd, early], trouble), undefined));
    expect(text).toContain('the longest gap is elsewhere, 1 more gaps, 2 wrong answers\n');
    expect(text).toContain('silent before the power loss\n');
    expect(text).toContain('did not take over: nobody\n');
    expect(text).toContain('had to be set up anew: a false alarm\n');
    expect(text).toMatch(/^FAIL {2}longest gap: 90\.0 ms, at most 70 ms$/m);
  });
});
