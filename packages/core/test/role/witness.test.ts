import { ArpEndpoint } from '@rfsis/arp';
import { Ipv4Address, SeededRandom, VirtualClock } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import type { ArbiterVerdict } from '../../src/role/arbiter.js';
import { NoArbiter, WitnessArbiter } from '../../src/role/witness.js';
import { Segment } from '../node/segment.js';

const WITNESS = '10.77.0.1';

function setUp() {
  const segment = new Segment();
  const asker = segment.host('10.77.0.11');
  const arbiter = new WitnessArbiter({
    arp: asker.arp,
    clock: segment.clock,
    witness: Ipv4Address.parse(WITNESS),
    timeoutMs: 100,
  });
  const verdicts: ArbiterVerdict[] = [];
  const ask = (): void => {
    arbiter.consult((verdict) => verdicts.push(verdict));
  };
  return { segment, asker, arbiter, verdicts, ask };
}

describe('no arbiter', () => {
  it('grants everything at once', () => {
    const clock = new VirtualClock();
    clock.advance(5);
    const arbiter = new NoArbiter(clock);
    const verdicts: ArbiterVerdict[] = [];
    arbiter.consult((verdict) => verdicts.push(verdict));
    expect(verdicts).toEqual([{ granted: true, answeredAtMs: 5, evidence: 'no arbiter is configured' }]);
    expect(arbiter.name).toBe('none');
    arbiter.close();
  });
});

describe('a witness', () => {
  it('that answers grants, as soon as it does', async () => {
    const { segment, arbiter, verdicts, ask } = setUp();
    const witness = segment.host(WITNESS);
    ask();
    await segment.run(1);
    expect(verdicts).toEqual([
      {
        granted: true,
        answeredAtMs: expect.closeTo(0.1) as number,
        evidence: `10.77.0.1 answered from ${witness.port.mac.toString()} after 0.1 ms`,
      },
    ]);
    expect(arbiter.name).toBe('witness 10.77.0.1');
  });

  it('is asked anew for each question: that it answered before is no answer', async () => {
    const { segment, verdicts, ask } = setUp();
    const witness = segment.host(WITNESS);
    ask();
    await segment.run(1);
    witness.arp.close();
    ask();
    await segment.run(150);
    expect(verdicts.map(({ granted }) => granted)).toEqual([true, false]);
  });

  it('that does not answer within the time denies', async () => {
    const { segment, verdicts, ask } = setUp();
    ask();
    await segment.run(99);
    expect(verdicts).toEqual([]);
    await segment.run(2);
    expect(verdicts).toMatchObject([
      { granted: false, answeredAtMs: 100, evidence: '10.77.0.1 did not answer within 100 ms' },
    ]);
  });

  it('that answers only after some lost requests still grants', async () => {
    const { segment, asker, verdicts, ask } = setUp();
    const witness = segment.host(WITNESS);
    segment.isolate(asker.port, [witness.port]);
    ask();
    await segment.run(35);
    segment.network.heal(asker.port, witness.port);
    segment.network.heal(witness.port, asker.port);
    await segment.run(15);
    expect(verdicts).toMatchObject([{ granted: true }]);
  });

  it('answers the latest question only', async () => {
    const { segment, arbiter, verdicts, ask } = setUp();
    const answers: string[] = [];
    arbiter.consult(() => answers.push('first'));
    await segment.run(50);
    arbiter.consult(() => answers.push('second'));
    await segment.run(200);
    expect(answers).toEqual(['second']);
    ask();
    arbiter.close();
    await segment.run(200);
    expect(verdicts).toEqual([]);
  });

  it('is not asked through an endpoint that is closed', async () => {
    const segment = new Segment();
    const port = segment.network.port({ mac: segment.newMac() });
    const arp = new ArpEndpoint({ device: port, clock: segment.clock, random: new SeededRandom(1) });
    arp.close();
    const arbiter = new WitnessArbiter({
      arp,
      clock: segment.clock,
      witness: Ipv4Address.parse(WITNESS),
      timeoutMs: 100,
    });
    const verdicts: ArbiterVerdict[] = [];
    arbiter.consult((verdict) => verdicts.push(verdict));
    await segment.run(500);
    expect(verdicts).toEqual([]);
    arbiter.close();
  });
});
