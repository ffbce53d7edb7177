import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Lab, nodeConfiguration, SharedLab, STANDARD_ADDRESSES } from '../src/index.js';
import { isAlive } from '../src/namespace-processes.js';
import { Child } from './child.js';
import { obstacle, reaches, remainsOf } from './lab-tests.js';

const MEMBER = join(import.meta.dirname, 'programs/member.mjs');

describe.skipIf(obstacle !== undefined)('a shared lab', () => {
  const members: Child[] = [];
  let count = 0;

  function newName(): string {
    return `test-${process.pid}-shared-${count++}`;
  }

  async function join_(name: string): Promise<{ member: Child; joined: Record<string, unknown> }> {
    const member = new Child(MEMBER, name);
    members.push(member);
    return { member, joined: await member.event('joined', 'refused') };
  }

  afterEach(async () => {
    await Promise.all(members.splice(0).map(async (member) => member.kill()));
    for (let used = 0; used < count; used++) await Lab.remove(`test-${process.pid}-shared-${used}`);
  });

  it('is made by the first, joined by the second, and removed by the last', async () => {
    const name = newName();
    const first = await SharedLab.joinOrCreate(name);
    expect(first).toMatchObject({ seat: 'alpha', created: true });
    expect(first.node.name).toBe('alpha');
    expect(first.commandIn('client', ['nc', '-u', STANDARD_ADDRESSES.service, '7'])).toBe(
      `ip netns exec rfsis-${name}-client nc -u 10.77.0.10 7`,
    );
    const second = await SharedLab.joinOrCreate(name);
    expect(second).toMatchObject({ seat: 'beta', created: false });
    expect(SharedLab.taken(name)).toEqual(['alpha', 'beta']);
    expect(await reaches(second.lab.host('client'), STANDARD_ADDRESSES.gateway)).toBe(true);
    await first.leave();
    expect(SharedLab.taken(name)).toEqual(['beta']);
    expect(await reaches(second.lab.host('client'), STANDARD_ADDRESSES.gateway)).toBe(true);
    await second.leave();
    expect(remainsOf(name)).toEqual([]);
    await second.leave();
  });

  it('has two seats, and says so to a third', async () => {
    const name = newName();
    await join_(name);
    expect((await join_(name)).joined).toMatchObject({ seat: 'beta', created: false });
    const { joined } = await join_(name);
    expect(joined).toMatchObject({ event: 'refused', code: 'RFSIS_LAB_SEATS_TAKEN' });
    expect(joined['message']).toBe(
      `both nodes of lab "${name}" are in use (alpha, beta): stop one of their programs first`,
    );
    expect(SharedLab.taken(name)).toEqual(['alpha', 'beta']);
  });

  it.each(['alpha', 'beta'])(
    'gives the seat of a program that was killed (%s) to the next',
    async (victim) => {
      const name = newName();
      const seats = [await join_(name), await join_(name)];
      const dead = seats.find(({ joined }) => joined['seat'] === victim);
      const other = seats.find(({ joined }) => joined['seat'] !== victim);
      await dead?.member.kill();
      const again = await join_(name);
      expect(again.joined).toMatchObject({ seat: victim, created: false });
      expect(isAlive(Number(dead?.joined['node']))).toBe(false);
      expect(isAlive(Number(other?.joined['node']))).toBe(true);
      // They leave in turn; the last one takes the lab away.
      other?.member.signal('SIGTERM');
      expect(await other?.member.ended).toEqual({ code: 0, signal: null });
      expect(remainsOf(name)).not.toEqual([]);
      again.member.signal('SIGTERM');
      expect(await again.member.ended).toEqual({ code: 0, signal: null });
      expect(remainsOf(name)).toEqual([]);
    },
  );

  it('is made anew when all its programs were killed', async () => {
    const name = newName();
    const seats = [await join_(name), await join_(name)];
    await Promise.all(seats.map(async ({ member }) => member.kill()));
    expect(remainsOf(name)).not.toEqual([]);
    expect((await join_(name)).joined).toMatchObject({ seat: 'alpha', created: true });
  });

  it('is removed by the last program also when a signal ends that', async () => {
    const name = newName();
    const [first, second] = [await join_(name), await join_(name)];
    first.member.signal('SIGINT');
    expect(await first.member.ended).toMatchObject({ signal: 'SIGINT' });
    expect(SharedLab.taken(name)).toEqual(['beta']);
    expect(isAlive(Number(first.joined['node']))).toBe(false);
    second.member.signal('SIGINT');
    expect(await second.member.ended).toMatchObject({ signal: 'SIGINT' });
    expect(remainsOf(name)).toEqual([]);
  });

  it('is one lab for programs that start at the same time', async () => {
    const name = newName();
    const seats = await Promise.all([join_(name), join_(name)]);
    expect(seats.map(({ joined }) => joined['seat']).sort()).toEqual(['alpha', 'beta']);
    expect(seats.filter(({ joined }) => joined['created'] === true).length).toBe(1);
  });
});

describe('the configuration of a standard node', () => {
  it('names the other node as peer, and takes what is wished beside', () => {
    expect(nodeConfiguration('alpha')).toEqual({
      role: 'main',
      interface: 'eth0',
      serviceAddress: '10.77.0.10/24',
      nodeAddress: '10.77.0.11',
      peerAddress: '10.77.0.12',
      gateway: '10.77.0.1',
    });
    expect(nodeConfiguration('beta', { port: 7 })).toMatchObject({
      ...{ role: 'backup', nodeAddress: '10.77.0.12', peerAddress: '10.77.0.11', port: 7 },
    });
  });
});
