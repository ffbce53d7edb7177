import { describe, expect, it } from 'vitest';
import { normalTailPhi, normalTailQuantile } from '../src/index.js';

describe('normalTailPhi', () => {
  it.each([
    // z and the upper tail probability, from tables of the normal distribution
    [0, 0.5],
    [1, 0.158655253931457],
    [1.2815515655446, 0.1],
    [1.959963984540054, 0.025],
    [2.326347874040841, 0.01],
    [3.090232306167814, 0.001],
    [4.753424308822899, 1e-6],
    [5.612001244174789, 1e-8],
    [-1, 0.841344746068543],
    [-2.326347874040841, 0.99],
  ])('at %f is -log10 of %f', (z, probability) => {
    expect(normalTailPhi(z)).toBeCloseTo(-Math.log10(probability), 9);
  });

  it('has no seam where the two ways of computing it meet, and no end where probabilities underflow', () => {
    expect(normalTailPhi(3)).toBeCloseTo(normalTailPhi(3 - 1e-12), 9);
    expect(normalTailPhi(-3)).toBeCloseTo(normalTailPhi(-3 - 1e-12), 9);
    expect(normalTailPhi(100)).toBeCloseTo(2173.87, 1);
    expect(normalTailPhi(-50)).toBe(0);
  });

  it('rises all the way', () => {
    let last = normalTailPhi(-8);
    for (let z = -7.9; z < 40; z += 0.1) {
      const phi = normalTailPhi(z);
      expect(phi, String(z)).toBeGreaterThanOrEqual(last);
      last = phi;
    }
  });
});

describe('normalTailQuantile', () => {
  it('undoes normalTailPhi', () => {
    for (const z of [-2, -0.5, 0.3, 1, 2.9, 3.1, 5.612, 12, 80]) {
      expect(normalTailQuantile(normalTailPhi(z))).toBeCloseTo(z, 8);
    }
  });
});
