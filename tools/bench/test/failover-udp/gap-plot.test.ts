import { describe, expect, it } from 'vitest';
import { gapPlot } from '../../src/failover-udp/gap-plot.js';

const STRIPS = [
  { name: 'RFSIS', gapsMs: [28, 30, 30, 31.5] },
  { name: 'A & <B>', gapsMs: [33, 47] },
];
const LIMITS = [{ name: 'median at most 35', ms: 35 }];

function circles(svg: string): { x: number; y: number; strip: string }[] {
  return [...svg.matchAll(/<circle class="dot (strip\d)" cx="([\d.]+)" cy="([\d.]+)"/g)].map(
    ([, strip = '', x, y]) => ({ x: Number(x), y: Number(y), strip }),
  );
}

describe('gapPlot', () => {
  const svg = gapPlot(STRIPS, LIMITS);

  it('has a dot per failover; equal gaps lie beside each other, not on each other', () => {
    const dots = circles(svg);
    expect(dots).toHaveLength(6);
    expect(new Set(dots.map(({ x, y }) => `${x} ${y}`)).size).toBe(6);
    expect(dots.filter(({ strip }) => strip === 'strip1')).toHaveLength(2);
  });

  it('has one axis for all: longer is further right', () => {
    const [first, , , last, ...others] = circles(svg).map(({ x }) => x);
    expect(first).toBeLessThan(last ?? 0);
    expect(others.every((x) => x > (last ?? Infinity))).toBe(true);
    expect(svg).toMatch(/>0<\/text>[\s\S]*>50<\/text>/);
  });

  it('is one well-formed document that says in words what it shows, readable in light and dark', () => {
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
    expect(svg.trimEnd().endsWith('</svg>')).toBe(true);
    expect(svg).toContain('RFSIS: 4 failovers, median 30 ms, nine of ten at most 31.5 ms, longest 31.5 ms');
    expect(svg).toContain('A &amp; &lt;B&gt;');
    expect(svg).toContain('@media (prefers-color-scheme: dark)');
    expect(svg).toContain('median at most 35');
    const opened = [...svg.matchAll(/<([a-z]+)(?=[ >])(?![^>]*\/>)/g)].map(([, name]) => name).sort();
    const closed = [...svg.matchAll(/<\/([a-z]+)>/g)].map(([, name]) => name).sort();
    expect(opened).toEqual(closed);
  });

  it('stays within its frame, with many dots in one place too', () => {
    const many = gapPlot([{ name: 'one', gapsMs: Array.from({ length: 20 }, () => 30) }], []);
    const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(many) ?? [];
    for (const { x, y } of circles(many)) {
      expect(x > 0 && x < Number(width) && y > 0 && y < Number(height)).toBe(true);
    }
  });

  it('draws nothing where nothing was measured', () => {
    const empty = gapPlot([{ name: 'RFSIS', gapsMs: [] }], []);
    expect(circles(empty)).toEqual([]);
    expect(empty).toContain('no figures');
  });
});
