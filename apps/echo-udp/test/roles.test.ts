// Who is main after starts, deaths, freezes, partitions and handovers, with real processes on real interfaces.
import { frames, type NodePair } from '@rfsis/tool-lab';
import { describe, expect, it } from 'vitest';
import { control, obstacle, probe, scene, SERVICE } from './lab.js';

/** A filter for everything a node says in the name of the service. */
function inTheNameOfTheService(mac: string): string {
  return `eth.src == ${mac} && (ip.src == ${SERVICE} || arp.src.proto_ipv4 == ${SERVICE})`;
}

function roles(pair: NodePair): (string | undefined)[] {
  return [pair.alpha.role, pair.beta.role];
}

describe.skipIf(obstacle !== undefined)(`roles ${obstacle ?? ''}`, () => {
  it('power loss: the service goes back and forth ten times', async () => {
    await scene(async ({ pair }) => {
      const prober = await probe(pair);
      let [main, backup] = [pair.alpha, pair.beta];
      for (let round = 0; round < 10; round++) {
        const mark = backup.process.mark();
        await pair.powerLoss(main);
        await backup.becomes('main', mark);
        const restarted = backup.process.mark();
        await pair.powerUp(main);
        expect(main.role).toBe('backup');
        await pair.isProtected(backup, restarted);
        [main, backup] = [backup, main];
      }
      const report = await prober.stop();
      expect(report).toMatchObject({ duplicated: 0, corrupted: 0 });
      expect(JSON.parse(control('/status', 'GET', main.controlSocket).body)).toMatchObject({
        role: 'main',
        serving: true,
        epoch: 11,
      });
    });
  });

  it('both started in the same instant, ten times: exactly one main', async () => {
    await scene(
      async ({ pair }) => {
        for (let round = 0; round < 10; round++) {
          const processes = [pair.alpha.spawn(), pair.beta.spawn()];
          await Promise.all(processes.map((each) => each.waitForEvent({ event: 'ready' }, 20_000)));
          const main = pair.nodes.find((node) => node.role === 'main');
          if (main !== undefined) await pair.isProtected(main);
          expect(roles(pair).sort()).toEqual(['backup', 'main']);
          const claims = processes.flatMap((each) => each.events({ event: 'role', to: 'main' }));
          expect(claims).toHaveLength(1);
          await Promise.all(processes.map((each) => each.kill()));
        }
      },
      {},
      { start: false },
    );
  });

  it('the backup dies and returns: the client sees nothing', async () => {
    await scene(async ({ pair }) => {
      const prober = await probe(pair);
      const mark = pair.alpha.process.mark();
      await pair.powerLoss(pair.beta);
      await pair.alpha.process.waitForEvent({ event: 'sync', state: 'solo' }, 5000, mark);
      const alone = pair.alpha.process.mark();
      await pair.powerUp(pair.beta);
      await pair.isProtected(pair.alpha, alone);
      const report = await prober.stop();
      expect(report).toMatchObject({ lost: 0, duplicated: 0, corrupted: 0, errors: {} });
      expect(roles(pair)).toEqual(['main', 'backup']);
    });
  });

  it('a main stopped for 2 s (SIGSTOP) sends nothing as main when it wakes, fences itself and rejoins', async () => {
    await scene(async ({ pair, capture }) => {
      const prober = await probe(pair);
      const mark = pair.alpha.process.mark();
      await pair.lab.freeze(pair.alpha.process);
      await pair.beta.becomes('main');
      // A client that never learns goes on writing to the frozen node.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      await pair.lab.thaw(pair.alpha.process);
      await pair.alpha.process.waitForEvent({ event: 'fenced', reason: 'rival' }, 5000, mark);
      await pair.alpha.becomes('backup', mark);
      const report = await prober.stop();
      expect(report).toMatchObject({ duplicated: 0, corrupted: 0 });
      const { file } = await capture.stop();
      const [takeover] = await frames(file, inTheNameOfTheService(pair.beta.host.mac.toString()), [
        'frame.time_relative',
      ]);
      const claimedAt = takeover?.['frame.time_relative'] ?? '';
      const late = await frames(
        file,
        `${inTheNameOfTheService(pair.alpha.host.mac.toString())} && frame.time_relative > ${claimedAt}`,
        ['frame.number'],
      );
      expect(Number(claimedAt)).toBeGreaterThan(0);
      expect(late).toEqual([]);
    });
  });

  it('a partition heals to one main', async () => {
    await scene(async ({ pair }) => {
      const mark = pair.alpha.process.mark();
      await pair.lab.partition([pair.alpha.host], [pair.beta.host]);
      await pair.beta.becomes('main');
      await pair.lab.heal();
      await pair.alpha.process.waitForEvent({ event: 'fenced', reason: 'rival' }, 5000, mark);
      await pair.alpha.becomes('backup', mark);
      expect(roles(pair)).toEqual(['backup', 'main']);
      const prober = await probe(pair, { durationMs: 500 });
      expect(await prober.report).toMatchObject({ lost: 0, duplicated: 0, corrupted: 0 });
    });
  });

  it('with a witness the side that cannot reach it does not serve', async () => {
    await scene(
      async ({ pair }) => {
        const mark = pair.alpha.process.mark();
        await pair.lab.partition([pair.alpha.host], [pair.beta.host, pair.gateway]);
        await pair.beta.becomes('main');
        await pair.alpha.process.waitForEvent({ event: 'fenced', reason: 'isolated' }, 5000, mark);
        const isolated = pair.alpha.process.mark();
        await pair.lab.heal();
        await pair.alpha.becomes('backup', isolated);
        expect(roles(pair)).toEqual(['backup', 'main']);
      },
      { witness: '10.77.0.1' },
    );
  });

  it('a lost carrier counts as a death; the node asks before it speaks again', async () => {
    await scene(async ({ pair }) => {
      const prober = await probe(pair);
      const mark = pair.alpha.process.mark();
      await pair.lab.linkDown(pair.alpha.host);
      await pair.beta.becomes('main');
      await pair.alpha.process.waitForEvent({ event: 'link', up: false }, 5000, mark);
      await pair.lab.linkUp(pair.alpha.host);
      await pair.alpha.becomes('backup', mark);
      expect(await prober.stop()).toMatchObject({ duplicated: 0, corrupted: 0 });
    });
  });

  it('handover: asked for over the control socket, and by SIGTERM', async () => {
    await scene(async ({ pair }) => {
      const prober = await probe(pair);
      const [mark, betaMark] = [pair.alpha.process.mark(), pair.beta.process.mark()];
      const answer = control('/handover', 'POST', pair.alpha.controlSocket);
      expect(answer.status, answer.body).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({ role: 'backup', serving: false });
      await pair.beta.becomes('main', betaMark);
      await pair.isProtected(pair.beta, betaMark);
      await pair.alpha.becomes('backup', mark);
      expect(roles(pair)).toEqual(['backup', 'main']);
      expect(control('/handover', 'POST', pair.alpha.controlSocket)).toMatchObject({ status: 409 });
      expect(control('/metrics', 'GET', pair.beta.controlSocket).body).toMatch(
        /^rfsis_role\{role="main"\} 1$/m,
      );

      expect(await pair.beta.process.stop()).toMatchObject({ code: 0 });
      await pair.alpha.becomes('main');
      const report = await prober.stop();
      expect(report).toMatchObject({ duplicated: 0, corrupted: 0 });
      expect(report.lost).toBeLessThan(100);
    });
  });

  it('5 % random loss causes no takeover', async () => {
    await scene(async ({ pair }) => {
      await pair.lab.loss(pair.alpha.host, 0.05);
      const prober = await probe(pair, { durationMs: 4000 });
      const report = await prober.report;
      expect(report).toMatchObject({ duplicated: 0, corrupted: 0 });
      expect(pair.beta.process.events({ event: 'takeover' })).toEqual([]);
      expect(roles(pair)).toEqual(['main', 'backup']);
    });
  });
});
