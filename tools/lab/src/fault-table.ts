// Faults inside the switch: cut paths and lost frames, as rules of nftables' bridge family, which see ARP as well. All
// state is in the kernel, so that every process that knows the lab can add and remove faults.
import { mustRun } from './commands.js';
import { LabError } from './errors.js';
import { namespaceOf, portOf, SWITCH } from './names.js';

const TABLE = 'bridge rfsis';

/** The table without any fault. Losses happen on the cable, before and behind the switch; cut paths within it. */
export const FAULT_TABLE = `table ${TABLE} {
  set cut {
    type ifname . ifname
  }
  map entering {
    type ifname : verdict
  }
  map leaving {
    type ifname : verdict
  }
  chain ingress {
    type filter hook prerouting priority -300; policy accept;
    iifname vmap @entering
  }
  chain passing {
    type filter hook forward priority 0; policy accept;
    iifname . oifname @cut counter drop
  }
  chain egress {
    type filter hook postrouting priority 300; policy accept;
    oifname vmap @leaving
  }
}`;

/** Which frames of a host are meant: those it sends, those for it, or both. */
export type Direction = 'from' | 'to' | 'both';

/** Smallest fraction of loss, and the steps between fractions. */
const LOSS_STEPS = 1_000_000;

/** Sets and removes the faults of one switch. Each call is one transaction: frames see all of it or nothing. */
export class FaultTable {
  readonly #namespace: string;

  constructor(lab: string) {
    this.#namespace = namespaceOf(lab, SWITCH);
  }

  /** Stops frames on the given ways, each from host to host. */
  async cut(ways: readonly (readonly [string, string])[]): Promise<void> {
    if (ways.length > 0) await this.#apply(`add element ${TABLE} cut { ${elements(ways)} }`);
  }

  /** Lets frames pass again, on the given ways or everywhere. */
  async heal(ways?: readonly (readonly [string, string])[]): Promise<void> {
    if (ways === undefined) await this.#apply(`flush set ${TABLE} cut`);
    // Adding first makes it no error when a way was not cut.
    else if (ways.length > 0) {
      const list = elements(ways);
      await this.#apply(`add element ${TABLE} cut { ${list} }\ndelete element ${TABLE} cut { ${list} }`);
    }
  }

  /** Drops a fraction of the frames of a host, chosen at random; 0 ends that. */
  async lose(host: string, fraction: number, direction: Direction): Promise<void> {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new LabError('RFSIS_LAB_COMMAND_FAILED', `a loss of ${fraction} is no fraction: expected 0 to 1`);
    }
    const share = Math.round(fraction * LOSS_STEPS);
    const drop =
      share === LOSS_STEPS ? 'counter drop' : `numgen random mod ${LOSS_STEPS} < ${share} counter drop`;
    const lines: string[] = [];
    for (const [side, map] of [
      ['from', 'entering'],
      ['to', 'leaving'],
    ] as const) {
      if (direction !== 'both' && direction !== side) continue;
      const chain = `${side}_${host}`;
      lines.push(`add chain ${TABLE} ${chain}`, `flush chain ${TABLE} ${chain}`);
      if (share > 0) lines.push(`add rule ${TABLE} ${chain} ${drop}`);
      lines.push(`add element ${TABLE} ${map} { "${portOf(host)}" : jump ${chain} }`);
    }
    await this.#apply(lines.join('\n'));
  }

  /** Removes every fault. */
  async clear(): Promise<void> {
    await this.#apply(`delete table ${TABLE}\n${FAULT_TABLE}`);
  }

  async #apply(script: string): Promise<void> {
    await mustRun(['ip', 'netns', 'exec', this.#namespace, 'nft', '-f', '-'], { input: `${script}\n` });
  }
}

function elements(ways: readonly (readonly [string, string])[]): string {
  return ways.map(([from, to]) => `"${portOf(from)}" . "${portOf(to)}"`).join(', ');
}
