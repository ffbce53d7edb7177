// Where the demonstration happens: real namespaces and processes, or one process in virtual time.

export type NodeName = 'alpha' | 'beta';

/** Something that happened, in milliseconds since the stage was made. */
export type StageEvent =
  | { readonly kind: 'role'; readonly atMs: number; readonly node: NodeName; readonly role: string }
  | { readonly kind: 'off'; readonly atMs: number; readonly node: NodeName }
  | { readonly kind: 'note'; readonly atMs: number; readonly who: string; readonly text: string };

/** A time without answers, as the client saw it. */
export interface Gap {
  readonly startMs: number;
  readonly ms: number;
}

/** What the client counted. */
export interface ClientReport {
  readonly sent: number;
  readonly answered: number;
  readonly duplicated: number;
  readonly corrupted: number;
  readonly gaps: readonly Gap[];
}

/** A pair of echo nodes and a client that checks every answer. */
export interface Stage {
  /** One line on what is real here. */
  readonly description: string;
  /** Milliseconds since the stage was made. */
  now(): number;
  /** Starts both nodes; alpha becomes main. */
  start(): Promise<void>;
  /** From here on the client sends a datagram each millisecond. */
  startClient(): Promise<void>;
  pause(durationMs: number): Promise<void>;
  /** The cable goes and the process dies in one instant; resolves when the other node serves. */
  powerLoss(node: NodeName): Promise<void>;
  /** Starts the node again; resolves when it is a backup in sync. */
  powerUp(node: NodeName): Promise<void>;
  /** Asks the main to hand over; resolves when the other node serves. */
  handover(from: NodeName): Promise<void>;
  /** Ends the client. */
  stopClient(): Promise<ClientReport>;
  close(): Promise<void>;
}

/** Takes the events of a stage as they happen. */
export type StageListener = (event: StageEvent) => void;

/** The other node. */
export function peerOf(node: NodeName): NodeName {
  return node === 'alpha' ? 'beta' : 'alpha';
}

/** What a log line of a node says to the audience; undefined for lines that say nothing new. */
export function noteOf(fields: Readonly<Record<string, unknown>>): string | undefined {
  const { event } = fields;
  if (event === 'takeover') {
    const why: Readonly<Record<string, string>> = {
      'peer-silent': `its peer was silent for ${String(fields['detectMs'])} ms`,
      'peer-goodbye': 'its peer said goodbye',
      handover: 'its peer handed over',
    };
    const reason = String(fields['reason']);
    return `takes the address over in ${String(fields['installMs'])} ms: ${why[reason] ?? reason}; epoch ${String(fields['epoch'])}`;
  }
  if (event === 'sync' && fields['state'] !== 'joining')
    return `the service is now ${String(fields['state'])}`;
  if (event === 'ready') return `ready as ${String(fields['role'])}, epoch ${String(fields['epoch'])}`;
  if (event === 'fenced') return `fences itself: ${String(fields['reason'])}`;
  return undefined;
}
