// What a beat says: the plain value, and the names of its fields. Its octets are in beat-view.ts and beat-codec.ts.
import type { SessionId } from './session-id.js';

/** What a node is at the moment. */
export type Role = 'joining' | 'backup' | 'main' | 'fenced';

/** Why a beat was sent. */
export type BeatKind =
  /** The regular sign of life. */
  | 'beat'
  /** Rides on a gratuitous ARP for a service address. */
  | 'announcement'
  /** A sign of life that wants one back at once: the sender is in doubt about the pair and asks before it acts. */
  | 'hello'
  /** The sender leaves on purpose; take over without waiting. */
  | 'goodbye'
  /** Main to backup: take over now. */
  | 'handover'
  /** Backup to main: the handover is done, this node is main now. */
  | 'took-over'
  /** Rides on an ARP probe (RFC 5227 2.1.1) for a service address: the sender would like to serve it. */
  | 'probe';

/** Codes of {@link Role} on the wire. */
export const ROLE_CODES: Readonly<Record<Role, number>> = { joining: 1, backup: 2, main: 3, fenced: 4 };

/** Codes of {@link BeatKind} on the wire. */
export const KIND_CODES: Readonly<Record<BeatKind, number>> = {
  beat: 1,
  announcement: 2,
  hello: 3,
  goodbye: 4,
  handover: 5,
  'took-over': 6,
  probe: 7,
};

/** What the owner of the sender knows about the node; asked for anew for each beat. */
export interface BeatState {
  /** The kind of the regular beats; default `beat`. */
  readonly kind?: BeatKind;
  readonly role: Role;
  /** The configured role is main. Decides when two nodes start as equals. */
  readonly preferred: boolean;
  /** May take over: holds everything it needs to be main. */
  readonly ready: boolean;
  /** The sender sees the pair as protected: its peer is alive and in sync. */
  readonly protected: boolean;
  /**
   * Counts takeovers; 0 to 2^32 - 1. The higher one wins. Compare plainly: one takeover a second would need 136 years
   * to reach the end, so there is no wrap-around arithmetic.
   */
  readonly epoch: number;
  /** The peer's session as last heard, {@link SessionId.NONE} when there is none. */
  readonly echo: SessionId;
  /** How far the sender's work has come, a non-negative safe integer; its meaning is the owner's. */
  readonly progress: number;
}

/** One beat. */
export interface Beat extends BeatState {
  readonly kind: BeatKind;
  /** The sender's incarnation. */
  readonly session: SessionId;
  /** 1 for the first beat of a session, higher with every one, whatever its kind. A safe integer. */
  readonly sequence: number;
  /** How often the sender means to beat, in milliseconds; exact to the microsecond. */
  readonly intervalMs: number;
}

/** Why octets behind an ARP body are no beat to believe. */
export type BeatDefect =
  /** No trailer of ours: padding, or something else. An ordinary ARP packet. */
  | 'not-a-beat'
  /** Begins like a trailer and ends too early. */
  | 'truncated'
  /** A version of the format that this code does not know. */
  | 'version'
  /** A field holds a value that no sender gives it. */
  | 'malformed'
  /** We have a key, and the beat is not signed: the peer has no key configured. */
  | 'unsigned'
  /** We have no key, and the beat is signed: the peer has one. */
  | 'unexpected-mac'
  /** Signed with no key of ours, or changed on its way. */
  | 'unauthentic';
