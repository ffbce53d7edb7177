// The network that the demo, the shared lab and the examples use: who is there, and which address is whose.
import type { Lab } from './lab.js';
import type { LabHost } from './lab-host.js';

/** Addresses of the standard network. Those of the service and the nodes live on the user-space stacks. */
export const STANDARD_ADDRESSES = {
  gateway: '10.77.0.1',
  service: '10.77.0.10',
  alpha: '10.77.0.11',
  beta: '10.77.0.12',
  client: '10.77.0.100',
} as const;

/** Prefix length of the standard network. */
export const STANDARD_PREFIX = 24;

/** The two nodes of the standard network, the one that is to be main first. */
export const STANDARD_NODES = ['alpha', 'beta'] as const;

/** The name of a node in the standard network. */
export type StandardNode = (typeof STANDARD_NODES)[number];

/** The hosts of the standard network. */
export interface StandardHosts {
  readonly client: LabHost;
  readonly gateway: LabHost;
  readonly alpha: LabHost;
  readonly beta: LabHost;
}

/** Adds client, gateway, and the nodes alpha and beta. */
export async function addStandardHosts(lab: Lab): Promise<StandardHosts> {
  const withPrefix = (address: string): string => `${address}/${STANDARD_PREFIX}`;
  const [client, gateway, alpha, beta] = await Promise.all([
    lab.addHost('client', {
      address: withPrefix(STANDARD_ADDRESSES.client),
      gateway: STANDARD_ADDRESSES.gateway,
    }),
    lab.addHost('gateway', { address: withPrefix(STANDARD_ADDRESSES.gateway) }),
    lab.addNode('alpha'),
    lab.addNode('beta'),
  ]);
  return { client, gateway, alpha, beta };
}

/** The hosts of the standard network in a lab that has them. */
export function standardHosts(lab: Lab): StandardHosts {
  return {
    client: lab.host('client'),
    gateway: lab.host('gateway'),
    alpha: lab.host('alpha'),
    beta: lab.host('beta'),
  };
}

/** The configuration of an RFSIS node, as the applications read it; anything in `overrides` replaces or adds to it. */
export function nodeConfiguration(
  node: StandardNode,
  overrides: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const [peer] = STANDARD_NODES.filter((each) => each !== node);
  return {
    role: node === STANDARD_NODES[0] ? 'main' : 'backup',
    interface: 'eth0',
    serviceAddress: `${STANDARD_ADDRESSES.service}/${STANDARD_PREFIX}`,
    nodeAddress: STANDARD_ADDRESSES[node],
    peerAddress: STANDARD_ADDRESSES[peer ?? node],
    gateway: STANDARD_ADDRESSES.gateway,
    ...overrides,
  };
}
