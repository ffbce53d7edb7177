import { ARP_OCTETS } from '@rfsis/arp';
import { BEAT_TRAILER_OCTETS, BeatCodec, BeatView, SessionId } from '@rfsis/heartbeat';
import { describe, expect, it } from 'vitest';
import { PeerSessions } from '../src/peer-sessions.js';
import { OUR_SESSION } from './fixtures.js';

function viewOf(session: SessionId, sequence: number, echo = OUR_SESSION): BeatView {
  const bytes = new Uint8Array(ARP_OCTETS + BEAT_TRAILER_OCTETS);
  new BeatCodec().emit(bytes, 0, {
    kind: 'beat',
    role: 'main',
    preferred: false,
    ready: false,
    protected: false,
    epoch: 0,
    progress: 0,
    intervalMs: 10,
    session,
    sequence,
    echo,
  });
  const view = new BeatView();
  view.read(bytes, ARP_OCTETS, bytes.length);
  return view;
}

const session = (number: number) => SessionId.fromHalves(number, ~number);

describe('PeerSessions', () => {
  it('knows nothing at first', () => {
    const sessions = new PeerSessions(OUR_SESSION);
    expect(sessions.judge(viewOf(session(1), 1))).toBe('unknown');
    expect(sessions.judge(viewOf(OUR_SESSION, 1))).toBe('own');
    expect(sessions.current).toBeUndefined();
  });

  it('proves a session by the echo of ours', () => {
    const sessions = new PeerSessions(OUR_SESSION);
    expect(sessions.isProven(viewOf(session(1), 1))).toBe(true);
    expect(sessions.isProven(viewOf(session(1), 1, SessionId.NONE))).toBe(false);
    expect(sessions.isProven(viewOf(session(1), 1, SessionId.fromHalves(0x0b0b_0b0b, 0)))).toBe(false);
    expect(sessions.isProven(viewOf(session(1), 1, SessionId.fromHalves(0, 0x0b0b_0b0b)))).toBe(false);
  });

  it('takes only rising sequences within a session', () => {
    const sessions = new PeerSessions(OUR_SESSION);
    sessions.establish(session(1), 5);
    expect(sessions.judge(viewOf(session(1), 4))).toBe('replayed');
    expect(sessions.judge(viewOf(session(1), 5))).toBe('replayed');
    expect(sessions.judge(viewOf(session(1), 6))).toBe('current');
    expect(sessions.advance(6)).toBe(0);
    expect(sessions.advance(10)).toBe(3);
    expect(sessions.judge(viewOf(session(1), 10))).toBe('replayed');
    expect(sessions.lastSequence).toBe(10);
  });

  it('remembers 256 retired sessions, then forgets the oldest', () => {
    const sessions = new PeerSessions(OUR_SESSION);
    for (let number = 1; number <= 257; number++) sessions.establish(session(number), 1);
    for (let number = 1; number <= 256; number++) {
      expect(sessions.judge(viewOf(session(number), 99)), String(number)).toBe('replayed');
    }
    expect(sessions.judge(viewOf(session(257), 99))).toBe('current');
    sessions.establish(session(258), 1);
    expect(sessions.judge(viewOf(session(1), 99))).toBe('unknown');
    expect(sessions.judge(viewOf(session(2), 99))).toBe('replayed');
  });

  it('compares both halves of a retired session', () => {
    const sessions = new PeerSessions(OUR_SESSION);
    sessions.establish(SessionId.fromHalves(1, 2), 1);
    sessions.establish(SessionId.fromHalves(3, 4), 1);
    expect(sessions.judge(viewOf(SessionId.fromHalves(1, 3), 1))).toBe('unknown');
    expect(sessions.judge(viewOf(SessionId.fromHalves(9, 2), 1))).toBe('unknown');
    expect(sessions.judge(viewOf(SessionId.fromHalves(2, 1), 1))).toBe('unknown');
  });
});
