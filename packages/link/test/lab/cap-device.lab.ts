// Runs in a namespace as made by namespace.ts.
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { linkDeviceCompliance } from '../../src/compliance.js';
import { loadCap } from '../../src/cap-module.js';
import {
  CapDevice,
  Ipv4Address,
  MacAddress,
  SystemClock,
  addToSum,
  foldSum,
  listNetworkInterfaces,
  pseudoHeaderSum,
  readU16,
  type CapDeviceOptions,
} from '../../src/index.js';
import { realTime } from '../real-time.js';
import { frameOf, listen, macOf } from '../stations.js';

const clock = new SystemClock();
const until = realTime(clock);
const opened: CapDevice[] = [];

function device(interfaceName: string, options: Partial<CapDeviceOptions> = {}): CapDevice {
  const made = new CapDevice({ interfaceName, clock, linkPollMs: 10, bufferOctets: 0x80_0000, ...options });
  opened.push(made);
  return made;
}

function ip(...args: string[]): void {
  execFileSync('ip', args);
}

afterEach(() => {
  while (opened.length > 0) opened.pop()?.close();
});

describe('compliance', () => {
  it.each(linkDeviceCompliance({ carrier: true }))('$name', async ({ run }) => {
    await run({
      a: device('va'),
      b: device('vb'),
      until,
      setCarrier: (up) => {
        ip('link', 'set', 'pa', up ? 'up' : 'down');
      },
    });
  });
});

describe('opening', () => {
  it('knows the interfaces of this namespace', () => {
    expect(listNetworkInterfaces()).toEqual(['br0', 'pa', 'pb', 'va', 'vb']);
    expect(() => device('eth0')).toThrow(/^no network interface "eth0": there is br0, pa, pb, va, vb$/);
    expect(() => device('lo')).toThrow(/^"lo" is no Ethernet interface: there is br0, pa, pb, va, vb$/);
  });

  it('needs the interface switched on', async () => {
    ip('link', 'add', 'off0', 'type', 'veth', 'peer', 'name', 'off1');
    ip('link', 'set', 'off1', 'up');
    const off = device('off0');
    expect(() => listen(off)).toThrow(/^off0 is switched off: ip link set off0 up$/);
    ip('link', 'set', 'off0', 'up');
    listen(off);
    expect(await until(() => off.up)).toBe(true);
    off.close();
    ip('link', 'del', 'off0');
  });

  it('needs the privilege', () => {
    process.seteuid?.(65_534);
    try {
      expect(() => listen(device('va'))).toThrow(
        expect.objectContaining({ code: 'RFSIS_LINK_NO_PRIVILEGE' }),
      );
    } finally {
      process.seteuid?.(0);
    }
  });

  it('needs a filter that can be understood', () => {
    expect(() => listen(device('va', { filter: 'arp or' }))).toThrow(/the capture filter .* is wrong/);
  });
});

describe('receiving', () => {
  it('leaves frames for others to others, unless told otherwise', async () => {
    const [a, plain, promiscuous] = [device('va'), device('vb'), device('vb', { promiscuous: true })];
    const heard = [listen(plain), listen(promiscuous)];
    listen(a);
    a.send(frameOf(a.mac, macOf(0x99), 'for another'));
    a.send(frameOf(a.mac, plain.mac, 'for me'));
    expect(await until(() => heard.every((texts) => texts.includes('for me')))).toBe(true);
    expect(heard).toEqual([['for me'], ['for another', 'for me']]);
  });

  it('takes only what the filter lets pass', async () => {
    const [a, b] = [device('va'), device('vb', { filter: 'ether proto 0x88b5' })];
    const heard = listen(b);
    listen(a);
    const wanted = frameOf(a.mac, b.mac, 'wanted');
    wanted.set([0x88, 0xb5], 12);
    a.send(frameOf(a.mac, b.mac, 'not wanted'));
    a.send(wanted);
    expect(await until(() => heard.length > 0)).toBe(true);
    expect(heard).toEqual(['wanted']);
  });

  it('takes a super-frame of 64 KiB', async () => {
    for (const name of ['va', 'vb', 'pa', 'pb']) ip('link', 'set', name, 'mtu', '65521');
    const [a, b] = [device('va'), device('vb')];
    expect(a.mtu).toBe(65_521);
    const frames: Uint8Array[] = [];
    b.open((batch) => frames.push(batch.frame(0).slice()));
    listen(a);
    const frame = frameOf(a.mac, b.mac, 'super', 65_535).fill(0x5a, 34);
    expect(a.send(frame)).toBe(true);
    expect(await until(() => frames.length > 0)).toBe(true);
    expect(Buffer.compare(frames[0] ?? Buffer.alloc(0), frame)).toBe(0);
    a.close();
    b.close();
    for (const name of ['va', 'vb', 'pa', 'pb']) ip('link', 'set', name, 'mtu', '1500');
  });

  it('takes datagrams of the kernel, whose checksum may be partial', async () => {
    ip('address', 'add', '10.9.0.254/24', 'dev', 'br0');
    const b = device('vb');
    ip('neighbour', 'replace', '10.9.0.2', 'lladdr', b.mac.toString(), 'dev', 'br0');
    const frames: Uint8Array[] = [];
    b.open((batch) => {
      const frame = batch.frame(0).slice();
      if (readU16(frame, 12) === 0x0800) frames.push(frame);
    });
    const socket = createSocket('udp4');
    socket.send('from the kernel', 7, '10.9.0.2');
    expect(await until(() => frames.length > 0)).toBe(true);
    socket.close();
    const frame = frames[0] ?? new Uint8Array(0);
    const length = readU16(frame, 38);
    expect(Buffer.from(frame.subarray(42, 34 + length)).toString()).toBe('from the kernel');
    const [source, destination] = [
      Ipv4Address.fromOctets(frame, 26).value,
      Ipv4Address.fromOctets(frame, 30).value,
    ];
    const pseudo = pseudoHeaderSum(source, destination, 17, length);
    const isPartial = readU16(frame, 40) === foldSum(pseudo);
    const isWhole = foldSum(addToSum(pseudo, frame, 34, length)) === 0xffff;
    expect(isPartial || isWhole).toBe(true);
  });

  it('receives at once, not when a buffer is full or a second has passed', async () => {
    const [a, b] = [device('va'), device('vb')];
    listen(a);
    const heard = listen(b);
    const delays: number[] = [];
    for (let round = 0; round < 10; round++) {
      const startMs = clock.now();
      a.send(frameOf(a.mac, b.mac, String(round)));
      expect(await until(() => heard.length > round)).toBe(true);
      delays.push(clock.now() - startMs);
    }
    expect(delays.sort((x, y) => x - y)[5]).toBeLessThan(50);
  });
});

describe('an interface', () => {
  it.skipIf(loadCap().abortsOnInterfaceDown)('may be switched off and on under the device', async () => {
    const [a, b] = [device('va'), device('vb')];
    const states: boolean[] = [];
    listen(a, (up) => states.push(up));
    const heard = listen(b);
    ip('link', 'set', 'va', 'down');
    expect(a.send(frameOf(a.mac, b.mac, 'lost'))).toBe(false);
    expect(await until(() => states.length === 1)).toBe(true);
    ip('link', 'set', 'va', 'up');
    expect(await until(() => states.length === 2)).toBe(true);
    expect(a.send(frameOf(a.mac, b.mac, 'after'))).toBe(true);
    expect(await until(() => heard.includes('after'))).toBe(true);
  });

  it('warns where switching it off would abort the process', () => {
    const a = device('va');
    listen(a);
    expect(a.warnings).toHaveLength(loadCap().abortsOnInterfaceDown ? 1 : 0);
  });
});

it('survives the garbage collection of devices that were closed or could not be opened', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 40; round++) {
    const [a, wrong] = [device('va', { bufferOctets: 0x10_0000 }), device('va', { filter: 'nonsense (' })];
    listen(a);
    a.send(frameOf(a.mac, MacAddress.BROADCAST, 'x'));
    a.close();
    expect(() => listen(wrong)).toThrow();
    opened.length = 0;
    if (round % 10 === 9) collect();
  }
});
