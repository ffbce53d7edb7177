// Names of labs, hosts, namespaces and switch ports, and how each follows from the other. No lab keeps any other state
// than the namespaces themselves, so these names are all there is to find one again.
import { readdirSync } from 'node:fs';
import { LabError } from './errors.js';

/** Where `ip netns` keeps the namespaces that have names. */
export const NAMESPACE_FOLDER = '/var/run/netns';
/** The "host" that is the switch. */
export const SWITCH = 'switch';
/** The interface of every host and node. */
export const HOST_INTERFACE = 'eth0';
/** The bridge in the namespace of the switch. */
export const BRIDGE = 'br0';

const HOST_NAME = /^[a-z][a-z0-9]{0,12}$/;
const LAB_NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const LAB_NAME_MAX = 40;
const NAMESPACE = /^rfsis-([a-z0-9]+(?:-[a-z0-9]+)*)-([a-z][a-z0-9]{0,12})$/;
const OWNED_LAB = /^(\d+)-(\d+)$/;

/** A namespace of a lab, taken apart. */
export interface NamespaceName {
  readonly namespace: string;
  readonly lab: string;
  readonly host: string;
}

/**
 * Host names have no hyphen, so that the name of a namespace can be taken apart, and at most 13 characters, so that
 * the switch port `p-<host>` is a name Linux takes for an interface.
 */
export function checkHostName(name: string): void {
  if (!HOST_NAME.test(name) || name === SWITCH) {
    throw new LabError(
      'RFSIS_LAB_NAME_INVALID',
      `"${name}" is no name for a host: expected a letter and up to 12 letters or digits, in lower case, not "${SWITCH}"`,
    );
  }
}

/** Names that begin with a digit are those of labs that end with the process that made them. */
export function checkLabName(name: string): void {
  if (!LAB_NAME.test(name) || name.length > LAB_NAME_MAX) {
    throw new LabError(
      'RFSIS_LAB_NAME_INVALID',
      `"${name}" is no name for a lab: expected words of lower case letters and digits, joined by hyphens, like "demo" or "echo-udp"`,
    );
  }
}

/** The name of lab number `number` of process `pid`. */
export function ownedLabName(pid: number, number: number): string {
  return `${pid}-${number}`;
}

/** The process that a lab ends with; undefined for a lab that was given a name. */
export function ownerOf(lab: string): number | undefined {
  const pid = OWNED_LAB.exec(lab)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** `rfsis-<lab>-<host>` */
export function namespaceOf(lab: string, host: string): string {
  return `rfsis-${lab}-${host}`;
}

/** The port of the switch that a host is plugged into. */
export function portOf(host: string): string {
  return `p-${host}`;
}

/** @returns undefined when the namespace is not one of a lab */
export function parseNamespace(namespace: string): NamespaceName | undefined {
  const [, lab, host] = NAMESPACE.exec(namespace) ?? [];
  return lab === undefined || host === undefined ? undefined : { namespace, lab, host };
}

/** All namespaces of all labs on this machine, or of one lab, ordered by name. */
export function listNamespaces(lab?: string): NamespaceName[] {
  let names: string[];
  try {
    names = readdirSync(NAMESPACE_FOLDER);
  } catch {
    return []; // The folder appears with the first namespace.
  }
  return names
    .sort()
    .map(parseNamespace)
    .filter((each) => each !== undefined)
    .filter((each) => lab === undefined || each.lab === lab);
}
