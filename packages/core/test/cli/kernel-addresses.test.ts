import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { refuseKernelAddresses } from '../../src/cli/kernel-addresses.js';
import { parseConfiguration } from '../../src/config/configuration.js';

const configuration = parseConfiguration({
  role: 'main',
  interface: 'eth0',
  serviceAddress: '10.77.0.10/24',
  nodeAddress: '10.77.0.11',
  peerAddress: '10.77.0.12',
});

function kernelWith(address: string): Record<string, NetworkInterfaceInfo[]> {
  const info = {
    family: 'IPv4',
    mac: '02:00:00:00:00:01',
    internal: false,
    netmask: '255.255.255.0',
  } as const;
  return { eth0: [{ ...info, address, cidr: `${address}/24` }] };
}

describe('refuseKernelAddresses', () => {
  it.each(['10.77.0.10', '10.77.0.11'])(
    'refuses when the kernel has %s, and says how to take it away',
    (address) => {
      expect(() => {
        refuseKernelAddresses(configuration, kernelWith(address));
      }).toThrow(`ip addr del ${address}/24 dev eth0`);
    },
  );

  it("does not mind the kernel's other addresses", () => {
    expect(() => {
      refuseKernelAddresses(configuration, kernelWith('10.77.0.13'));
    }).not.toThrow();
  });
});
