import { describe, expect, it } from 'vitest';
import { createMetrics, type CounterTree } from '../../src/node/metrics.js';
import type { NodeStatus } from '../../src/control/status.js';
import { SAMPLE_STATUS } from '../control/sample-status.js';
import { parsePrometheus } from './prometheus.js';

async function valuesOf(
  status: NodeStatus,
  counters: CounterTree = {},
): Promise<(name: string, labels?: string) => number | undefined> {
  const metrics = parsePrometheus(
    await createMetrics(
      () => status,
      () => counters,
    ).metrics(),
  );
  return (name, labels = '') => metrics.get(name)?.samples.get(labels);
}

describe('the metrics', () => {
  it('look at the status once for each answer', async () => {
    let looks = 0;
    const registry = createMetrics(
      () => {
        looks++;
        return { ...SAMPLE_STATUS, epoch: looks };
      },
      () => ({}),
    );
    await registry.metrics();
    expect(looks).toBe(1);
    const second = parsePrometheus(await registry.metrics());
    expect(looks).toBe(2);
    expect(second.get('rfsis_epoch')?.samples.get('')).toBe(2);
  });

  it('are the figures of the status, in seconds where they are times', async () => {
    const value = await valuesOf({ ...SAMPLE_STATUS, takeovers: 2, fencings: 3, conflicts: 4 });
    expect(
      Object.fromEntries(
        [
          'rfsis_serving',
          'rfsis_epoch',
          'rfsis_link_up',
          'rfsis_peer_alive',
          'rfsis_peer_age_seconds',
          'rfsis_heartbeat_gap_max_seconds',
          'rfsis_heartbeat_margin_seconds',
          'rfsis_takeovers_total',
          'rfsis_fencings_total',
          'rfsis_conflicts_total',
          'rfsis_heartbeats_sent_total',
          'rfsis_heartbeats_heard_total',
        ].map((name) => [name, value(name)]),
      ),
    ).toEqual({
      rfsis_serving: 1,
      rfsis_epoch: 3,
      rfsis_link_up: 1,
      rfsis_peer_alive: 1,
      rfsis_peer_age_seconds: 0.00426,
      rfsis_heartbeat_gap_max_seconds: 0.025,
      rfsis_heartbeat_margin_seconds: 0.075,
      rfsis_takeovers_total: 2,
      rfsis_fencings_total: 3,
      rfsis_conflicts_total: 4,
      rfsis_heartbeats_sent_total: 3051,
      rfsis_heartbeats_heard_total: 3050,
    });
  });

  it('have one state at a time', async () => {
    const value = await valuesOf({
      ...SAMPLE_STATUS,
      role: 'backup',
      sync: { state: 'solo', connections: 0 },
    });
    const each = (metric: string, label: string, names: string[]): (number | undefined)[] =>
      names.map((name) => value(metric, `{${label}="${name}"}`));
    expect(each('rfsis_role', 'role', ['joining', 'backup', 'main', 'fenced'])).toEqual([0, 1, 0, 0]);
    expect(each('rfsis_sync_state', 'state', ['solo', 'joining', 'protected'])).toEqual([1, 0, 0]);
  });

  it('know no age of a peer that was never heard', async () => {
    const value = await valuesOf({ ...SAMPLE_STATUS, peer: { ...SAMPLE_STATUS.peer, ageMs: null } });
    expect(value('rfsis_peer_age_seconds')).toBeNaN();
  });

  it('count what the layers count, under layer and path, and start from zero each time', async () => {
    const registry = createMetrics(
      () => SAMPLE_STATUS,
      () => ({ ipv4: { rxDrops: { 'ipv4-checksum': 2 } }, link: { rxFrames: 7 } }),
    );
    for (let time = 0; time < 2; time++) {
      const { samples } = parsePrometheus(await registry.metrics()).get('rfsis_layer_events_total') ?? {};
      expect(Object.fromEntries(samples ?? [])).toEqual({
        '{layer="ipv4",event="rxDrops.ipv4-checksum"}': 2,
        '{layer="link",event="rxFrames"}': 7,
      });
    }
  });

  it('of two nodes in one process do not mix', async () => {
    const [one, other] = [await valuesOf(SAMPLE_STATUS), await valuesOf({ ...SAMPLE_STATUS, epoch: 9 })];
    expect([one('rfsis_epoch'), other('rfsis_epoch')]).toEqual([3, 9]);
  });

  it('all explain themselves and are named as they should be', async () => {
    const metrics = parsePrometheus(
      await createMetrics(
        () => SAMPLE_STATUS,
        () => ({}),
      ).metrics(),
    );
    expect(metrics.size).toBeGreaterThan(15);
    for (const [name, { type, help }] of metrics) {
      expect(name).toMatch(/^rfsis_/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(help).toMatch(/\.$/);
    }
  });
});
