import { describe, expect, it } from 'vitest';
import { renderStatus } from '../../src/cli/render-status.js';
import { SAMPLE_STATUS } from '../control/sample-status.js';

describe('the status for people', () => {
  it('of a healthy pair', () => {
    expect(renderStatus(SAMPLE_STATUS)).toBe(
      [
        'service      10.77.0.10/24 on eth0 (02:00:00:00:00:01)',
        'role         main, serving, epoch 3, protected',
        'peer         10.77.0.12 (02:00:00:00:00:02) alive, backup, heard 4.3 ms ago',
        'beats        3051 sent, 3050 heard, each 20 ms',
        'gaps         mean 20 ms, deviation 0.4 ms, longest 25 ms',
        'margin       [########......................] 75 of 100 ms left at the closest',
        'since start  61 s, 1 takeovers, 0 fencings, 0 conflicts, 0 forged and 0 replayed beats',
        'arbiter      none',
        '',
      ].join('\n'),
    );
  });

  it('of a node in trouble', () => {
    const { peer, heartbeat } = SAMPLE_STATUS;
    const text = renderStatus({
      ...SAMPLE_STATUS,
      linkUp: false,
      serving: false,
      role: 'fenced',
      peer: { ...peer, alive: false },
      heartbeat: { ...heartbeat, marginMs: -20 },
    });
    expect(text).toContain('(02:00:00:00:00:01), NO CARRIER\n');
    expect(text).toContain('role         fenced, epoch 3');
    expect(text).toContain('DEAD, heard 4.3 ms ago');
    expect(text).toContain('[##############################] -20 of 100 ms left');
  });

  it('of a node that never heard a peer', () => {
    const text = renderStatus({
      ...SAMPLE_STATUS,
      peer: { address: '10.77.0.12', mac: null, ageMs: null, alive: false, role: null, epoch: null },
    });
    expect(text).toContain('peer         10.77.0.12 never heard\n');
  });
});
