import { SeededRandom } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { EphemeralPorts } from '../../src/udp/ephemeral-ports.js';

const range = (first: number, last: number) => ({ ephemeralPortFirst: first, ephemeralPortLast: last });

describe('EphemeralPorts', () => {
  it('RFC 6056 3.3.1: chooses at random over the whole range', () => {
    const ports = new EphemeralPorts(new SeededRandom(1), range(32_768, 65_535));
    const chosen = Array.from({ length: 1000 }, () => ports.choose(() => true) ?? 0);
    expect(Math.min(...chosen)).toBeGreaterThanOrEqual(32_768);
    expect(Math.max(...chosen)).toBeLessThanOrEqual(65_535);
    expect(new Set(chosen).size).toBeGreaterThan(950);
    const steps = new Set(chosen.map((port, index) => port - (chosen[index - 1] ?? 0)));
    expect(steps.size).toBeGreaterThan(950);
  });

  it('finds the only one that is free, and none', () => {
    const ports = new EphemeralPorts(new SeededRandom(1), range(50_000, 50_099));
    expect(ports.choose((port) => port === 50_042)).toBe(50_042);
    expect(ports.choose(() => false)).toBeUndefined();
  });

  it.each([
    [0, 10],
    [1, 65_536],
    [20, 10],
    [1.5, 10],
  ])('refuses %d to %d', (first, last) => {
    expect(() => new EphemeralPorts(new SeededRandom(1), range(first, last))).toThrow(
      expect.objectContaining({ code: 'RFSIS_STACK_OPTION_INVALID' }) as Error,
    );
  });
});
