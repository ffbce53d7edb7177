// How a host of the lab is made, as commands of iproute2, and how one that exists is recognised.
import { Ipv4Address, MacAddress, type Ipv4Cidr } from '@rfsis/link';
import { mustRun } from './commands.js';
import { LabError } from './errors.js';
import type { LabHostFacts } from './lab-host.js';
import { HOST_INTERFACE, namespaceOf, portOf, SWITCH } from './names.js';

/** Locally administered; "RF" in the second and third octet, so that captures are easy to read. */
const HOST_MACS = 0x0252_4600_0000;
const PORT_MACS = 0x0252_4600_0100;
const SWITCH_MAC = 0x0252_4600_0200;

/** The MAC address of the host with the given number, from 1. */
export function hostMac(number: number): MacAddress {
  return MacAddress.fromNumber(HOST_MACS + number);
}

/** The number that {@link hostMac} made a MAC address of; 0 for any other. */
export function hostNumber(mac: MacAddress): number {
  const number = mac.value - HOST_MACS;
  return number > 0 && number <= 0xff ? number : 0;
}

/** The MAC address of the bridge itself; it never sends. */
export function switchMac(): string {
  return MacAddress.fromNumber(SWITCH_MAC).toString();
}

/**
 * Input of `ip -batch`: the namespace of the host, and a cable that is created with both ends where they belong, so
 * that nothing ever appears in the network of the machine.
 */
export function cableScript(facts: LabHostFacts): string {
  const namespace = namespaceOf(facts.lab, facts.name);
  const portMac = MacAddress.fromNumber(PORT_MACS + facts.number).toString();
  const port = `name ${portOf(facts.name)} netns ${namespaceOf(facts.lab, SWITCH)} address ${portMac} mtu ${facts.mtu}`;
  const far = `name ${HOST_INTERFACE} netns ${namespace} address ${facts.mac.toString()} mtu ${facts.mtu}`;
  return `netns add ${namespace}\nlink add ${port} type veth peer ${far}\n`;
}

/** What {@link hostScript} sets up. */
export interface HostSetup {
  readonly offloads: boolean;
  readonly address: Ipv4Cidr | undefined;
  readonly gateway: string | undefined;
}

/** Input of `sh -eu` in the namespace of the host. */
export function hostScript(setup: HostSetup): string {
  return [
    // Before the interface is up: no duplicate address detection, no router solicitations.
    'for each in all default; do',
    '  if [ -e /proc/sys/net/ipv6/conf/$each/disable_ipv6 ]; then echo 1 > /proc/sys/net/ipv6/conf/$each/disable_ipv6; fi',
    'done',
    // Receive offload too: the kernel is to verify the checksums it gets.
    ...(setup.offloads
      ? []
      : [`ethtool -K ${HOST_INTERFACE} tx off rx off sg off tso off gso off gro off > /dev/null`]),
    'ip link set dev lo up',
    `ip link set dev ${HOST_INTERFACE} up`,
    ...(setup.address === undefined
      ? []
      : [`ip address add ${setup.address.toString()} dev ${HOST_INTERFACE}`]),
    ...(setup.gateway === undefined
      ? []
      : [`ip route add default via ${Ipv4Address.parse(setup.gateway).toString()} dev ${HOST_INTERFACE}`]),
    '',
  ].join('\n');
}

interface IpAddressRow {
  readonly address?: string;
  readonly mtu?: number;
  readonly addr_info?: readonly { readonly family?: string; readonly local?: string }[];
}

/** The facts of a host that exists already. */
export async function readHost(lab: string, name: string): Promise<LabHostFacts> {
  const command = ['ip', '-netns', namespaceOf(lab, name), '-json', 'address', 'show', 'dev', HOST_INTERFACE];
  const [row] = JSON.parse(await mustRun(command)) as readonly IpAddressRow[];
  if (row?.address === undefined || row.mtu === undefined) {
    throw new LabError(
      'RFSIS_LAB_OUTPUT_INVALID',
      `host "${name}" of lab "${lab}" has no interface ${HOST_INTERFACE}`,
    );
  }
  const mac = MacAddress.parse(row.address);
  const local = row.addr_info?.find(({ family }) => family === 'inet')?.local;
  return {
    lab,
    name,
    number: hostNumber(mac),
    kind: local === undefined ? 'node' : 'host',
    mac,
    mtu: row.mtu,
    address: local === undefined ? undefined : Ipv4Address.parse(local),
  };
}
