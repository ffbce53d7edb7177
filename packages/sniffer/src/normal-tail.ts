// The upper tail of the standard normal distribution on a logarithmic scale: how many decimal zeros its probability
// has. Phi of Hayashibara et al. is exactly that.

/** Below this the power series converges fast, above it the continued fraction does. */
const SERIES_LIMIT = 3;
const SERIES_TERMS = 60;
const FRACTION_DEPTH = 80;
const LOG10_E = Math.LOG10E;
const LOG10_SQRT_2PI = 0.5 * Math.log10(2 * Math.PI);

/** -log10 of the probability that a standard normal variable exceeds `z`. Rises with `z`, without limit. */
export function normalTailPhi(z: number): number {
  if (z < SERIES_LIMIT) return 0 - Math.log10(upperTail(z));
  // Q(z) = density(z) / (z + 1 / (z + 2 / (z + 3 / ...))) (Abramowitz and Stegun 26.2.14), in logarithms: no underflow.
  let fraction = z;
  for (let term = FRACTION_DEPTH; term > 0; term--) fraction = z + term / fraction;
  return LOG10_SQRT_2PI + (z * z * LOG10_E) / 2 + Math.log10(fraction);
}

/** The `z` for which {@link normalTailPhi} is `phi`; for `phi` above 0. */
export function normalTailQuantile(phi: number): number {
  let low = -40;
  let high = 1;
  while (normalTailPhi(high) < phi) high *= 2;
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (normalTailPhi(middle) < phi) low = middle;
    else high = middle;
  }
  return high;
}

/** The tail itself, for `z` below {@link SERIES_LIMIT}. */
function upperTail(z: number): number {
  if (z < -SERIES_LIMIT) return 1 - 10 ** -normalTailPhi(-z);
  // P(z) - 1/2 = density(z) * (z + z^3/3 + z^5/(3*5) + ...) (Abramowitz and Stegun 26.2.11)
  let term = z;
  let sum = z;
  for (let index = 1; index <= SERIES_TERMS; index++) {
    term *= (z * z) / (2 * index + 1);
    sum += term;
  }
  return 0.5 - (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}
