import { describe, expect, it } from 'vitest';
import { MemoryStage } from '../src/memory-stage.js';
import { play, type StageEvent } from '../src/story.js';
import { drawTimeline, eventLine, NO_PAINT, summarise } from '../src/timeline.js';

describe('the demonstration in memory', () => {
  it('shows a service that survives, on a timeline', async () => {
    const events: StageEvent[] = [];
    const report = await play(
      (listener) => Promise.resolve(new MemoryStage(listener)),
      (event) => events.push(event),
      () => undefined,
    );
    expect(report.client).toMatchObject({ corrupted: 0, duplicated: 0 });
    expect(report.client.gaps).toHaveLength(1);
    expect(drawTimeline(report, NO_PAINT)).toMatchInlineSnapshot(`
      "                        |1 s                 |2 s                  |3 s            
      alpha    █████████████████×                  ░░░░░░░░░░░░░░░░░░░███████████████████
      beta     ░░░░░░░░░░░░░░░░░░░████████████████████████████████████░░░░░░░░░░░░░░░░░░░
      client   ─────────────────!!!──────────────────────────────────────────────────────

               █ serves   ░ stands by   · joins   × power lost   ─ answered   ! not answered
      "
    `);
    expect(summarise(report, NO_PAINT)).toMatch(/no answer was wrong, none came twice/);
    const lines = events.map((event) => eventLine(event, NO_PAINT)).join('\n');
    expect(lines).toMatch(
      /beta {4}takes the address over in \d+ ms: its peer was silent for 100 ms; epoch 2/,
    );
    expect(lines).toMatch(/alpha {3}takes the address over in \d+ ms: its peer handed over; epoch 3/);
  });
});
