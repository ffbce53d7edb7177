import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findNetworkInterface, listNetworkInterfaces, readNetworkInterfaceState } from '../src/index.js';
import { FakeSysfs } from './fake-interface.js';

let sysfs: FakeSysfs;
beforeEach(() => {
  sysfs = new FakeSysfs();
  sysfs.addEthernet('eth1', '02:00:00:00:00:0b');
  sysfs.addEthernet('eth0', '02:00:00:00:00:0a');
  sysfs.set('tun0', { type: 65_534, mtu: 1400 });
});
afterEach(() => {
  sysfs.remove();
});

const refused = (message: RegExp): unknown =>
  expect.objectContaining({
    code: 'RFSIS_LINK_NO_INTERFACE',
    message: expect.stringMatching(message) as string,
  });

describe('findNetworkInterface', () => {
  it('reads the MAC address and the MTU', () => {
    const found = findNetworkInterface('eth0', sysfs.directory);
    expect([found.name, found.mac.toString(), found.mtu]).toEqual(['eth0', '02:00:00:00:00:0a', 1500]);
  });

  it('lists what there is when there is no such interface', () => {
    expect(() => findNetworkInterface('eth7', sysfs.directory)).toThrow(
      refused(/^no network interface "eth7": there is eth0, eth1$/),
    );
    sysfs.unset('eth0');
    sysfs.unset('eth1');
    expect(() => findNetworkInterface('eth7', sysfs.directory)).toThrow(refused(/there is none here/));
    expect(() => findNetworkInterface('eth7', '/nowhere')).toThrow(refused(/there is none here/));
  });

  it('refuses what is not Ethernet', () => {
    expect(() => findNetworkInterface('tun0', sysfs.directory)).toThrow(
      refused(/^"tun0" is no Ethernet interface: there is eth0, eth1$/),
    );
  });

  it.each(['', '.', '..', '../eth0', 'eth0/', 'a-name-that-is-too-long', 'eth 0'])(
    'refuses the name %j',
    (name) => {
      expect(() => findNetworkInterface(name, sysfs.directory)).toThrow(refused(/no network interface/));
    },
  );

  it.runIf(process.platform === 'linux')('says that /sys shows another network namespace', () => {
    expect(() => findNetworkInterface('lo', sysfs.directory)).toThrow(refused(/another network namespace/));
  });
});

it('lists Ethernet interfaces only', () => {
  expect(listNetworkInterfaces(sysfs.directory)).toEqual(['eth0', 'eth1']);
});

describe('readNetworkInterfaceState', () => {
  it('tells switched off from without carrier', () => {
    const state = () => readNetworkInterfaceState('eth0', sysfs.directory);
    expect(state()).toEqual({ up: true, enabled: true, index: 7, carrierChanges: 2 });
    sysfs.set('eth0', { operstate: 'lowerlayerdown', carrier_changes: 3 });
    expect(state()).toEqual({ up: false, enabled: true, index: 7, carrierChanges: 3 });
    sysfs.set('eth0', { operstate: 'unknown' });
    expect(state()?.up).toBe(true);
    sysfs.set('eth0', { flags: '0x1002' });
    expect(state()).toMatchObject({ up: false, enabled: false });
    sysfs.unset('eth0');
    expect(state()).toBeUndefined();
  });
});
