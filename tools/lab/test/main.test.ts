import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand, type CommandResult } from '../src/commands.js';
import { Lab } from '../src/index.js';
import { obstacle, programsFolder, remainsOf } from './lab-tests.js';

const lab = `test-${process.pid}-cli`;

async function cli(...args: readonly string[]): Promise<CommandResult> {
  return runCommand(['node', join(programsFolder, 'main.mjs'), ...args], { timeoutMs: 30_000 });
}

describe('the command line', () => {
  it('explains itself, with examples', async () => {
    const { stdout, code } = await cli('--help');
    expect(code).toBe(0);
    for (const word of ['up', 'down', 'list', 'exec', 'reap', 'loss client 10'])
      expect(stdout).toContain(word);
  });

  it('answers a wrong command with exit code 2 and a line', async () => {
    const { stderr, code } = await cli('upp');
    expect(code).toBe(2);
    expect(stderr).toContain("unknown command 'upp'");
  });

  it.skipIf(obstacle === undefined)('says why it cannot make a lab', async () => {
    expect(await cli('up')).toMatchObject({ code: 2, stderr: `rfsis-lab: ${obstacle ?? ''}\n` });
  });
});

describe.skipIf(obstacle !== undefined)('the command line', () => {
  afterAll(async () => {
    await Lab.remove(lab);
  });

  it('keeps a lab from up to down', async () => {
    const up = await cli('up', lab);
    expect(up).toMatchObject({ code: 0, stderr: '' });
    expect(up.stdout).toContain(`ip netns exec rfsis-${lab}-client ...`);
    expect(await cli('up', lab)).toMatchObject({
      code: 2,
      stderr: `rfsis-lab: there is a lab "${lab}" already\n`,
    });
    expect((await cli('list')).stdout).toContain(`${lab}\n  client        02:52:46:00:00:01  10.77.0.100`);

    expect(
      await cli('exec', `${lab}/client`, '--', 'sh', '-c', 'ip -brief address show eth0; exit 5'),
    ).toMatchObject({
      code: 5,
      stdout: expect.stringContaining('10.77.0.100/24') as string,
    });
    expect((await cli('exec', `${lab}/alpha`, 'sh', '-c', 'kill -9 $$')).code).toBe(137);

    const carrier = async (): Promise<string> =>
      (await cli('exec', `${lab}/alpha`, 'cat', '/sys/class/net/eth0/carrier')).stdout.trim();
    expect((await cli('link', `${lab}/alpha`, 'down')).code).toBe(0);
    expect(await carrier()).toBe('0');
    expect((await cli('link', `${lab}/alpha`, 'up')).code).toBe(0);
    expect(await carrier()).toBe('1');

    expect((await cli('partition', `${lab}/alpha`, `${lab}/beta`, '--one-way')).code).toBe(0);
    expect((await cli('loss', `${lab}/client`, '10')).code).toBe(0);
    expect((await cli('clear', lab)).code).toBe(0);
    expect((await cli('reap')).code).toBe(0);
    expect(await cli('down', lab)).toMatchObject({ code: 0, stderr: '' });
    expect(remainsOf(lab)).toEqual([]);
    expect(await cli('down', lab)).toMatchObject({
      code: 2,
      stderr: `rfsis-lab: there is no lab "${lab}"\n`,
    });
  });

  it.each([
    [['exec', 'no-such-lab/client', 'true'], 'there is no lab "no-such-lab"'],
    [['link', 'client', 'sideways'], '"sideways" is no state of a link: expected up or down'],
    [['loss', 'client', 'much'], '"much" is no share: expected 0 to 100 (percent)'],
    [['partition', 'one/alpha', 'two/beta'], 'both hosts must be of the same lab'],
  ])('%j is refused on one line', async (args, reason) => {
    expect(await cli(...args)).toMatchObject({ code: 2, stderr: `rfsis-lab: ${reason}\n` });
  });
});
