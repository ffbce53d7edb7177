import { describe, expect, it } from 'vitest';
import { SourceGuard } from '../src/source-guard.js';
import { hex, ip, ipv4Frame, TestDevice } from './network.js';

describe('SourceGuard', () => {
  it('stops IPv4 frames from addresses that are not ours at that moment, and nothing else', () => {
    const device = new TestDevice();
    const owned = new Set([ip('10.0.0.1').value]);
    let revoked = 0;
    const guard = new SourceGuard(
      device,
      (address) => owned.has(address),
      () => revoked++,
    );
    const frame = ipv4Frame(hex('01'), { source: ip('10.0.0.1') });
    expect(guard.send(frame)).toBe(true);
    expect(guard.send(frame, 35)).toBe(true);
    owned.clear();
    expect(guard.send(frame)).toBe(false);
    frame[13] = 6;
    expect(guard.send(frame)).toBe(true);
    expect([device.sent.length, revoked]).toEqual([3, 1]);
    expect([guard.mtu, guard.mac]).toEqual([device.mtu, device.mac]);
  });
});
