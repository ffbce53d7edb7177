// The addresses of a node belong to the user-space stack alone: a kernel that has one too answers in its place.
import { networkInterfaces } from 'node:os';
import type { Configuration } from '../config/configuration.js';
import { RfsisError } from '../errors.js';

/**
 * @param interfaces what the kernel has, as `os.networkInterfaces` tells it
 * @throws {RfsisError} `RFSIS_ADDRESS_IN_USE` when the kernel of this machine has the service's or this node's address
 */
export function refuseKernelAddresses(
  { serviceAddress, nodeAddress }: Configuration,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): void {
  const wanted = [serviceAddress.address.toString(), nodeAddress.toString()];
  for (const [name, addresses = []] of Object.entries(interfaces)) {
    const taken = addresses.find(({ address }) => wanted.includes(address));
    if (taken === undefined) continue;
    throw new RfsisError(
      'RFSIS_ADDRESS_IN_USE',
      `the kernel of this machine has ${taken.address} and would answer in the node's place: ` +
        `ip addr del ${taken.cidr ?? taken.address} dev ${name}`,
    );
  }
}
