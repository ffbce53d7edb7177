import { expect, it } from 'vitest';
import {
  keepalivedConfiguration,
  keepalivedVersion,
} from '../../src/failover-udp/keepalived-configuration.js';

it('gives keepalived its fastest timers and no reason to move the address back', () => {
  const text = keepalivedConfiguration({ name: 'beta', interface: 'eth0', serviceAddress: '10.77.0.10/24' });
  for (const line of ['vrrp_version 3', 'advert_int 0.01', 'priority 254', 'state BACKUP', 'nopreempt']) {
    expect(text).toContain(`  ${line}\n`);
  }
  expect(text).toContain('router_id beta');
  expect(text).toContain('10.77.0.10/24 dev eth0');
  expect(text.match(/\{/g)?.length).toBe(text.match(/\}/g)?.length);
});

it('finds the version', () => {
  expect(keepalivedVersion('Keepalived v2.2.7 (01/16,2022)\n\nCopyright')).toBe('2.2.7');
  expect(keepalivedVersion('exec of "keepalived" failed: No such file or directory')).toBeUndefined();
});
