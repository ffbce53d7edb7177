// What the lab tests share: a pair of echo-udp nodes, a capture of everything they do, and the verdict of tshark on it.
import { execFileSync } from 'node:child_process';
import {
  analyse,
  Lab,
  NodePair,
  startUdpProbe,
  STANDARD_ADDRESSES,
  type Capture,
  type UdpProbe,
  type UdpProbeOptions,
} from '@rfsis/tool-lab';
import { expect } from 'vitest';

const verdict = Lab.available();

/** Why the lab cannot run here; undefined when it can. Continuous integration runs as root and must not skip. */
export const obstacle = verdict.ok ? undefined : verdict.reason;

export const SERVICE = STANDARD_ADDRESSES.service;
export const PORT = 7;

/** Fast beats: a death is noticed within 30 ms. */
export const FAST = { heartbeat: { intervalMs: 10, timeoutMs: 30 } };

/** A pair in a lab, with everything on the switch captured. */
export interface Scene {
  readonly pair: NodePair;
  readonly capture: Capture;
}

/**
 * Runs a scenario: alpha is main and beta its backup when it begins. Afterwards tshark must find no malformed frame and
 * no bad checksum in what was captured.
 */
export async function scene(
  play: (scene: Scene) => Promise<void>,
  configuration: Readonly<Record<string, unknown>> = {},
  options: { readonly start?: boolean; readonly offloads?: boolean } = {},
): Promise<void> {
  await using pair = await NodePair.create({
    application: 'apps/echo-udp/dist/main.js',
    configuration,
    ...(options.offloads === undefined ? {} : { offloads: options.offloads }),
  });
  const capture = await pair.lab.capture('switch');
  if (options.start !== false) await pair.start();
  await play({ pair, capture });
  const { file, frames } = await capture.stop();
  expect(frames).toBeGreaterThan(0);
  // With offloads on, frames of kernels pass the switch before their checksums are filled in.
  if (options.offloads !== true) expect((await analyse(file)).findings).toEqual([]);
}

/** A client that checks every datagram, one each millisecond. */
export async function probe(pair: NodePair, options: Partial<UdpProbeOptions> = {}): Promise<UdpProbe> {
  const prober = await startUdpProbe(pair.client, { address: SERVICE, port: PORT, ...options });
  await prober.answered();
  return prober;
}

/** Asks a node over its control socket. */
export function control(path: string, method: string, socket: string): { status: number; body: string } {
  const output = execFileSync(
    'curl',
    ['-sS', '-X', method, '--unix-socket', socket, '-w', '\n%{http_code}', `http://node${path}`],
    { encoding: 'utf8', timeout: 10_000 },
  );
  const cut = output.lastIndexOf('\n');
  return { status: Number(output.slice(cut + 1)), body: output.slice(0, cut) };
}
