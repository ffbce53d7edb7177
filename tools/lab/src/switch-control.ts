// The switch: a Linux bridge in a namespace of its own. One `ip` process stays open beside it, so that pulling a cable
// takes a fraction of a millisecond and not the start of a program.
import { mustRun } from './commands.js';
import { LabError } from './errors.js';
import { FAULT_TABLE } from './fault-table.js';
import { IpSession } from './ip-session.js';
import { monotonicMs } from './monotonic.js';
import { BRIDGE, namespaceOf, portOf, SWITCH } from './names.js';

const CARRIER_TIMEOUT_MS = 5_000;

/**
 * The commands that make the switch. Nothing but hosts and nodes may speak on it: no spanning tree (a port works at
 * once), no multicast snooping (no IGMP queries), no IPv6 (no router solicitations, no duplicate address detection).
 */
function switchScript(mac: string): string {
  return [
    'for each in all default; do',
    '  if [ -e /proc/sys/net/ipv6/conf/$each/disable_ipv6 ]; then echo 1 > /proc/sys/net/ipv6/conf/$each/disable_ipv6; fi',
    'done',
    // Where br_netfilter is loaded (Docker does that), bridged packets would pass iptables and be reassembled.
    'for each in arptables iptables ip6tables; do',
    '  if [ -e /proc/sys/net/bridge/bridge-nf-call-$each ]; then echo 0 > /proc/sys/net/bridge/bridge-nf-call-$each; fi',
    'done',
    'ip link set lo up',
    `ip link add name ${BRIDGE} address ${mac} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `ip link set ${BRIDGE} up`,
    "nft -f - <<'TABLE'",
    FAULT_TABLE,
    'TABLE',
  ].join('\n');
}

/** Sets up the switch in its namespace, which must exist. */
export async function buildSwitch(lab: string, mac: string): Promise<void> {
  await mustRun(['ip', 'netns', 'exec', namespaceOf(lab, SWITCH), 'sh', '-eu'], { input: switchScript(mac) });
}

/** Moves the cables of one switch. */
export class SwitchControl {
  readonly #namespace: string;
  #session: IpSession | undefined;
  #closed = false;

  constructor(lab: string) {
    this.#namespace = namespaceOf(lab, SWITCH);
    this.#session = new IpSession(this.#namespace);
  }

  /** Plugs a new port into the bridge. */
  async join(host: string): Promise<void> {
    await this.#ask(host, `link set dev ${portOf(host)} master ${BRIDGE} up`);
  }

  /** Pulls the cable of a host: both ends lose the carrier, the switch forgets the addresses behind it. */
  async pull(host: string): Promise<void> {
    await this.#ask(host, `link set dev ${portOf(host)} down`);
  }

  /** Puts the cable back, and waits until the port passes frames, which it does shortly after both ends are up. */
  async plug(host: string): Promise<void> {
    let state = await this.#ask(host, `link set dev ${portOf(host)} up`);
    const deadline = monotonicMs() + CARRIER_TIMEOUT_MS;
    while (!/\bLOWER_UP\b.*\bstate forwarding\b/.test(state)) {
      if (monotonicMs() > deadline) {
        const port = portOf(host);
        throw new LabError(
          'RFSIS_LAB_TIMEOUT',
          `port ${port} passes no frames after ${CARRIER_TIMEOUT_MS} ms`,
        );
      }
      state = await this.#ask(host);
    }
  }

  /** Ends the process beside the switch, not the switch. */
  close(): void {
    this.#closed = true;
    this.#session?.close();
  }

  async #ask(host: string, command?: string): Promise<string> {
    const session = (this.#session ??= new IpSession(this.#namespace));
    try {
      return await session.ask(portOf(host), command);
    } catch (error) {
      session.close();
      if (this.#session === session) this.#session = undefined;
      if (this.#closed) throw error;
    }
    // `ip` remembers the numbers of interfaces: where one was made again under the same name, a new process helps.
    const fresh = (this.#session ??= new IpSession(this.#namespace));
    return fresh.ask(portOf(host), command);
  }
}
