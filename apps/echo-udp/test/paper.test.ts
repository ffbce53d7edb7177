// The five scenarios of the RFSIS paper, with the kernel's nc and a prober that checks every datagram as clients.
import { frames } from '@rfsis/tool-lab';
import { describe, expect, it } from 'vitest';
import { obstacle, PORT, probe, scene, SERVICE } from './lab.js';

describe.skipIf(obstacle !== undefined)(`the paper's scenarios ${obstacle ?? ''}`, () => {
  it('the backup claims the address when the main dies, and the client goes on', async () => {
    await scene(async ({ pair, capture }) => {
      const nc = pair.client.spawn(['nc', '-u', SERVICE, String(PORT)]);

      // (1) The main server talks to the client.
      nc.write('is anybody there?\n');
      await nc.waitForLine('is anybody there?', 5000);
      expect((await pair.client.neighbour(SERVICE))?.toString()).toBe(pair.alpha.host.mac.toString());

      // (3) and (4) The backup detects the death and claims the address. Kill, not power loss: the carrier stays.
      const prober = await probe(pair);
      const mark = pair.beta.process.mark();
      await pair.lab.kill(pair.alpha.process);
      const takeover = await pair.beta.process.waitForEvent({ event: 'takeover' }, 5000, mark);
      expect(takeover.fields).toMatchObject({ epoch: 2, reason: 'peer-silent', connections: 0 });
      await prober.answeredAgain(5000).catch(() => undefined);
      expect((await pair.client.neighbour(SERVICE))?.toString()).toBe(pair.beta.host.mac.toString());

      // (5) The backup talks to the client: the same nc, the same socket.
      nc.write('still there?\n');
      await nc.waitForLine('still there?', 5000);
      const report = await prober.stop();
      expect(report).toMatchObject({ duplicated: 0, corrupted: 0, errors: {} });
      expect(report.gapCount).toBeLessThanOrEqual(1);

      const { file } = await capture.stop();
      // (2) Beats flow in both directions, and are plain ARP to any tool.
      const beats = await frames(file, 'arp.opcode == 2 && frame.len > 100', ['arp.src.proto_ipv4']);
      const senders = beats.map((beat) => beat['arp.src.proto_ipv4']);
      expect(senders.filter((address) => address === '10.77.0.11').length).toBeGreaterThan(10);
      expect(senders.filter((address) => address === '10.77.0.12').length).toBeGreaterThan(10);
      // (4) The claim is a gratuitous ARP of the new main.
      const claims = await frames(file, `arp.isgratuitous == 1 && arp.src.proto_ipv4 == ${SERVICE}`, [
        'eth.src',
      ]);
      expect(claims.at(-1)?.['eth.src']).toBe(pair.beta.host.mac.toString());
    });
  });

  it('datagrams of up to 65,507 octets come back whole, with the offloads of real interfaces too', async () => {
    for (const offloads of [false, true]) {
      await scene(
        async ({ pair }) => {
          const prober = await probe(pair, {
            intervalMs: 20,
            minSize: 32,
            maxSize: 65_507,
            durationMs: 1500,
          });
          const report = await prober.report;
          expect(report).toMatchObject({ lost: 0, duplicated: 0, corrupted: 0, errors: {} });
        },
        {},
        { offloads },
      );
    }
  });
});
