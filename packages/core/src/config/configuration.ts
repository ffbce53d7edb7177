// Reads and checks the configuration of a node. Every complaint is one line that names the key and what is expected.
import { readFileSync } from 'node:fs';
import { Ipv4Address, Ipv4Cidr, LinkError } from '@rfsis/link';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { RfsisError } from '../errors.js';
import { configurationSchema } from './schema.js';

/** What the file says, with all defaults filled in. */
interface ConfigurationFile {
  role: 'main' | 'backup';
  interface: string;
  serviceAddress: string;
  nodeAddress: string;
  peerAddress: string;
  gateway?: string;
  port: number;
  heartbeat: {
    intervalMs: number;
    timeoutMs: number;
    detector: 'fixed' | 'phi';
    phiThreshold: number;
  };
  sync: { port: number; key?: string | string[] };
  witness?: string;
  preempt: boolean;
  controlSocket?: string;
  log: { level: string };
}

/** A checked configuration. Times are in milliseconds. */
export interface Configuration {
  /** The role this node prefers when both nodes start together. */
  readonly role: 'main' | 'backup';
  readonly interface: string;
  /** The address that survives, with the prefix of its network. */
  readonly serviceAddress: Ipv4Cidr;
  readonly nodeAddress: Ipv4Address;
  readonly peerAddress: Ipv4Address;
  readonly gateway: Ipv4Address | undefined;
  /** The application's port. */
  readonly port: number;
  readonly heartbeat: {
    readonly intervalMs: number;
    readonly timeoutMs: number;
    readonly detector: 'fixed' | 'phi';
    readonly phiThreshold: number;
  };
  readonly sync: {
    readonly port: number;
    /** Empty: beats are not authenticated. The first key signs, all are accepted. */
    readonly keys: readonly Uint8Array[];
  };
  readonly witness: Ipv4Address | undefined;
  readonly preempt: boolean;
  readonly controlSocket: string;
  readonly log: { readonly level: string };
}

/** Where control sockets live unless the configuration says otherwise. */
export const CONTROL_SOCKET_DIRECTORY = '/run/rfsis';

const ajv = new Ajv2020({
  useDefaults: true,
  verbose: true,
  formats: {
    'ipv4-address': (text: string) => parses(() => Ipv4Address.parse(text)),
    'ipv4-cidr': (text: string) => parses(() => Ipv4Cidr.parse(text)),
  },
});
const validate = ajv.compile<ConfigurationFile>(configurationSchema);

const EXPECTED_FORMAT: Readonly<Record<string, string>> = {
  'ipv4-address': 'an IPv4 address like 10.77.0.11',
  'ipv4-cidr': 'an IPv4 address with prefix length like 10.77.0.10/24',
};

const SECRET = /^sync\.key(\.|$)/;
const EXPECTED_KEY =
  'at least 32 hexadecimal digits (a 128-bit key), an even number of them, or a list of 1 to 4 such keys';
/** Characters of the file that a message quotes. */
const MAX_QUOTE = 200;

/**
 * Reads a configuration file.
 * @throws {RfsisError} `RFSIS_CONFIG_UNREADABLE`, `RFSIS_CONFIG_INVALID`
 */
export function readConfiguration(path: string): Configuration {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new RfsisError('RFSIS_CONFIG_UNREADABLE', `cannot read the configuration: ${describe(error)}`, {
      cause: error,
    });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RfsisError('RFSIS_CONFIG_UNREADABLE', `${path} is no JSON: ${describe(error)}`, {
      cause: error,
    });
  }
  return parseConfiguration(value, path);
}

/**
 * Checks a parsed configuration and fills in the defaults; `value` itself is left as it is.
 * @param source named in the message, for example the path of the file
 * @throws {RfsisError} `RFSIS_CONFIG_INVALID`
 */
export function parseConfiguration(value: unknown, source = 'configuration'): Configuration {
  const file: unknown = structuredClone(value);
  if (!validate(file)) {
    throw invalid(source, complaint(validate.errors?.[0]));
  }
  const configuration = convert(file);
  const contradiction = findContradiction(configuration);
  if (contradiction !== undefined) throw invalid(source, contradiction);
  return configuration;
}

function convert(file: ConfigurationFile): Configuration {
  const { key = [] } = file.sync;
  const optionalAddress = (text: string | undefined): Ipv4Address | undefined =>
    text === undefined ? undefined : Ipv4Address.parse(text);
  return {
    role: file.role,
    interface: file.interface,
    serviceAddress: Ipv4Cidr.parse(file.serviceAddress),
    nodeAddress: Ipv4Address.parse(file.nodeAddress),
    peerAddress: Ipv4Address.parse(file.peerAddress),
    gateway: optionalAddress(file.gateway),
    port: file.port,
    heartbeat: file.heartbeat,
    sync: { port: file.sync.port, keys: [key].flat().map((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))) },
    witness: optionalAddress(file.witness),
    preempt: file.preempt,
    controlSocket: file.controlSocket ?? `${CONTROL_SOCKET_DIRECTORY}/${file.nodeAddress}.sock`,
    log: file.log,
  };
}

/** What a schema cannot say: how the values fit together. */
function findContradiction(configuration: Configuration): string | undefined {
  const { serviceAddress, nodeAddress, peerAddress, gateway, witness, heartbeat } = configuration;
  const own: [string, Ipv4Address | undefined][] = [
    ['nodeAddress', nodeAddress],
    ['peerAddress', peerAddress],
  ];
  const others: [string, Ipv4Address | undefined][] = [
    ['gateway', gateway],
    ['witness', witness],
  ];
  const taken = new Map([[serviceAddress.address.value, 'serviceAddress']]);
  for (const [key, address] of own) {
    if (address === undefined) continue;
    const holder = taken.get(address.value);
    if (holder !== undefined)
      return `${key}: expected an address of its own, but it is the same as ${holder}`;
    taken.set(address.value, key);
  }
  for (const [key, address] of others) {
    const holder = address && taken.get(address.value);
    if (holder !== undefined)
      return `${key}: expected another host's address, but it is the same as ${holder}`;
  }
  for (const [key, address] of [['serviceAddress', serviceAddress.address] as const, ...own, ...others]) {
    if (address === undefined) continue;
    const complaintAboutHost = unusableHost(serviceAddress, address);
    if (complaintAboutHost !== undefined) return `${key}: ${complaintAboutHost}`;
  }
  if (heartbeat.timeoutMs < 2 * heartbeat.intervalMs) {
    return `heartbeat.timeoutMs: expected at least twice heartbeat.intervalMs (${2 * heartbeat.intervalMs}), got ${heartbeat.timeoutMs}; otherwise one late beat is a death`;
  }
  return undefined;
}

function unusableHost(network: Ipv4Cidr, address: Ipv4Address): string | undefined {
  if (
    address.isMulticast ||
    address.isLoopback ||
    address.value >>> 24 === 0 ||
    address.value >>> 28 === 0xf
  ) {
    return `expected a unicast address, got ${address.toString()}`;
  }
  if (!network.contains(address)) {
    return `expected an address in ${network.network.toString()}/${network.prefixLength} (the network of serviceAddress), got ${address.toString()}`;
  }
  if (network.prefixLength < 31 && (address.equals(network.network) || address.equals(network.broadcast))) {
    return `expected the address of a host, but ${address.toString()} is the network or broadcast address of ${network.network.toString()}/${network.prefixLength}`;
  }
  return undefined;
}

function invalid(source: string, message: string): RfsisError {
  return new RfsisError('RFSIS_CONFIG_INVALID', `${source}: ${message}`);
}

function complaint(error: ErrorObject | undefined): string {
  if (error === undefined) return 'invalid';
  const key = error.instancePath.slice(1).replaceAll('/', '.');
  // What is wrong with a key is not shown: it may be a secret but for one digit.
  if (SECRET.test(key)) return `${key}: expected ${EXPECTED_KEY}`;
  const at = (name: string): string => (key === '' ? name : `${key}.${name}`);
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const unknown = oneLine(String(params['additionalProperty']));
      const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
      return `${at(unknown)}: unknown key; expected one of ${known.map(at).join(', ')}`;
    }
    case 'required':
      return `${at(String(params['missingProperty']))}: missing; expected ${expectation(error, String(params['missingProperty']))}`;
    default:
      return `${key === '' ? 'the file' : key}: expected ${requirement(error)}, got ${oneLine(JSON.stringify(error.data))}`;
  }
}

function requirement(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'enum':
      return `one of ${(params['allowedValues'] as unknown[]).map((each) => JSON.stringify(each)).join(', ')}`;
    case 'format':
      return EXPECTED_FORMAT[String(params['format'])] ?? String(params['format']);
    case 'type':
      return article(String(params['type']));
    case 'minimum':
      return `at least ${String(params['limit'])}`;
    case 'maximum':
      return `at most ${String(params['limit'])}`;
    case 'exclusiveMinimum':
      return `more than ${String(params['limit'])}`;
    case 'minLength':
      return 'a text that is not empty';
    case 'maxLength':
      return `at most ${String(params['limit'])} characters`;
    default:
      return error.message ?? error.keyword;
  }
}

/** What a missing key should hold, from its own schema. */
function expectation(error: ErrorObject, key: string): string {
  const { properties = {} } = error.parentSchema as { properties?: Record<string, Record<string, unknown>> };
  const schema = properties[key] ?? {};
  const format = schema['format'];
  if (typeof format === 'string') return EXPECTED_FORMAT[format] ?? format;
  if (Array.isArray(schema['enum']))
    return `one of ${schema['enum'].map((each) => JSON.stringify(each)).join(', ')}`;
  return article(String(schema['type']));
}

function article(type: string): string {
  return type === 'string' ? 'a text' : /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

/** Fit for a message: without line breaks and not too long. */
function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > MAX_QUOTE ? `${line.slice(0, MAX_QUOTE)}...` : line;
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof LinkError) return false;
    throw error;
  }
}

/** The parser of JSON quotes the file, line breaks and all. */
function describe(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}
