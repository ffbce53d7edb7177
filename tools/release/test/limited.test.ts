import { expect, it } from 'vitest';
import { eachLimited } from '../src/limited.js';

it('works on a few at once, and keeps the order', async () => {
  let atOnce = 0;
  let most = 0;
  const results = await eachLimited([30, 1, 20, 5, 0], 2, async (turns) => {
    most = Math.max(most, ++atOnce);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    atOnce--;
    return turns * 2;
  });
  expect(results).toEqual([60, 2, 40, 10, 0]);
  expect(most).toBe(2);
});

it('nothing to do is done at once', async () => {
  expect(await eachLimited([], 2, () => Promise.resolve(1))).toEqual([]);
});
