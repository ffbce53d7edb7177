import { SeededRandom, type Random } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { HeartbeatError, SessionId } from '../src/index.js';

describe('SessionId', () => {
  it('is 16 hexadecimal digits as text, and eight octets on the wire', () => {
    const session = SessionId.fromHalves(0x0102_0304, 0xa5a6_a7a8);
    expect(session.toString()).toBe('01020304a5a6a7a8');
    expect(JSON.stringify({ session })).toBe('{"session":"01020304a5a6a7a8"}');
    const bytes = new Uint8Array(10);
    session.writeTo(bytes, 1);
    expect([...bytes]).toEqual([0, 1, 2, 3, 4, 0xa5, 0xa6, 0xa7, 0xa8, 0]);
    expect(SessionId.fromOctets(bytes, 1).equals(session)).toBe(true);
    expect(SessionId.parse('01020304a5a6a7a8').equals(session)).toBe(true);
  });

  it('differs when either half differs', () => {
    const session = SessionId.fromHalves(1, 2);
    expect(session.equals(SessionId.fromHalves(1, 2))).toBe(true);
    expect(session.equals(SessionId.fromHalves(1, 3))).toBe(false);
    expect(session.equals(SessionId.fromHalves(2, 2))).toBe(false);
  });

  it('refuses what is no session identifier, and says what is', () => {
    for (const text of ['', '0102', '01020304A5A6A7A8', '01020304a5a6a7a8 ', 'g1020304a5a6a7a8']) {
      expect(() => SessionId.parse(text), text).toThrow(HeartbeatError);
    }
    expect(() => SessionId.parse('x')).toThrow(
      '"x" is no session identifier: expected 16 lower-case hexadecimal digits',
    );
  });

  it('is drawn at random, from a seed repeatably, and is never NONE', () => {
    expect(SessionId.random(new SeededRandom(1)).equals(SessionId.random(new SeededRandom(1)))).toBe(true);
    expect(SessionId.random(new SeededRandom(1)).equals(SessionId.random(new SeededRandom(2)))).toBe(false);
    const zeros: Random = { uint32: () => 0, fill: (bytes) => bytes.fill(0) };
    expect(SessionId.random(zeros).isNone).toBe(false);
    expect(SessionId.NONE.isNone).toBe(true);
    expect(SessionId.fromHalves(1, 0).isNone).toBe(false);
  });
});
