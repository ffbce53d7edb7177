// Hosts that mean ill, and hosts that are set up wrongly.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rawFrames, sendFrames, startForeignClaimant } from '@rfsis/tool-lab';
import { describe, expect, it } from 'vitest';
import { control, obstacle, probe, scene, SERVICE } from './lab.js';

const KEY = '000102030405060708090a0b0c0d0e0f';

// Offsets in a beat's frame: Ethernet header, ARP body, trailer (its layout is in the README of @rfsis/heartbeat).
const TRAILER = 14 + 28;
const ROLE = TRAILER + 6;
const SEQUENCE = TRAILER + 28;

describe.skipIf(obstacle !== undefined)(`strangers ${obstacle ?? ''}`, () => {
  it('a foreign claim of the service address is defended against and logged', async () => {
    await scene(async ({ pair }) => {
      const prober = await probe(pair);
      const stranger = await pair.lab.addHost('stranger', { address: '10.77.0.66/24' });
      await using claimant = await startForeignClaimant(stranger, { address: SERVICE, intervalMs: 1000 });
      const { fields } = await pair.alpha.process.waitForEvent({ event: 'conflict' }, 5000);
      expect(fields).toMatchObject({ mac: stranger.mac.toString(), address: SERVICE });
      await claimant.kill();
      const report = await prober.stop();
      expect(report).toMatchObject({ duplicated: 0, corrupted: 0 });
      expect(report.longestGapMs).toBeLessThan(1000);
      expect(pair.alpha.role).toBe('main');
    });
  });

  it('forged and replayed beats are counted and ignored', async () => {
    await scene(
      async ({ pair, capture }) => {
        const stranger = await pair.lab.addHost('stranger', { address: '10.77.0.66/24' });
        const prober = await probe(pair);
        const first = await capture.stop();
        const beats = await rawFrames(first.file, 'arp && frame.len > 100');
        const fromBeta = beats.filter((beat) =>
          Buffer.from(beat.subarray(6, 12)).equals(macOctets(pair.beta.host.mac)),
        );
        expect(fromBeta.length).toBeGreaterThan(0);
        const forged = fromBeta.map((beat) => {
          const changed = beat.slice();
          // A backup that says it is main, with a sequence number to come.
          changed[ROLE] = 3;
          changed[SEQUENCE + 5] = 1;
          // From its own interface, so that the switch does not lose the backup.
          changed.set(macOctets(stranger.mac), 6);
          return changed;
        });
        const replayed = fromBeta.map((beat) => {
          const changed = beat.slice();
          changed.set(macOctets(stranger.mac), 6);
          return changed;
        });
        await sendFrames(stranger, [...forged, ...replayed], { times: 5, intervalMs: 1 });
        const { heartbeat, role, epoch } = JSON.parse(
          control('/status', 'GET', pair.alpha.controlSocket).body,
        ) as {
          heartbeat: { forged: number; replayed: number };
          role: string;
          epoch: number;
        };
        expect(heartbeat.forged).toBeGreaterThan(0);
        expect(heartbeat.replayed).toBeGreaterThan(0);
        expect({ role, epoch }).toEqual({ role: 'main', epoch: 1 });
        expect(await prober.stop()).toMatchObject({ lost: 0, duplicated: 0, corrupted: 0 });
      },
      { sync: { key: KEY } },
    );
  });
});

function macOctets(mac: { writeTo(bytes: Uint8Array, offset: number): void }): Buffer {
  const octets = Buffer.alloc(6);
  mac.writeTo(octets, 0);
  return octets;
}

describe.skipIf(obstacle !== undefined)(`what a user can mend ${obstacle ?? ''}`, () => {
  it('is one clear line on standard error and exit code 2', async () => {
    await scene(
      async ({ pair }) => {
        const { alpha, client, lab } = pair;
        const good = JSON.parse(readFileSync(alpha.configurationFile, 'utf8')) as object;
        const run = async (configuration: unknown, wrapper: readonly string[] = []) => {
          const file = lab.writeJson('bad.json', configuration);
          execFileSync('chmod', ['-R', 'a+rX', lab.folder]);
          const application = new URL('../dist/main.js', import.meta.url).pathname;
          return alpha.host.exec([...wrapper, process.execPath, application, '--config', file], {
            timeoutMs: 20_000,
          });
        };
        const complaints: [unknown, RegExp, string[]?][] = [
          [{ ...good, port: 'seven' }, /bad\.json: port: expected an integer, got "seven"/],
          [{ ...good, hartbeat: {} }, /bad\.json: hartbeat: unknown key; expected one of .*heartbeat/],
          [{ ...good, interface: 'eth7' }, /no network interface "eth7": .*eth0/],
          [good, /root|CAP_NET_RAW/, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']],
        ];
        for (const [configuration, message, wrapper] of complaints) {
          const { code, stderr } = await run(configuration, wrapper);
          expect(
            stderr
              .trim()
              .split('\n')
              .filter((line) => !line.startsWith('Warning: ')),
            stderr,
          ).toHaveLength(1);
          expect(stderr).toMatch(message);
          expect(code).toBe(2);
        }
        await client.addAddress(`${SERVICE}/32`);
        const { code, stderr } = await run(good);
        expect(stderr).toMatch(
          new RegExp(`10\\.77\\.0\\.10 is already in use by ${client.mac.toString()}: stop that host`),
        );
        expect(code).toBe(2);
      },
      {},
      { start: false },
    );
  });
});
