// Where a socket differs from that of node:dgram, or where a test in virtual time says more. The rest is in
// parity.test.ts.
import { describe, expect, it } from 'vitest';
import { createDgram, type Lookup } from '../../src/dgram.js';
import { bench, brokenEquations, cidr, hex, ip, pair } from '../network.js';
import { parseIpv4 } from '../../src/ipv4/packet.js';

const code = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('dgram.Socket', () => {
  it('speaks over the network', () => {
    const { clock, a, b } = pair();
    const server = createDgram(a).createSocket('udp4');
    server.on('message', (message, remote) => {
      server.send(message, remote.port, remote.address);
    });
    server.bind(7);
    clock.advance(1);
    const answers: string[] = [];
    const client = createDgram(b).createSocket('udp4', (message, remote) => {
      answers.push(`${remote.address}:${remote.port} ${remote.family} ${message.toString()}`);
    });
    client.send('hello', 7, '10.0.0.1');
    clock.advance(10);
    client.connect(7, '10.0.0.1');
    clock.advance(1);
    client.send('again');
    clock.advance(10);
    expect(answers).toEqual(['10.0.0.1:7 IPv4 hello', '10.0.0.1:7 IPv4 again']);
    expect(brokenEquations(a.counters)).toEqual([]);
  });

  it('hears of ECONNREFUSED over the network', () => {
    const { clock, a, b } = pair();
    const client = createDgram(b).createSocket('udp4');
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push((error as { code?: string }).code, error.message));
    client.connect(9, '10.0.0.1');
    clock.advance(1);
    client.send('hello');
    clock.advance(10);
    expect(errors).toEqual(['ECONNREFUSED', 'recvmsg ECONNREFUSED']);
    expect(a.counters.icmp.txErrors).toBe(1);
  });

  it('sends within the call when it is bound, so that an answer leaves in the turn of the question', () => {
    const { stack, clock, take, receive } = bench();
    const server = createDgram(stack).createSocket('udp4', (message, remote) => {
      server.send(message, remote.port, remote.address);
    });
    server.bind(7);
    clock.advance(0);
    receive(hex('03e8 0007 000a 0000 4142'));
    expect(take()).toHaveLength(1);
  });

  it('is bound to the address of the module, when it names none', () => {
    const { stack, clock, take, receive } = bench();
    stack.addAddress(cidr('10.0.0.10/24'));
    const dgram = createDgram(stack, { address: '10.0.0.10' });
    const server = dgram.createSocket('udp4', (message, remote) => {
      server.send(message, remote.port, remote.address);
    });
    server.bind(7);
    clock.advance(0);
    expect(server.address()).toEqual({ address: '10.0.0.10', family: 'IPv4', port: 7 });
    receive(hex('03e8 0007 0008 0000'), { destination: ip('10.0.0.10') });
    expect(take().map((frame) => parseIpv4(frame, 14)?.source.toString())).toEqual(['10.0.0.10']);
    const other = new dgram.Socket({ type: 'udp4' });
    other.bind(7, '10.0.0.1');
    clock.advance(0);
    expect(other.address().address).toBe('10.0.0.1');
    expect(() => createDgram(stack, { address: 'here' })).toThrow(/no IPv4 address/);
  });

  it('tells what stands against sending, with a callback; nobody without one', () => {
    const { stack, clock } = bench();
    const socket = createDgram(stack).createSocket('udp4');
    const errors: string[] = [];
    const note = (error: Error | null): void => {
      errors.push(error?.message ?? 'sent');
    };
    socket.bind(0, '10.0.0.99');
    socket.on('error', note);
    clock.advance(0);
    socket.send('x', 7, '10.0.0.2', note);
    socket.send('x', 7, '10.0.0.2');
    clock.advance(0);
    const any = createDgram(stack).createSocket('udp4');
    any.send('x', 7, '8.8.8.8', note);
    clock.advance(0);
    expect(errors).toEqual(['send EADDRNOTAVAIL 10.0.0.2:7', 'send ENETUNREACH 8.8.8.8:7']);
  });

  it('cannot be connected where there is no way', () => {
    const { stack, clock } = bench();
    const socket = createDgram(stack).createSocket('udp4');
    const errors: string[] = [];
    socket.on('error', (error) => errors.push(error.message));
    socket.connect(7, '8.8.8.8');
    clock.advance(0);
    socket.connect(7, '10.0.0.2');
    clock.advance(0);
    expect(errors).toEqual(['connect ENETUNREACH 8.8.8.8:7']);
    expect(socket.remoteAddress()).toEqual({ address: '10.0.0.2', family: 'IPv4', port: 7 });
  });

  it('knows addresses and localhost; other names only through a lookup', () => {
    const { stack, clock } = bench();
    const errors: string[] = [];
    const send = (lookup: Lookup | undefined, name: string): void => {
      const socket = createDgram(stack, { lookup }).createSocket('udp4');
      socket.send('x', 7, name, (error) => {
        errors.push(error?.message ?? 'sent');
        socket.close();
      });
      clock.advance(0);
    };
    send(undefined, 'server.test');
    send((_name, _options, done) => {
      done(null, '10.0.0.2', 4);
    }, 'server.test');
    send((_name, _options, done) => {
      done(null, '::1', 6);
    }, 'server.test');
    send(undefined, '::1');
    expect(errors).toEqual([
      'getaddrinfo ENOTFOUND server.test',
      'sent',
      'getaddrinfo ENOTFOUND server.test',
      'getaddrinfo ENOTFOUND ::1',
    ]);
  });

  it('forgets a lookup that ends after it was closed', () => {
    const { stack, clock } = bench();
    const answers: (() => void)[] = [];
    const lookup: Lookup = (_name, _options, done) =>
      answers.push(() => {
        done(null, '10.0.0.2', 4);
      });
    const dgram = createDgram(stack, { lookup });
    let called = 0;
    const note = (): void => {
      called++;
    };
    const bind = dgram.createSocket('udp4').on('listening', note);
    bind.bind(0, 'a.test');
    clock.advance(0);
    const send = dgram.createSocket('udp4');
    send.send('x', 7, 'b.test', note);
    clock.advance(0);
    const connect = dgram.createSocket('udp4').on('connect', note);
    connect.connect(7, 'c.test');
    clock.advance(0);
    for (const socket of [bind, send, connect]) socket.close();
    for (const answer of answers) answer();
    clock.advance(0);
    expect([answers.length, called, stack.udp.socketCount]).toEqual([3, 0, 0]);
  });

  it('bounds what waits for it to be bound', () => {
    const { stack, clock } = bench();
    const socket = createDgram(stack).createSocket('udp4');
    const results: string[] = [];
    for (let count = 0; count < 1030; count++) {
      socket.send('xy', 7, '10.0.0.2', (error) => {
        results.push(error === null ? 'sent' : ((error as { code?: string }).code ?? ''));
      });
    }
    expect([socket.getSendQueueCount(), socket.getSendQueueSize()]).toEqual([1024, 2048]);
    clock.advance(0);
    expect(results.filter((each) => each === 'ENOBUFS')).toHaveLength(6);
    expect(results.filter((each) => each === 'sent')).toHaveLength(1024);
    const full = createDgram(stack).createSocket('udp4');
    for (let count = 0; count < 1024; count++) full.send('x', 7, '10.0.0.2');
    const failed: string[] = [];
    full.connect(7, '10.0.0.2', ((error?: Error) =>
      failed.push(error?.message ?? 'connected')) as () => void);
    clock.advance(0);
    expect(failed).toEqual(['connect ENOBUFS']);
  });

  it('sends what waits before it closes', () => {
    const { stack, clock, take } = bench();
    const socket = createDgram(stack).createSocket('udp4');
    const log: string[] = [];
    socket.send('x', 7, '10.0.0.2', () => log.push('sent'));
    socket.close(() => log.push('closed'));
    clock.advance(0);
    expect([take().length, log, stack.udp.socketCount]).toEqual([1, ['sent', 'closed'], 0]);
  });

  it('closes, too, when it cannot be bound', () => {
    const { stack, clock } = bench({ udpSockets: 1 });
    stack.udp.bind();
    const socket = createDgram(stack).createSocket('udp4');
    const log: string[] = [];
    socket.on('error', (error) => log.push(error.message));
    socket.send('x', 7, '10.0.0.2');
    socket.close(() => log.push('closed'));
    clock.advance(0);
    expect(log).toEqual(['bind ENOBUFS 0.0.0.0:0', 'closed']);
  });

  it('lets an error that nobody handles become an uncaught one, and the stack goes on', () => {
    const { stack, clock, receive } = bench();
    const socket = createDgram(stack).createSocket('udp4', () => {
      throw new Error('a mistake');
    });
    socket.bind(7);
    clock.advance(0);
    receive(hex('03e8 0007 0008 0000'));
    expect(() => {
      clock.advance(0);
    }).toThrow('a mistake');
    const taken = createDgram(stack).createSocket('udp4');
    taken.bind(7);
    expect(() => {
      clock.advance(0);
    }).toThrow('bind EADDRINUSE 0.0.0.0:7');
    // Listeners that throw when the socket is bound do not keep what waits from being sent.
    const third = createDgram(stack).createSocket('udp4');
    third.on('listening', () => {
      throw new Error('another');
    });
    third.send('x', 7, '10.0.0.2');
    expect(() => {
      clock.advance(0);
    }).toThrow('another');
    expect(stack.counters.udp.txDatagrams).toBe(1);
  });

  it('keeps what is said of buffers', () => {
    const { stack } = bench();
    const socket = createDgram(stack).createSocket({ type: 'udp4', recvBufferSize: 1, sendBufferSize: 2 });
    expect([socket.getRecvBufferSize(), socket.getSendBufferSize()]).toEqual([1, 2]);
    socket.setRecvBufferSize(3);
    socket.setSendBufferSize(4);
    expect([socket.getRecvBufferSize(), socket.getSendBufferSize()]).toEqual([3, 4]);
    expect(createDgram(stack).createSocket('udp4').getRecvBufferSize()).toBe(212_992);
  });

  it('is in 224.0.0.1 only: other groups need IGMP', () => {
    const { stack, clock, receive } = bench();
    const heard: string[] = [];
    const socket = createDgram(stack).createSocket('udp4', (message) => heard.push(message.toString('hex')));
    socket.bind(7);
    clock.advance(0);
    expect(
      code(() => {
        socket.addMembership('224.0.0.1', '10.0.0.1');
      }),
    ).toBe('none');
    expect(
      code(() => {
        socket.addMembership('224.0.0.1');
      }),
    ).toBe('EADDRINUSE');
    expect(
      code(() => {
        socket.addMembership('239.1.1.1');
      }),
    ).toBe('EOPNOTSUPP');
    expect(
      code(() => {
        socket.addMembership('x');
      }),
    ).toBe('EINVAL');
    expect(
      code(() => {
        socket.addSourceSpecificMembership('10.0.0.2', '232.1.1.1');
      }),
    ).toBe('EOPNOTSUPP');
    expect(
      code(() => {
        socket.dropSourceSpecificMembership('10.0.0.2', '232.1.1.1');
      }),
    ).toBe('EOPNOTSUPP');
    receive(hex('03e8 0007 0009 0000 41'), { destination: ip('224.0.0.1') });
    socket.dropMembership('224.0.0.1');
    expect(
      code(() => {
        socket.dropMembership('224.0.0.1');
      }),
    ).toBe('EADDRNOTAVAIL');
    expect(heard).toEqual(['41']);
  });

  it('sends broadcasts and multicasts with the TTL it is told', () => {
    const { stack, clock, take } = bench();
    const socket = createDgram(stack).createSocket('udp4');
    socket.bind(0);
    clock.advance(0);
    socket.setBroadcast(true);
    socket.setTTL(5);
    expect([socket.setMulticastTTL(6), code(() => socket.setMulticastTTL(0))]).toEqual([6, 'EINVAL']);
    socket.send('x', 7, '255.255.255.255');
    socket.send('x', 7, '224.0.0.251');
    expect(take().map((frame) => parseIpv4(frame, 14)?.timeToLive)).toEqual([5, 6]);
  });

  it('has no IPv6 and takes no file descriptors', () => {
    const { stack } = bench();
    const dgram = createDgram(stack);
    expect(code(() => dgram.createSocket({ type: 'udp6' }))).toBe('ERR_SOCKET_BAD_TYPE');
    expect(code(() => dgram.createSocket('udp6' as 'udp4'))).toBe('ERR_SOCKET_BAD_TYPE');
    expect(code(() => dgram.createSocket('udp4').bind({ fd: 3 } as object))).toBe('ERR_INVALID_ARG_TYPE');
    // Node binds port 65535 for -1; that is no example.
    expect(code(() => dgram.createSocket('udp4').bind(-1))).toBe('ERR_SOCKET_BAD_PORT');
    expect(code(() => dgram.createSocket('udp4').bind({ port: 65_536 }))).toBe('ERR_SOCKET_BAD_PORT');
    expect(code(() => dgram.createSocket('udp4').bind(() => undefined))).toBe('none');
    const nothing = Object.create(null) as string;
    expect(
      code(() => {
        dgram.createSocket('udp4').send(nothing, 7);
      }),
    ).toBe('ERR_INVALID_ARG_TYPE');
  });
});
