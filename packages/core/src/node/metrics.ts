// GET /metrics: the status as Prometheus metrics. Values are read when they are asked for.
import { Counter, Gauge, Registry } from 'prom-client';
import type { NodeStatus } from '../control/status.js';

const ROLES = ['joining', 'backup', 'main', 'fenced'] as const;
const SYNC_STATES = ['solo', 'joining', 'protected'] as const;

/** Counters of the layers below: numbers, or objects of such. */
export interface CounterTree {
  readonly [name: string]: number | CounterTree;
}

/**
 * Makes a registry of its own, so that several nodes in one process do not mix.
 * @param counters what the layers have counted, by layer: each dropped frame is there under its reason
 */
export function createMetrics(status: () => NodeStatus, counters: () => CounterTree): Registry {
  const registry = new StatusRegistry(status);
  addLayers(registry, counters);
  addGauges(registry, registry.current);
  addStates(registry, registry.current);
  addCounters(registry, registry.current);
  return registry;
}

/** Looks at the status once for all metrics of an answer, not once for each. */
class StatusRegistry extends Registry {
  readonly #status: () => NodeStatus;
  #snapshot: NodeStatus | undefined;

  constructor(status: () => NodeStatus) {
    super();
    this.#status = status;
  }

  /** The status that the answer under way speaks of. */
  readonly current = (): NodeStatus => this.#snapshot ?? this.#status();

  override async metrics(): Promise<string> {
    this.#snapshot = this.#status();
    try {
      return await super.metrics();
    } finally {
      this.#snapshot = undefined;
    }
  }
}

function addLayers(registry: Registry, counters: () => CounterTree): void {
  new Counter({
    name: 'rfsis_layer_events_total',
    help: 'What each layer has counted, such as frames dropped under a reason.',
    labelNames: ['layer', 'event'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [layer, tree] of Object.entries(counters())) {
        for (const [event, count] of leaves(tree)) this.inc({ layer, event }, count);
      }
    },
  });
}

/** All numbers of a tree under their paths, such as `rxDrops.ethertype`. */
function leaves(tree: number | CounterTree, path = ''): [string, number][] {
  if (typeof tree === 'number') return [[path, tree]];
  return Object.entries(tree).flatMap(([name, each]) => leaves(each, path === '' ? name : `${path}.${name}`));
}

function addGauges(registry: Registry, status: () => NodeStatus): void {
  const gauges: [string, string, (now: NodeStatus) => number][] = [
    ['rfsis_serving', '1 while this node answers the clients.', (now) => Number(now.serving)],
    ['rfsis_epoch', 'The epoch this node lives in.', (now) => now.epoch],
    ['rfsis_connections', 'Open connections.', (now) => now.connections],
    ['rfsis_bytes_at_risk', 'Octets that would be lost if this node died now.', (now) => now.bytesAtRisk],
    ['rfsis_link_up', '1 while the interface has a carrier.', (now) => Number(now.linkUp)],
    ['rfsis_peer_alive', '1 while the peer is heard.', (now) => Number(now.peer.alive)],
    ['rfsis_peer_age_seconds', 'Time since the peer was heard.', (now) => (now.peer.ageMs ?? NaN) / 1000],
    ['rfsis_heartbeat_gap_mean_seconds', 'Mean time between beats.', (now) => now.heartbeat.gapMeanMs / 1000],
    ['rfsis_heartbeat_gap_stddev_seconds', 'Jitter of the beats.', (now) => now.heartbeat.gapStddevMs / 1000],
    [
      'rfsis_heartbeat_gap_max_seconds',
      'Longest time between beats.',
      (now) => now.heartbeat.gapMaxMs / 1000,
    ],
    [
      'rfsis_heartbeat_margin_seconds',
      'Time that was left when the longest gap ended.',
      (now) => now.heartbeat.marginMs / 1000,
    ],
    [
      'rfsis_heartbeat_own_lateness_max_seconds',
      'The latest a beat of this node left.',
      (now) => now.heartbeat.ownLatenessMaxMs / 1000,
    ],
  ];
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read(status()));
      },
    });
  }
}

function addStates(registry: Registry, status: () => NodeStatus): void {
  new Gauge({
    name: 'rfsis_role',
    help: '1 for the role this node has.',
    labelNames: ['role'],
    registers: [registry],
    collect() {
      const { role } = status();
      for (const each of ROLES) this.set({ role: each }, Number(each === role));
    },
  });
  new Gauge({
    name: 'rfsis_sync_state',
    help: '1 for the state of protection.',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { sync } = status();
      for (const each of SYNC_STATES) this.set({ state: each }, Number(each === sync.state));
    },
  });
}

function addCounters(registry: Registry, status: () => NodeStatus): void {
  const counters: [string, string, (now: NodeStatus) => number][] = [
    ['rfsis_takeovers_total', 'Times this node took the service over.', (now) => now.takeovers],
    ['rfsis_fencings_total', 'Times this node fenced itself.', (now) => now.fencings],
    ['rfsis_conflicts_total', 'Foreign claims of the service address.', (now) => now.conflicts],
    ['rfsis_heartbeats_sent_total', 'Beats sent.', (now) => now.heartbeat.sent],
    ['rfsis_heartbeats_heard_total', 'Beats heard from the peer.', (now) => now.heartbeat.heard],
    ['rfsis_heartbeats_forged_total', 'Beats that failed authentication.', (now) => now.heartbeat.forged],
    ['rfsis_heartbeats_replayed_total', 'Beats that were heard before.', (now) => now.heartbeat.replayed],
  ];
  for (const [name, help, read] of counters) {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read(status()));
      },
    });
  }
}
