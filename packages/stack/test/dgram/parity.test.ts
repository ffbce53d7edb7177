// The same programs on node:dgram over the kernel's loopback and on a stack: equal observations.
import dgram from 'node:dgram';
import { SeededRandom, SystemClock } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { createDgram } from '../../src/dgram.js';
import { Stack } from '../../src/index.js';
import { cidr, TestDevice } from '../network.js';
import { type DgramModule, type Place, type Program, PROGRAMS } from './programs.js';

async function observe(program: Program, place: Place): Promise<string[]> {
  const observed: string[] = [];
  await program(place, (...values) => {
    observed.push(
      JSON.stringify(values, (_key, value: unknown) => (value === undefined ? 'undefined' : value)),
    );
  });
  return observed;
}

function onStack(): { place: Place; stack: Stack } {
  const stack = new Stack({
    device: new TestDevice(),
    clock: new SystemClock(),
    random: new SeededRandom(1),
  });
  stack.open();
  stack.addAddress(cidr('10.0.0.1/24'));
  const ours = createDgram(stack);
  const module: DgramModule = {
    createSocket: (options, callback) => ours.createSocket(options, callback),
  };
  return { place: { dgram: module, broadcast: '10.0.0.255' }, stack };
}

describe('@rfsis/stack/dgram behaves like node:dgram', () => {
  it.each(Object.keys(PROGRAMS))('%s', async (name) => {
    const program = PROGRAMS[name];
    if (program === undefined) throw new Error('no such program');
    const { place, stack } = onStack();
    const [theirs, ours] = await Promise.all([
      observe(program, { dgram, broadcast: '127.255.255.255' }),
      observe(program, place),
    ]);
    expect(ours).toEqual(theirs);
    expect(theirs.length).toBeGreaterThan(0);
    expect(stack.udp.socketCount).toBe(0);
    stack.close();
  });
});
