import { describe, expect, it } from 'vitest';
import { DEFAULT_STACK_LIMITS, stackLimits } from '../src/options.js';

describe('stackLimits', () => {
  it('fills in the defaults', () => {
    expect(stackLimits({})).toEqual(DEFAULT_STACK_LIMITS);
    expect(stackLimits({ reassemblyMs: 5000 })).toEqual({ ...DEFAULT_STACK_LIMITS, reassemblyMs: 5000 });
  });

  it.each([
    [
      'RFC 1191 3: no path MTU below 68',
      { pathMtuMinimum: 67 },
      /pathMtuMinimum 67: expected .* at least 68/,
    ],
    ['one datagram must fit', { reassemblyOctets: 1000 }, /reassemblyOctets 1000/],
    ['no number', { udpSockets: Number.NaN }, /udpSockets NaN/],
    ['zero', { icmpErrorsPerSecond: 0 }, /icmpErrorsPerSecond 0/],
  ])('refuses %s', (_name, options, message) => {
    expect(() => stackLimits(options)).toThrow(message);
    expect(() => stackLimits(options)).toThrow(
      expect.objectContaining({ code: 'RFSIS_STACK_OPTION_INVALID' }) as Error,
    );
  });
});
