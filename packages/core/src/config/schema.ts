// The JSON Schema of a node's configuration file. config.schema.json in this package is the same, for editors.

const ADDRESS = { type: 'string', format: 'ipv4-address' } as const;
const KEY = { type: 'string', pattern: '^(?:[0-9a-fA-F]{2}){16,}$' } as const;

/** JSON Schema (draft 2020-12) of the configuration. */
export const configurationSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Configuration of an RFSIS node',
  type: 'object',
  additionalProperties: false,
  required: ['role', 'interface', 'serviceAddress', 'nodeAddress', 'peerAddress'],
  properties: {
    $schema: { type: 'string', description: 'Ignored; lets editors find this schema.' },
    role: {
      enum: ['main', 'backup'],
      description:
        'Which role this node prefers when both start together. Whoever serves already goes on serving.',
    },
    interface: {
      type: 'string',
      minLength: 1,
      maxLength: 15,
      description: 'The Ethernet interface; the kernel must have none of the addresses below on it.',
    },
    serviceAddress: {
      type: 'string',
      format: 'ipv4-cidr',
      description: 'The address that survives, with the prefix length of its network.',
    },
    nodeAddress: { ...ADDRESS, description: "This node's own address in the same network." },
    peerAddress: { ...ADDRESS, description: "The other node's nodeAddress." },
    gateway: { ...ADDRESS, description: 'Next hop for clients outside the network; default: none.' },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      default: 7,
      description: "The application's port.",
    },
    heartbeat: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        intervalMs: {
          type: 'number',
          minimum: 1,
          maximum: 60_000,
          default: 20,
          description: 'Time between two beats; the same on both nodes.',
        },
        timeoutMs: {
          type: 'number',
          exclusiveMinimum: 0,
          maximum: 3_600_000,
          default: 100,
          description: 'Silence after which the peer counts as dead; the same on both nodes.',
        },
        detector: {
          enum: ['fixed', 'phi'],
          default: 'fixed',
          description:
            'fixed: timeoutMs exactly; phi: adapts to the jitter seen (phi accrual), timeoutMs at the least.',
        },
        phiThreshold: {
          type: 'number',
          minimum: 1,
          maximum: 16,
          default: 8,
          description: 'Suspicion level of phi.',
        },
      },
    },
    sync: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        port: {
          type: 'integer',
          minimum: 1,
          maximum: 65_535,
          default: 7007,
          description: 'UDP port of the sync channel.',
        },
        key: {
          anyOf: [KEY, { type: 'array', minItems: 1, maxItems: 4, items: KEY }],
          description:
            'Shared secret, at least 32 hexadecimal digits. Of several the first signs and all are accepted.',
        },
      },
    },
    witness: {
      ...ADDRESS,
      description:
        'An address on the segment, typically the gateway: a node serves alone only while it can reach it.',
    },
    preempt: {
      type: 'boolean',
      default: false,
      description: 'Hand the service back to the node whose role is main once it is ready again.',
    },
    controlSocket: {
      type: 'string',
      minLength: 1,
      maxLength: 100,
      description: 'Path of the control socket; default: /run/rfsis/<nodeAddress>.sock.',
    },
    log: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        level: {
          enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
          default: 'info',
          description: 'The least severe lines that are written.',
        },
      },
    },
  },
} as const;
