import { describe, expect, it } from 'vitest';
import { AddressTable } from '../../src/ipv4/addresses.js';
import { cidr, ip } from '../network.js';

function table(...addresses: string[]): AddressTable {
  const addressTable = new AddressTable(4);
  for (const address of addresses) addressTable.add(cidr(address));
  return addressTable;
}
const value = (text: string): number => ip(text).value;

describe('AddressTable', () => {
  it('owns what was added until it is removed', () => {
    const addresses = table('10.0.0.1/24', '192.168.0.1/16');
    expect(addresses.owns(value('10.0.0.1'))).toBe(true);
    expect(addresses.owns(value('192.168.0.1'))).toBe(true);
    expect(addresses.owns(value('10.0.0.2'))).toBe(false);
    expect(addresses.remove(ip('10.0.0.1'))).toBe(true);
    expect(addresses.remove(ip('10.0.0.1'))).toBe(false);
    expect(addresses.owns(value('10.0.0.1'))).toBe(false);
    expect(addresses.list.map(String)).toEqual(['192.168.0.1/16']);
  });

  it('does not own 0.0.0.0, nor broadcast to it, when it is empty', () => {
    expect(table().owns(0)).toBe(false);
    expect(table('10.0.0.1/32').isBroadcast(0)).toBe(false);
  });

  it('RFC 1122 3.2.1.3: knows the scope of a destination', () => {
    const addresses = table('10.0.0.1/24', '10.1.0.1/31', '10.2.0.1/32');
    expect(addresses.scope(value('10.0.0.1'))).toBe('unicast');
    expect(addresses.scope(value('10.0.0.255'))).toBe('broadcast');
    expect(addresses.scope(value('255.255.255.255'))).toBe('broadcast');
    expect(addresses.scope(value('224.0.0.1'))).toBe('multicast');
    expect(addresses.scope(value('224.0.0.2'))).toBe('foreign');
    expect(addresses.scope(value('10.0.0.2'))).toBe('foreign');
    expect(addresses.scope(value('10.1.0.0'))).toBe('foreign');
    expect(addresses.scope(value('0.0.0.0'))).toBe('foreign');
  });

  it.each(['0.0.0.0', '0.1.2.3', '127.0.0.1', '224.0.0.1', '255.255.255.255', '10.0.0.255'])(
    'RFC 1122 3.2.1.3: %s is no source address',
    (source) => {
      expect(table('10.0.0.1/24').isValidSource(value(source))).toBe(false);
    },
  );

  it('takes other addresses as sources', () => {
    for (const source of ['10.0.0.2', '8.8.8.8', '10.1.0.255', '240.0.0.1']) {
      expect(table('10.0.0.1/24').isValidSource(value(source))).toBe(true);
    }
  });

  it('keeps loopback addresses within the host', () => {
    const addresses = table('10.0.0.1/24');
    expect(addresses.isLocal(value('127.1.2.3'))).toBe(true);
    expect(addresses.isLocal(value('10.0.0.1'))).toBe(true);
    expect(addresses.isLocal(value('10.0.0.2'))).toBe(false);
    expect(addresses.owns(value('127.0.0.1'))).toBe(false);
  });

  it.each([
    ['224.0.0.1/24', /multicast/],
    ['127.0.0.1/8', /loopback/],
    ['255.255.255.255/32', /broadcast/],
    ['0.0.0.0/0', /this network/],
    ['10.0.0.255/24', /broadcast address of that network/],
    ['10.0.0.0/24', /address of the network itself/],
  ])('refuses %s', (address, message) => {
    expect(() => table(address)).toThrow(message);
    expect(() => table(address)).toThrow(
      expect.objectContaining({ code: 'RFSIS_STACK_ADDRESS_INVALID' }) as Error,
    );
  });

  it('RFC 3021: takes both addresses of a /31', () => {
    expect(table('10.0.0.0/31', '10.0.0.1/31').list).toHaveLength(2);
  });

  it('takes an address twice, but not with another prefix', () => {
    const addresses = table('10.0.0.1/24');
    expect(addresses.add(cidr('10.0.0.1/24'))).toBe(false);
    expect(() => addresses.add(cidr('10.0.0.1/16'))).toThrow(
      expect.objectContaining({ code: 'RFSIS_STACK_ADDRESS_PREFIX' }) as Error,
    );
  });

  it('is bounded', () => {
    const addresses = table('10.0.0.1/24', '10.0.0.2/24', '10.0.0.3/24', '10.0.0.4/24');
    expect(() => addresses.add(cidr('10.0.0.5/24'))).toThrow(
      expect.objectContaining({ code: 'RFSIS_STACK_LIMIT' }) as Error,
    );
  });
});
