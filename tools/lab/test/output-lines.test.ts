import { describe, expect, it } from 'vitest';
import { OutputLines } from '../src/output-lines.js';

function texts(lines: OutputLines): string[] {
  return lines.kept.map(({ text }) => text);
}

describe('output lines', () => {
  it('are put together from pieces, with either line end', () => {
    const lines = new OutputLines();
    for (const piece of ['fi', 'rst\nsec', 'ond\r\n', '\nlast']) lines.push(piece);
    expect(texts(lines)).toEqual(['first', 'second', '']);
    lines.end();
    expect(texts(lines)).toEqual(['first', 'second', '', 'last']);
    expect(lines.kept.map(({ number }) => number)).toEqual([0, 1, 2, 3]);
  });

  it('are waited for, those of the past included', async () => {
    const lines = new OutputLines();
    lines.push('one\ntwo\n');
    expect(await lines.waitFor(({ text }) => text === 'one', 10)).toMatchObject({ number: 0 });
    const coming = lines.waitFor(({ text }) => text === 'one', 5_000, 1);
    lines.push('three\none\n');
    expect(await coming).toMatchObject({ number: 3, text: 'one' });
  });

  it('that do not come are a timeout, or the end', async () => {
    const lines = new OutputLines();
    expect(await lines.waitFor(() => true, 5)).toBe('timeout');
    const coming = lines.waitFor(() => true, 5_000);
    lines.end();
    expect(await coming).toBe('ended');
    expect(await lines.waitFor(() => true, 5_000)).toBe('ended');
  });

  it('are kept within limits, the newest ones', () => {
    const lines = new OutputLines({ maxLines: 100, maxLineLength: 10 });
    for (let count = 0; count < 1000; count++) lines.push(`${count}\n`);
    expect(lines.kept.length).toBeGreaterThan(80);
    expect(lines.kept.length).toBeLessThanOrEqual(100);
    expect(lines.kept.at(-1)).toMatchObject({ number: 999, text: '999' });
    expect(lines.count).toBe(1000);
    lines.push('x'.repeat(25));
    lines.end();
    expect(texts(lines).slice(-3)).toEqual(['xxxxxxxxxx', 'xxxxxxxxxx', 'xxxxx']);
  });

  it('can be iterated over until the end', async () => {
    const lines = new OutputLines();
    lines.push('a\nb\n');
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { text } of lines) seen.push(text);
    })();
    lines.push('c\n');
    lines.end();
    await reading;
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});
