import { SystemClock, VirtualClock } from '@rfsis/link';
import { describe, expect, it } from 'vitest';
import { createLogger, standardOutput } from '../src/log.js';

function setUp(level = 'info', base?: Record<string, unknown>) {
  const clock = new VirtualClock(1_767_225_600_000);
  const lines: string[] = [];
  const log = createLogger({
    level,
    clock,
    destination: { write: (line) => lines.push(line) },
    ...(base === undefined ? {} : { base }),
  });
  return { clock, lines, log };
}

describe('the log', () => {
  it('is one JSON object a line, with names for levels and the time of the clock', () => {
    const { clock, lines, log } = setUp();
    clock.advance(1500);
    log.info({ event: 'ready', role: 'main' }, 'ready as main');
    expect(lines).toEqual([
      '{"level":"info","time":1767225601500,"event":"ready","role":"main","message":"ready as main"}\n',
    ]);
  });

  it('leaves out what is below its level', () => {
    const { lines, log } = setUp('warn');
    log.info({ event: 'ready' }, 'x');
    log.warn({ event: 'conflict' }, 'x');
    expect(lines).toHaveLength(1);
    expect(setUp('silent').log.isLevelEnabled('fatal')).toBe(false);
  });

  it('carries what every line shall carry', () => {
    const { lines, log } = setUp('info', { node: 'alpha' });
    log.info({ event: 'ready' }, 'x');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ node: 'alpha', event: 'ready' });
  });

  it('goes to standard output when nothing else is said', async () => {
    const clock = new SystemClock();
    createLogger({ level: 'silent', clock }).info({ event: 'unseen' }, 'x');
    const output = standardOutput(clock);
    await output.finish();
    output.write('never written');
    await output.finish();
  });
});
