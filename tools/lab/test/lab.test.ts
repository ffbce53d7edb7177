import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gratuitousArp, Lab, LabError, monotonicMs, sendFrames } from '../src/index.js';
import { mustRun } from '../src/commands.js';
import { processesIn } from '../src/namespace-processes.js';
import { machineNetwork, obstacle, reaches, remainsOf } from './lab-tests.js';

it('can run wherever tests run as root, so that they are not skipped unnoticed', () => {
  // Root of a container may be root by name only. CI is not to be such a place.
  const isRealRoot = process.geteuid?.() === 0 && obstacle?.startsWith('root lacks') !== true;
  if (isRealRoot || (process.geteuid?.() === 0 && process.env['CI'] !== undefined)) {
    expect(obstacle).toBeUndefined();
  }
});

it.skipIf(obstacle === undefined)('is refused on one line where it cannot run', async () => {
  await expect(Lab.create()).rejects.toMatchObject({ code: 'RFSIS_LAB_UNAVAILABLE', message: obstacle });
});

describe.skipIf(obstacle !== undefined)('a lab', () => {
  it('connects hosts, leaves the network of the machine alone, and goes away without a trace', async () => {
    const before = await machineNetwork();
    const lab = await Lab.create();
    const started = monotonicMs();
    const client = await lab.addHost('client', { address: '10.77.0.100/24', gateway: '10.77.0.1' });
    const gateway = await lab.addHost('gateway', { address: '10.77.0.1/24' });
    const alpha = await lab.addNode('alpha');
    await lab.addNode('beta');
    const tookMs = monotonicMs() - started;
    expect(tookMs).toBeLessThan(2_000); // About 100 ms on an idle machine.

    expect(lab.hosts.map(({ name }) => name)).toEqual(['client', 'gateway', 'alpha', 'beta']);
    expect(lab.host('client')).toBe(client);
    expect(client.mac.toString()).toBe('02:52:46:00:00:01');
    expect(await reaches(client, '10.77.0.1')).toBe(true);
    expect(await client.neighbour('10.77.0.1')).toEqual(gateway.mac);
    expect(await client.neighbour('10.77.0.2')).toBeUndefined();
    expect((await client.exec(['ip', 'route'])).stdout).toContain('default via 10.77.0.1 dev eth0');
    expect((await alpha.exec(['ip', '-brief', 'address', 'show', 'dev', 'eth0'])).stdout).not.toMatch(/\d\//);

    const lasting = alpha.spawn(['sleep', '1000']);
    writeFileSync(join(lab.folder, 'note'), '');
    const { folder, name } = lab;
    expect(await machineNetwork()).toBe(before);
    await lab.close();
    expect(lasting.end).toMatchObject({ signal: 'SIGKILL' });
    expect(remainsOf(name)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
    expect(await machineNetwork()).toBe(before);
    await lab.close();
  });

  it('is silent: neither kernels nor the switch say anything of their own accord', async () => {
    await using lab = await Lab.create();
    const client = await lab.addHost('client');
    const capture = await lab.capture('switch');
    const atNode = await lab.capture(await lab.addNode('alpha'));
    const gateway = await lab.addHost('gateway', { address: '10.77.0.1/24' });
    await lab.linkDown(gateway);
    await lab.linkUp(gateway);
    // A frame at the end proves that the captures worked all the time.
    await sendFrames(client, [gratuitousArp({ address: '10.77.0.100', mac: client.mac })]);
    expect(await capture.stop()).toMatchObject({ frames: 1, dropped: 0 });
    expect(await atNode.stop()).toMatchObject({ frames: 1, dropped: 0 });
  });

  it('has no IPv6 anywhere', async () => {
    await using lab = await Lab.create();
    const hosts = [await lab.addHost('client'), await lab.addNode('alpha')];
    for (const host of hosts) expect((await host.exec(['ip', '-6', 'address'])).stdout).toBe('');
    const inSwitch = ['ip', '-netns', `rfsis-${lab.name}-switch`, '-6', 'address'];
    expect(await mustRun(inSwitch)).toBe('');
  });

  it('gives hosts addresses of their own when none are asked for', async () => {
    await using lab = await Lab.create();
    const hosts = await Promise.all(['a', 'b', 'c'].map(async (name) => lab.addHost(name)));
    expect(hosts.map(({ address }) => address?.toString())).toEqual([
      '10.77.0.100',
      '10.77.0.101',
      '10.77.0.102',
    ]);
    expect(new Set(hosts.map(({ mac }) => mac.value)).size).toBe(3);
  });

  it('takes MAC addresses and MTUs as wished', async () => {
    await using lab = await Lab.create();
    const node = await lab.addNode('alpha', { mac: '02:00:5e:10:00:01', mtu: 1400 });
    const shown = (await node.exec(['ip', 'link', 'show', 'dev', 'eth0'])).stdout;
    expect(shown).toContain('02:00:5e:10:00:01');
    expect(shown).toContain('mtu 1400');
  });

  it('refuses names that are taken, wrong or unknown, and works on', async () => {
    await using lab = await Lab.create();
    await lab.addHost('client');
    await expect(lab.addHost('client')).rejects.toMatchObject({ code: 'RFSIS_LAB_NAME_TAKEN' });
    await expect(lab.addNode('Two Words')).rejects.toMatchObject({ code: 'RFSIS_LAB_NAME_INVALID' });
    expect(() => lab.host('nobody')).toThrow(LabError);
    expect(() => lab.host('nobody')).toThrow(/there are: client$/);
    await expect(
      lab.addHost('gateway', { address: '10.77.0.1/24', gateway: '10.99.0.1' }),
    ).rejects.toMatchObject({
      code: 'RFSIS_LAB_COMMAND_FAILED',
    });
    await lab.addHost('gateway', { address: '10.77.0.1/24' });
    await lab.close();
    await expect(lab.addHost('late')).rejects.toMatchObject({ code: 'RFSIS_LAB_CLOSED' });
  });

  it('lives beside other labs with the same addresses', async () => {
    await using one = await Lab.create();
    await using two = await Lab.create();
    expect(one.name).not.toBe(two.name);
    const clients = await Promise.all([one, two].map(async (lab) => lab.addHost('client')));
    await one.addHost('gateway', { address: '10.77.0.1/24' });
    expect(await Promise.all(clients.map(async (client) => reaches(client, '10.77.0.1', 1_000)))).toEqual([
      true,
      false,
    ]);
  });

  it('with a name stays, is found again, and goes when it is removed', async () => {
    const name = `test-${process.pid}`;
    try {
      const first = await Lab.create({ name });
      await first.addHost('client', { mac: '02:00:5e:10:00:01' });
      await first.addNode('alpha');
      await expect(Lab.create({ name })).rejects.toMatchObject({ code: 'RFSIS_LAB_NAME_TAKEN' });
      await first.close();

      await using second = await Lab.attach(name);
      expect(Lab.list()).toContain(name);
      expect(second.hosts.map(({ name: host, kind }) => [host, kind]).sort()).toEqual([
        ['alpha', 'node'],
        ['client', 'host'],
      ]);
      expect(second.host('client')).toMatchObject({ mtu: 1500, address: { value: 0x0a4d0064 } });
      expect(second.host('client').mac.toString()).toBe('02:00:5e:10:00:01');
      const added = await second.addHost('gateway', { address: '10.77.0.1/24' });
      expect(await reaches(added, '10.77.0.100')).toBe(true);
    } finally {
      expect(await Lab.remove(name)).toBe(true);
    }
    expect(remainsOf(name)).toEqual([]);
    expect(await Lab.remove(name)).toBe(false);
    await expect(Lab.attach(name)).rejects.toMatchObject({ code: 'RFSIS_LAB_NOT_FOUND' });
  });

  it('offloads like real interfaces only on request', async () => {
    await using lab = await Lab.create();
    const plain = await lab.addHost('plain');
    const fast = await lab.addHost('fast', { offloads: true });
    const isOn = async (host: typeof plain): Promise<boolean> =>
      /^tx-checksumming: on$/m.test((await host.exec(['ethtool', '-k', 'eth0'])).stdout);
    expect([await isOn(plain), await isOn(fast)]).toEqual([false, true]);
  });

  it('bounds commands and ends them', async () => {
    await using lab = await Lab.create();
    const host = await lab.addHost('client');
    await expect(host.exec(['sleep', '60'], { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'RFSIS_LAB_TIMEOUT',
    });
    await expect(host.exec(['false'], { check: true })).rejects.toMatchObject({
      code: 'RFSIS_LAB_COMMAND_FAILED',
    });
    expect((await host.exec(['cat'], { input: 'octets' })).stdout).toBe('octets');
    expect(processesIn([host.namespace])).toEqual([]);
  });
});
