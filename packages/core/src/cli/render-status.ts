// A node's status as lines for people.
import type { NodeStatus } from '../control/status.js';

/** Characters of the bar that shows how near to a false alarm the pair has come. */
const BAR_WIDTH = 30;

/** Some lines, each ended. */
export function renderStatus(status: NodeStatus): string {
  const { peer, heartbeat, sync } = status;
  const rows: [string, string][] = [
    [
      'service',
      `${status.serviceAddress} on ${status.interface} (${status.mac})${status.linkUp ? '' : ', NO CARRIER'}`,
    ],
    ['role', `${status.role}${status.serving ? ', serving' : ''}, epoch ${status.epoch}, ${sync.state}`],
    ['peer', describePeer(peer)],
    ['beats', `${heartbeat.sent} sent, ${heartbeat.heard} heard, each ${heartbeat.intervalMs} ms`],
    [
      'gaps',
      `mean ${heartbeat.gapMeanMs} ms, deviation ${heartbeat.gapStddevMs} ms, longest ${heartbeat.gapMaxMs} ms`,
    ],
    ['margin', describeMargin(status)],
    ['since start', describeHistory(status)],
    ['arbiter', status.arbiter],
  ];
  return rows.map(([name, text]) => `${name.padEnd(12)} ${text}\n`).join('');
}

function describePeer(peer: NodeStatus['peer']): string {
  if (peer.ageMs === null) return `${peer.address} never heard`;
  const state = peer.alive ? `alive, ${peer.role ?? 'unknown'}` : 'DEAD';
  return `${peer.address} (${peer.mac ?? 'unknown'}) ${state}, heard ${peer.ageMs.toFixed(1)} ms ago`;
}

function describeMargin({ heartbeat }: NodeStatus): string {
  const used = Math.min(1, Math.max(0, 1 - heartbeat.marginMs / heartbeat.timeoutMs));
  const filled = Math.round(used * BAR_WIDTH);
  const bar = `${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}`;
  return `[${bar}] ${heartbeat.marginMs} of ${heartbeat.timeoutMs} ms left at the closest`;
}

function describeHistory(status: NodeStatus): string {
  const seconds = Math.round(status.uptimeMs / 1000);
  const { takeovers, fencings, conflicts, heartbeat } = status;
  return (
    `${seconds} s, ${takeovers} takeovers, ${fencings} fencings, ${conflicts} conflicts, ` +
    `${heartbeat.forged} forged and ${heartbeat.replayed} replayed beats`
  );
}
