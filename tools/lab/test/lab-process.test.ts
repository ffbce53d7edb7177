import { describe, expect, it } from 'vitest';
import { Lab, monotonicMs } from '../src/index.js';
import { isAlive } from '../src/namespace-processes.js';
import { obstacle } from './lab-tests.js';

describe.skipIf(obstacle !== undefined)('a program in the lab', () => {
  it('is the process that its id says, in the namespace of its host', async () => {
    await using lab = await Lab.create();
    const host = await lab.addNode('alpha');
    const program = host.spawn([
      'sh',
      '-c',
      'echo $$; readlink /proc/self/ns/net; ls /sys/class/net; exec sleep 1000',
    ]);
    const pid = await program.waitForLine(/^\d+$/);
    expect(Number(pid.text)).toBe(program.pid);
    expect((await program.waitForLine('net:')).text).toBe(
      (await host.exec(['readlink', '/proc/self/ns/net'])).stdout.trim(),
    );
    await program.waitForLine(/^eth0$/);
    expect(pid.atMs).toBeLessThanOrEqual(monotonicMs());
  });

  it('tells of events in JSON, once or again', async () => {
    await using lab = await Lab.create();
    const host = await lab.addNode('alpha');
    const script = `
      const say = (fields) => console.log(JSON.stringify(fields));
      say({ event: 'ready', role: 'main' });
      console.log('{ not JSON');
      say({ event: 'role', to: 'main' });
      process.stdin.once('data', () => say({ event: 'role', to: 'backup', epoch: 3 }));
    `;
    const program = await host.spawnNode(['node', '-e', script]);
    const first = await program.waitForEvent({ event: 'role' });
    expect(first.fields).toEqual({ event: 'role', to: 'main' });
    const mark = program.mark();
    const second = program.waitForEvent({ event: 'role' }, 5_000, mark);
    program.write('go\n');
    expect((await second).fields['epoch']).toBe(3);
    expect(await program.waitForEvent((fields) => fields['epoch'] === 3)).toEqual(await second);
    expect(program.events({ event: 'role' }).map(({ fields }) => fields['to'])).toEqual(['main', 'backup']);
    expect(program.events({}, (await second).number).length).toBe(1);
    program.endInput();
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  it('that ends too early is reported at once, with its last words', async () => {
    await using lab = await Lab.create();
    const host = await lab.addNode('alpha');
    const started = monotonicMs();
    const script = 'console.error("port in use"); process.exitCode = 2';
    await expect(host.spawnNode(['node', '-e', script])).rejects.toMatchObject({
      code: 'RFSIS_LAB_PROCESS_ENDED',
      message: expect.stringMatching(/ended \(exit code 2\) before .*last words: port in use$/) as string,
    });
    expect(monotonicMs() - started).toBeLessThan(10_000);
    const missing = host.spawn(['no-such-program']);
    expect((await missing.ended).code).toBeGreaterThan(0);
    expect(missing.errors.tail(1)).toContain('No such file');
  });

  it('that does not say what is waited for is a timeout, and is ended by spawnNode', async () => {
    await using lab = await Lab.create();
    const host = await lab.addNode('alpha');
    const program = host.spawn(['sleep', '1000']);
    await expect(program.waitForLine('never', 50)).rejects.toMatchObject({ code: 'RFSIS_LAB_TIMEOUT' });
    await expect(host.spawnNode(['sleep', '1000'], { readyTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'RFSIS_LAB_TIMEOUT',
    });
    await Promise.all(host.processes.filter((each) => each !== program).map(async (each) => each.ended));
    expect(host.processes).toEqual([program]);
  });

  it('can be asked to end, and is killed when it does not', async () => {
    await using lab = await Lab.create();
    const host = await lab.addNode('alpha');
    const polite = host.spawn([
      'sh',
      '-c',
      'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.01; done',
    ]);
    await polite.waitForLine('up');
    expect(await polite.stop()).toMatchObject({ code: 0 });
    expect(polite.output.tail(1)).toBe('bye');
    const stubborn = host.spawn(['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 0.01; done']);
    await stubborn.waitForLine('up');
    expect(await stubborn.stop(100)).toMatchObject({ signal: 'SIGKILL' });
    expect(stubborn.signal('SIGTERM')).toBe(false);
    expect(isAlive(stubborn.pid)).toBe(false);
  });

  it('gives its output within limits', async () => {
    await using lab = await Lab.create();
    const host = await lab.addNode('alpha');
    const program = host.spawn(['sh', '-c', 'seq 1 100000'], { output: { maxLines: 1000 } });
    await program.ended;
    expect(program.output.count).toBe(100_000);
    expect(program.output.kept.length).toBeLessThanOrEqual(1000);
    expect(program.output.tail(1)).toBe('100000');
  });
});
