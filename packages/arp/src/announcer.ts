// Announcements of our own addresses (RFC 5227 2.3): when they go out. How they look is in arp-sender.ts.

/** When announcements of an address are sent, in milliseconds after the call of `announce`. Plain data. */
export interface AnnounceSchedule {
  /** The first ones, ascending; 0 is sent within the call. */
  readonly burstMs: readonly number[];
  /** After the burst: one each so many milliseconds, for as long as the address is ours; 0 for none. */
  readonly refreshMs: number;
}

/**
 * For taking an address over. One announcement corrects every neighbour that hears it, so the first goes out at once.
 * Any frame may be lost, and a switch port, a bridge or a host may be deaf just at that moment, so it is repeated at
 * growing distances: 20 and 60 ms for single losses, 200 ms because a Linux TCP client retransmits no sooner than
 * that, 600 ms to 3 s for ports that come up again and hosts that are overloaded. The refresh heals later damage
 * (a foreign claim, a bridge that forgot us) at six small frames a minute.
 */
export const ANNOUNCE_TAKEOVER: AnnounceSchedule = {
  burstMs: [0, 20, 60, 200, 600, 1500, 3000],
  refreshMs: 10_000,
};

/** RFC 5227 2.3: ANNOUNCE_NUM (2) announcements, ANNOUNCE_INTERVAL (2 s) apart. */
export const ANNOUNCE_RFC5227: AnnounceSchedule = { burstMs: [0, 2000], refreshMs: 0 };
