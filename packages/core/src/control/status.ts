// What a node says about itself: the body of GET /status.
import type { Role } from '@rfsis/heartbeat';
import type { Protection } from '../role/role-machine.js';

/** Figures of the arrival of the peer's beats. Times are in milliseconds. */
export interface HeartbeatStatus {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly detector: 'fixed' | 'phi';
  /** Beats heard from the peer. */
  readonly heard: number;
  readonly sent: number;
  readonly gapMeanMs: number;
  readonly gapStddevMs: number;
  readonly gapP99Ms: number;
  readonly gapMaxMs: number;
  /** Time that was left when the longest gap ended: how near the pair came to a false alarm. */
  readonly marginMs: number;
  /** The latest a beat of our own left. */
  readonly ownLatenessMaxMs: number;
  /** Beats that failed authentication. */
  readonly forged: number;
  /** Beats that were heard before. */
  readonly replayed: number;
}

/** The body of `GET /status`. */
export interface NodeStatus {
  readonly role: Role;
  /** Whether clients are answered by this node now. */
  readonly serving: boolean;
  readonly epoch: number;
  readonly sync: { readonly state: Protection; readonly connections: number };
  /** Octets that would be lost if this node died now; 0 for services without connections. */
  readonly bytesAtRisk: number;
  readonly connections: number;
  readonly serviceAddress: string;
  readonly nodeAddress: string;
  readonly interface: string;
  readonly mac: string;
  readonly linkUp: boolean;
  readonly uptimeMs: number;
  readonly arbiter: string;
  readonly peer: {
    readonly address: string;
    readonly mac: string | null;
    /** Milliseconds since it was last heard; null when never. */
    readonly ageMs: number | null;
    readonly alive: boolean;
    readonly role: Role | null;
    readonly epoch: number | null;
  };
  readonly heartbeat: HeartbeatStatus;
  /** Takeovers of this process. */
  readonly takeovers: number;
  readonly fencings: number;
  readonly conflicts: number;
}
