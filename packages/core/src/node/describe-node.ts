// The status of a node, gathered from its parts.
import type { LinkDevice } from '@rfsis/link';
import type { Configuration } from '../config/configuration.js';
import type { NodeStatus } from '../control/status.js';
import type { Arbiter } from '../role/arbiter.js';
import type { RoleMachine } from '../role/role-machine.js';
import type { Journal } from './journal.js';
import type { Pulse } from './pulse.js';

/** The parts that are asked. */
export interface NodeParts {
  readonly configuration: Configuration;
  readonly link: LinkDevice;
  readonly machine: RoleMachine;
  readonly pulse: Pulse;
  readonly journal: Journal;
  readonly arbiter: Arbiter;
  readonly serving: boolean;
  readonly uptimeMs: number;
}

/** The body of `GET /status`. */
export function describeNode(parts: NodeParts): NodeStatus {
  const { configuration, link, machine, pulse, journal } = parts;
  const { peer } = pulse;
  return {
    role: machine.role,
    serving: parts.serving,
    epoch: machine.epoch,
    sync: { state: machine.protection, connections: 0 },
    bytesAtRisk: 0,
    connections: 0,
    serviceAddress: configuration.serviceAddress.toString(),
    nodeAddress: configuration.nodeAddress.toString(),
    interface: configuration.interface,
    mac: link.mac.toString(),
    linkUp: link.up,
    uptimeMs: parts.uptimeMs,
    arbiter: parts.arbiter.name,
    peer: {
      address: configuration.peerAddress.toString(),
      mac: pulse.peerMac?.toString() ?? null,
      ageMs: pulse.peerAgeMs ?? null,
      alive: pulse.peerAlive,
      role: peer?.role ?? null,
      epoch: peer?.epoch ?? null,
    },
    heartbeat: pulse.status(),
    takeovers: journal.takeovers,
    fencings: journal.fencings,
    conflicts: journal.conflicts,
  };
}
