// What Linux says about its network interfaces in /sys/class/net. Nothing here waits for the kernel's network lock: reading
// `carrier` does, and can take tens of milliseconds while other interfaces come and go; `operstate` does not.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LinkError } from './errors.js';
import { MacAddress } from './mac-address.js';

/** Where Linux describes the interfaces of this network namespace. */
export const SYSFS_NET = '/sys/class/net';

const ARPHRD_ETHER = 1;
const IFF_UP = 1;
/** Interface names of Linux: up to 15 octets, no slash, no white space. */
const NAME = /^(?!\.{1,2}$)[^/\s]{1,15}$/;

/** An Ethernet interface of the operating system. */
export interface NetworkInterface {
  readonly name: string;
  readonly mac: MacAddress;
  readonly mtu: number;
}

/** The state of an interface at one moment. */
export interface NetworkInterfaceState {
  /** Whether frames can pass: it is switched on and has a carrier. */
  readonly up: boolean;
  /** Whether it is switched on (`ip link set ... up`). */
  readonly enabled: boolean;
  /** Changes when an interface is removed and another one made by the same name. */
  readonly index: number;
  /** How often the carrier came or went. */
  readonly carrierChanges: number;
}

/**
 * Finds an Ethernet interface by its name.
 * @throws {LinkError} `RFSIS_LINK_NO_INTERFACE`; the message lists the interfaces there are
 */
export function findNetworkInterface(name: string, directory: string = SYSFS_NET): NetworkInterface {
  const type = read(name, 'type', directory);
  if (type === undefined) {
    throw new LinkError(
      'RFSIS_LINK_NO_INTERFACE',
      `no network interface "${name}": ${advice(name, directory)}`,
    );
  }
  if (Number(type) !== ARPHRD_ETHER) {
    throw new LinkError(
      'RFSIS_LINK_NO_INTERFACE',
      `"${name}" is no Ethernet interface: ${advice(name, directory)}`,
    );
  }
  return {
    name,
    mac: MacAddress.parse(read(name, 'address', directory) ?? ''),
    mtu: Number(read(name, 'mtu', directory)),
  };
}

/** The names of all Ethernet interfaces of this network namespace, in alphabetical order. */
export function listNetworkInterfaces(directory: string = SYSFS_NET): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => Number(read(name, 'type', directory)) === ARPHRD_ETHER)
      .sort();
  } catch {
    return [];
  }
}

/** @returns undefined when the interface is gone */
export function readNetworkInterfaceState(
  name: string,
  directory: string = SYSFS_NET,
): NetworkInterfaceState | undefined {
  const flags = read(name, 'flags', directory);
  const operState = read(name, 'operstate', directory);
  if (flags === undefined || operState === undefined) return undefined;
  const enabled = (Number(flags) & IFF_UP) !== 0;
  return {
    // Some virtual interfaces never leave "unknown" (RFC 2863 IfOperStatus): then being switched on is enough.
    up: enabled && (operState === 'up' || operState === 'unknown'),
    enabled,
    index: Number(read(name, 'ifindex', directory)),
    carrierChanges: Number(read(name, 'carrier_changes', directory)),
  };
}

function read(name: string, attribute: string, directory: string): string | undefined {
  if (!NAME.test(name)) return undefined;
  try {
    return readFileSync(join(directory, name, attribute), 'latin1').trim();
  } catch {
    return undefined;
  }
}

function advice(name: string, directory: string): string {
  if (isInNamespace(name) && read(name, 'type', directory) === undefined) {
    // After `nsenter --net` or `unshare --net`, /sys still shows the namespace it was mounted in.
    return `it exists here, but ${directory} shows another network namespace; enter with "ip netns exec", or mount a sysfs of this one`;
  }
  const names = listNetworkInterfaces(directory);
  return names.length === 0 ? 'there is none here' : `there is ${names.join(', ')}`;
}

/** /proc/net, unlike /sys, always shows the network namespace of the process. */
function isInNamespace(name: string): boolean {
  try {
    return readFileSync('/proc/net/dev', 'latin1')
      .split('\n')
      .some((line) => line.trimStart().startsWith(`${name}:`));
  } catch {
    return false;
  }
}
