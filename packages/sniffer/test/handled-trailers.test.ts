import { BeatView } from '@rfsis/heartbeat';
import { describe, expect, it } from 'vitest';
import { HandledTrailers } from '../src/handled-trailers.js';
import { Segment } from './fixtures.js';

describe('HandledTrailers', () => {
  const segment = new Segment();
  const viewOf = (sequence: number): BeatView => {
    const view = new BeatView();
    expect(view.read(segment.frame({ sequence }), 42, 106)).toBeUndefined();
    return view;
  };

  it('remembers what came of each trailer of a batch, a copy of a trusted one included', () => {
    const handled = new HandledTrailers();
    handled.add(viewOf(1));
    handled.trustLast();
    handled.add(viewOf(2));
    handled.add(viewOf(1));
    expect([1, 2, 3].map((sequence) => handled.isTrusted(viewOf(sequence)))).toEqual([
      true,
      false,
      undefined,
    ]);
    handled.clear();
    expect(handled.isTrusted(viewOf(1))).toBeUndefined();
  });

  it('is bounded: of more than 64 the first are forgotten', () => {
    const handled = new HandledTrailers();
    for (let sequence = 1; sequence <= 65; sequence++) {
      handled.add(viewOf(sequence));
      handled.trustLast();
    }
    expect([1, 2, 65].map((sequence) => handled.isTrusted(viewOf(sequence)))).toEqual([
      undefined,
      true,
      true,
    ]);
  });
});
