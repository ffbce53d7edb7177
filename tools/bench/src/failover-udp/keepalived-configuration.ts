// How keepalived is set up for the benchmark: VRRP with the fastest timers it has.

/** VRRP version 3 counts in hundredths of a second (RFC 5798 5.2.7), so this is the shortest interval there is. */
export const ADVERTISEMENT_MS = 10;
/** RFC 5798 6.1: the master is down after three intervals and the skew, which is 2/256 of an interval at priority 254. */
export const MASTER_DOWN_MS = 3 * ADVERTISEMENT_MS;

/** What differs between the nodes. */
export interface KeepalivedNode {
  readonly name: string;
  readonly interface: string;
  /** With prefix. */
  readonly serviceAddress: string;
}

/** The text of its configuration file. */
export function keepalivedConfiguration(node: KeepalivedNode): string {
  return `global_defs {
  router_id ${node.name}
  vrrp_version 3
  # No second burst of announcements seconds later; a repetition each ten seconds, as RFSIS does.
  vrrp_garp_master_delay 0
  vrrp_garp_master_refresh 10
  vrrp_skip_check_adv_addr
}

vrrp_instance service {
  # The same on both nodes: whoever serves goes on serving.
  state BACKUP
  nopreempt
  # The highest there is for routers that do not own the address by birth: the shortest skew (RFC 5798 6.1).
  priority 254
  advert_int ${ADVERTISEMENT_MS / 1000}
  interface ${node.interface}
  virtual_router_id 10
  virtual_ipaddress {
    ${node.serviceAddress} dev ${node.interface}
  }
}
`;
}

/** The version in the output of `keepalived --version`; undefined when there is none. */
export function keepalivedVersion(output: string): string | undefined {
  return /\bKeepalived v(\S+)/.exec(output)?.[1];
}
