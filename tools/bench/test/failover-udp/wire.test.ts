import { describe, expect, it } from 'vitest';
import { signOf, wireTimes, type Sign, type SignKind } from '../../src/failover-udp/wire.js';

const ALPHA = '02:52:46:00:00:03';
const BETA = '02:52:46:00:00:04';
const CLIENT = '02:52:46:00:00:01';

function row(changes: Partial<Parameters<typeof signOf>[0]>): Parameters<typeof signOf>[0] {
  return {
    'frame.time_epoch': '1700000000.000250000',
    'eth.src': ALPHA,
    'ip.proto': '',
    'arp.opcode': '',
    'arp.src.proto_ipv4': '',
    'arp.dst.proto_ipv4': '',
    ...changes,
  };
}

function arp(opcode: string, sender: string, target: string): SignKind {
  return signOf(row({ 'arp.opcode': opcode, 'arp.src.proto_ipv4': sender, 'arp.dst.proto_ipv4': target }))
    .kind;
}

describe('signOf', () => {
  it('keeps source and time', () => {
    const sign = signOf(row({ 'ip.proto': '112' }));
    expect(sign).toMatchObject({ mac: ALPHA, kind: 'advertisement' });
    expect(sign.wallMs).toBeCloseTo(1_700_000_000_000.25, 2);
  });

  it('tells what an ARP frame is for', () => {
    expect(arp('2', '10.77.0.11', '10.77.0.12')).toBe('beat');
    expect(arp('1', '10.77.0.10', '10.77.0.10')).toBe('announcement');
    expect(arp('2', '10.77.0.10', '10.77.0.10')).toBe('announcement');
    expect(arp('1', '10.77.0.10', '10.77.0.100')).toBe('question');
    expect(arp('1', '10.77.0.12', '10.77.0.100')).toBe('question');
    expect(arp('2', '10.77.0.100', '10.77.0.10')).toBe('answer');
    expect(arp('1', '10.77.0.100', '10.77.0.10')).toBe('other');
    expect(arp('1', '0.0.0.0', '10.77.0.10')).toBe('other');
    expect(arp('2', '10.77.0.10', '10.77.0.100')).toBe('other');
  });
});

describe('wireTimes', () => {
  const failover = { deadMac: ALPHA, heirMac: BETA, clientMac: CLIENT, powerLossMs: 1_000, cutOffMs: 1_001 };
  const sign = (wallMs: number, mac: string, kind: SignKind): Sign => ({ wallMs, mac, kind });

  it('finds the steps among the frames of both nodes', () => {
    const signs = [
      sign(600, ALPHA, 'announcement'),
      sign(985, ALPHA, 'beat'),
      sign(990, BETA, 'beat'),
      sign(995, ALPHA, 'beat'),
      sign(1_000.5, BETA, 'beat'),
      sign(1_026, BETA, 'announcement'),
      sign(1_028, BETA, 'question'),
      sign(1_028.25, CLIENT, 'answer'),
      sign(1_046, BETA, 'announcement'),
    ];
    expect(wireTimes(signs, failover)).toEqual({
      lastSign: -5,
      announced: 26,
      askedForClient: 28,
      toldClient: 28.25,
    });
  });

  it('a sign that slips out before the cable is cut counts; one of the next life does not', () => {
    const signs = [sign(1_000.75, ALPHA, 'advertisement'), sign(1_700, ALPHA, 'advertisement')];
    expect(wireTimes(signs, failover).lastSign).toBe(0.75);
  });

  it('what was asked before the announcement is no part of it', () => {
    const signs = [sign(1_010, BETA, 'question'), sign(1_026, BETA, 'announcement')];
    expect(wireTimes(signs, failover)).toMatchObject({
      announced: 26,
      askedForClient: null,
      toldClient: null,
    });
  });

  it('looks no further than a second away', () => {
    const signs = [sign(1, ALPHA, 'beat'), sign(-1, ALPHA, 'beat'), sign(2_001, BETA, 'announcement')];
    expect(wireTimes(signs, failover)).toMatchObject({ lastSign: -999, announced: null });
    expect(wireTimes([], failover).lastSign).toBeNull();
  });
});
