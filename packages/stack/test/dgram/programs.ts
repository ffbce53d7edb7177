// Small programs for node:dgram. Each is run on Node's own module over the kernel's loopback and on ours; what they
// observe must be the same. Nothing in here knows which of the two it runs on.
import type { RemoteInfo, Socket as NodeSocket, SocketOptions } from 'node:dgram';

/** All that a socket of node:dgram can do. That ours has the same type, the compiler sees. */
export type Socket = { [Member in keyof NodeSocket]: NodeSocket[Member] };

/** What both sides have of `import dgram from 'node:dgram'`. */
export interface DgramModule {
  createSocket(
    options: 'udp4' | SocketOptions,
    callback?: (message: Buffer, remote: RemoteInfo) => void,
  ): Socket;
}

/** Where a program runs. */
export interface Place {
  readonly dgram: DgramModule;
  /** A broadcast address of the network that 127.0.0.1, or the stack, is on. */
  readonly broadcast: string;
}

export type Program = (place: Place, log: (...observed: unknown[]) => void) => Promise<void>;

const LOCALHOST = '127.0.0.1';

const once = (socket: Socket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => {
    socket.once(event, (...args: unknown[]) => {
      resolve(args);
    });
  });

/** Lets everything that is under way arrive: some time, and then some turns of an event loop that may have been late. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function bound(place: Place, address = LOCALHOST): Promise<Socket> {
  const socket = place.dgram.createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

/** What an error looks like to somebody who handles it. */
function shape(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message } = error;
  // The port differs from run to run.
  const rest = Object.entries(error).map(([key, value]: [string, unknown]) => [
    key,
    key === 'port' ? 'some port' : value,
  ]);
  return [name, message.replace(/:\d+$/, ':port'), rest];
}

function attempt(work: () => unknown): unknown {
  try {
    const result = work();
    return typeof result === 'object' ? 'an object' : result;
  } catch (error) {
    return shape(error);
  }
}

/** Any way to call a method, right or wrong. */
type Loose = Record<string, (...args: unknown[]) => unknown>;
const loose = (socket: Socket): Loose => socket as unknown as Loose;
const call = (socket: Socket, method: string, ...args: unknown[]): unknown =>
  attempt(() => loose(socket)[method]?.call(socket, ...args));

const echo: Program = async (place, log) => {
  const server = place.dgram.createSocket('udp4', function (this: Socket, message, remote) {
    log(
      'server',
      this === server,
      message.toString('latin1'),
      Buffer.isBuffer(message),
      remote.address,
      remote.family,
      remote.size,
      Object.keys(remote).sort(),
    );
    server.send(message, remote.port, remote.address);
  });
  server.bind(0, LOCALHOST);
  await once(server, 'listening');
  const { port } = server.address();
  const client = place.dgram.createSocket('udp4');
  client.on('message', (message) => {
    log('client', message.toString('latin1'));
  });
  const send = (...args: unknown[]): Promise<void> =>
    new Promise<void>((resolve) => {
      loose(client)['send']?.call(client, ...args, (error: unknown, octets: unknown) => {
        log('sent', error, octets);
        resolve();
      });
    }).then(settle);
  await send('text', port, LOCALHOST);
  await send(Buffer.from('buffer'), port, LOCALHOST);
  await send(Buffer.from('without address'), port);
  await send(Buffer.from('localhost'), port, 'localhost');
  await send(Buffer.from('empty address'), port, '');
  await send(Buffer.from('null address'), port, null);
  await send(Buffer.from('port as text'), String(port), LOCALHOST);
  await send(Buffer.from('a slice of it'), 2, 5, port, LOCALHOST);
  await send(Buffer.from('another slice'), 0, 7, port);
  await send('slice of text', 9, 4, port, LOCALHOST);
  await send(['a ', Buffer.from('list '), new Uint16Array([0x4142])], port, LOCALHOST);
  await send(new DataView(new Uint8Array([65, 66, 67, 68]).buffer, 1, 2), port, LOCALHOST);
  await send('', port, LOCALHOST);
  await send([], port, LOCALHOST);
  client.close();
  server.close();
};

const big: Program = async (place, log) => {
  const server = await bound(place);
  server.on('message', (message, remote) => {
    log(
      message.length,
      remote.size,
      message.every((octet, index) => octet === ((index * 7) & 255)),
    );
  });
  const client = place.dgram.createSocket('udp4');
  for (const length of [1472, 1473, 9000, 65_507, 65_508, 70_000]) {
    const message = Buffer.from(Array.from({ length }, (_, index) => index * 7));
    await new Promise<void>((resolve) => {
      client.send(message, server.address().port, LOCALHOST, (error, octets) => {
        log(shape(error), octets);
        resolve();
      });
    });
    await settle();
  }
  client.close();
  server.close();
};

const wrongCalls: Program = async (place, log) => {
  log(
    attempt(() => (place.dgram.createSocket as (...args: unknown[]) => unknown)({ type: 'udp4', lookup: 5 })),
  );
  log(
    attempt(() => (place.dgram.createSocket as (...args: unknown[]) => unknown)({ type: 'udp4', signal: 5 })),
  );
  log(
    attempt(() =>
      (place.dgram.createSocket as (...args: unknown[]) => unknown)({ type: 'udp4', recvBufferSize: 'a' }),
    ),
  );
  log(attempt(() => (place.dgram.createSocket as (...args: unknown[]) => unknown)('udp4', 5)));
  const socket = place.dgram.createSocket('udp4');
  const calls: [string, ...unknown[]][] = [
    ['address'],
    ['remoteAddress'],
    ['disconnect'],
    ['setTTL', 5],
    ['setBroadcast', true],
    ['setMulticastTTL', 5],
    ['setMulticastLoopback', true],
    ['send'],
    ['send', 'a'],
    ['send', 'a', 70_000],
    ['send', 'a', 0],
    ['send', 'a', -1],
    ['send', 'a', '53x'],
    ['send', 'a', ''],
    ['send', 5, 1234],
    ['send', ['a', 5], 1234],
    ['send', 'a', 1234, 5],
    ['send', 'abc', 1, 2, 1234, 5],
    ['send', Buffer.from('abc'), 10, 2, 1234, LOCALHOST],
    ['send', Buffer.from('abc'), 1, 20, 1234, LOCALHOST],
    ['connect'],
    ['connect', 0],
    ['connect', 5, 5],
    ['setTTL', 'a'],
    ['addSourceSpecificMembership', 5, 6],
    ['addSourceSpecificMembership', '10.0.0.1', 6],
    ['setMulticastInterface', 5],
    ['getSendQueueSize'],
    ['getSendQueueCount'],
    ['ref'],
    ['unref'],
  ];
  for (const [method, ...args] of calls) log(method, call(socket, method, ...args));
  socket.close();
  await once(socket, 'close');
};

const boundCalls: Program = async (place, log) => {
  const socket = await bound(place);
  const calls: [string, ...unknown[]][] = [
    ['bind', 0],
    ['setTTL', 1],
    ['setTTL', 255],
    ['setTTL', 0],
    ['setTTL', 256],
    ['setMulticastTTL', 255],
    ['setMulticastTTL', 256],
    ['setMulticastTTL', 'a'],
    ['setBroadcast', true],
    ['setBroadcast', 0],
    ['setMulticastLoopback', true],
    ['setMulticastInterface', LOCALHOST],
    ['setMulticastInterface', 'x'],
    ['addMembership'],
    ['addMembership', '10.0.0.1'],
    ['setRecvBufferSize', -1],
    ['setRecvBufferSize', 'a'],
    ['setSendBufferSize', 5000],
    ['remoteAddress'],
    ['disconnect'],
    ['ref'],
    ['unref'],
  ];
  for (const [method, ...args] of calls) log(method, call(socket, method, ...args));
  const { address, family, port } = socket.address();
  log(address, family, port > 0, Object.keys(socket.address()).sort());
  socket.close();
  log(
    'closed',
    call(socket, 'close'),
    call(socket, 'send', 'a', 9),
    call(socket, 'bind'),
    call(socket, 'address'),
  );
  log(call(socket, 'remoteAddress'), call(socket, 'disconnect'), call(socket, 'ref'));
  await once(socket, 'close');
};

const bindErrors: Program = async (place, log) => {
  const first = await bound(place);
  const { port } = first.address();
  for (const address of [LOCALHOST, '0.0.0.0', undefined]) {
    const second = place.dgram.createSocket('udp4');
    second.on('error', (error) => {
      log('error', shape(error), 'port' in error);
    });
    second.on('listening', () => {
      log('must not listen');
    });
    second.bind(port, address, () => {
      log('must not be called');
    });
    await once(second, 'error');
    await settle();
    second.close(() => {
      log('closed');
    });
    await settle();
  }
  first.close();
  await once(first, 'close');
  const [one, two] = [1, 2].map(() => place.dgram.createSocket({ type: 'udp4', reuseAddr: true }));
  if (one === undefined || two === undefined) return;
  one.bind(port, LOCALHOST);
  await once(one, 'listening');
  two.bind({ port, address: LOCALHOST, exclusive: true }, () => {
    log('shared');
  });
  await once(two, 'listening');
  one.close();
  two.close();
};

const events: Program = async (place, log) => {
  const socket = place.dgram.createSocket('udp4');
  for (const event of ['listening', 'connect', 'close', 'error']) {
    socket.on(event, (...args: unknown[]) => {
      log('event', event, args.length);
    });
  }
  const returned = socket.bind(0, LOCALHOST, function (this: unknown) {
    log('bound', this === socket);
  });
  log('returns itself', returned === socket, call(socket, 'address'));
  await once(socket, 'listening');
  await settle();
  const closing = socket.close(() => {
    log('close callback');
  });
  log('close returns itself', closing === socket);
  await settle();
};

const implicitBind: Program = async (place, log) => {
  const server = await bound(place);
  const heard: string[] = [];
  server.on('message', (message) => heard.push(message.toString()));
  const client = place.dgram.createSocket('udp4');
  client.on('listening', () => {
    log('listening', client.address().address, client.address().port > 1023);
  });
  // All before the socket is bound.
  for (const text of ['1', '2', '3']) {
    client.send(text, server.address().port, LOCALHOST, (error, octets) => {
      log(text, error, octets);
    });
  }
  await settle();
  log(heard);
  client.close();
  server.close();
};

const connected: Program = async (place, log) => {
  const [server, stranger] = [await bound(place), await bound(place)];
  const { port } = server.address();
  server.on('message', (message, remote) => {
    log('server', message.toString());
    server.send('answer', remote.port, remote.address);
    stranger.send('stranger', remote.port, remote.address);
  });
  const client = place.dgram.createSocket('udp4');
  client.on('message', (message) => {
    log('client', message.toString());
  });
  client.on('connect', () => {
    log('connect');
  });
  log(
    call(client, 'connect', port, LOCALHOST, () => {
      log('callback', client.remoteAddress().address, client.remoteAddress().port === port);
    }),
  );
  log(call(client, 'connect', port, LOCALHOST));
  log('disconnect while connecting', call(client, 'disconnect'));
  await once(client, 'connect');
  log(client.address().address);
  for (const args of [['one'], [Buffer.from('two')], [Buffer.from('a three'), 2, 5], [['fo', 'ur']]]) {
    await new Promise<void>((resolve) => {
      loose(client)['send']?.call(client, ...args, (error: unknown, octets: unknown) => {
        log(error, octets);
        resolve();
      });
    });
    await settle();
  }
  log('with a port', call(client, 'send', Buffer.from('five'), 0, 4, port));
  log('with an address', call(client, 'send', 'six', port, LOCALHOST));
  await settle();
  client.disconnect();
  log(
    client.address().address,
    call(client, 'remoteAddress'),
    call(client, 'disconnect'),
    call(client, 'send', 'x'),
  );
  client.send('seven', port, LOCALHOST);
  await settle();
  for (const socket of [client, server, stranger]) socket.close();
};

const refused: Program = async (place, log) => {
  const gone = await bound(place);
  const { port } = gone.address();
  gone.close();
  await once(gone, 'close');
  const client = place.dgram.createSocket('udp4');
  client.connect(port, LOCALHOST);
  await once(client, 'connect');
  const failed = once(client, 'error');
  client.send('knock');
  log(shape((await failed)[0]));
  client.close();
  // Who is not connected hears nothing.
  const other = place.dgram.createSocket('udp4');
  other.on('error', (error) => {
    log('must not be called', error);
  });
  other.send('knock', port, LOCALHOST, (error, octets) => {
    log(error, octets);
  });
  await settle();
  other.close();
};

const broadcast: Program = async (place, log) => {
  const socket = place.dgram.createSocket('udp4');
  socket.bind(0);
  await once(socket, 'listening');
  const send = (): Promise<unknown> =>
    new Promise((resolve) => {
      socket.send('x', 9, place.broadcast, (error, octets) => {
        resolve(
          error === null
            ? octets
            : [(error as NodeJS.ErrnoException).code, (error as NodeJS.ErrnoException).syscall],
        );
      });
    });
  log(await send());
  socket.setBroadcast(true);
  log(await send());
  socket.close();
};

const names: Program = async (place, log) => {
  const server = await bound(place);
  server.on('message', (message) => {
    log('server', message.toString());
  });
  const { port } = server.address();
  const asked: unknown[] = [];
  const client = place.dgram.createSocket({
    type: 'udp4',
    lookup: (hostname, options, callback) => {
      // Node asks for addresses too, we do not.
      if (hostname !== LOCALHOST) asked.push(hostname, typeof options === 'object' || options === 4);
      setTimeout(() => {
        if (hostname === 'server.test' || hostname === LOCALHOST) callback(null, LOCALHOST, 4);
        else callback(Object.assign(new Error('unknown name'), { code: 'ENOTFOUND' }), '', 0);
      }, 1);
    },
  });
  client.bind(0, LOCALHOST);
  await once(client, 'listening');
  client.send('by name', port, 'server.test', (error, octets) => {
    log('sent', error, octets);
  });
  client.send('nobody', port, 'nobody.test', (error) => {
    log('failed', shape(error));
  });
  await settle();
  const failed = once(client, 'error');
  client.send('nobody', port, 'nobody.test');
  log('event', shape((await failed)[0]), asked);
  client.connect(port, 'nobody.test', ((error?: Error) => {
    log('connect callback', shape(error));
  }) as () => void);
  await settle();
  const refusedToConnect = once(client, 'error');
  client.connect(port, 'nobody.test');
  log('connect event', shape((await refusedToConnect)[0]));
  client.connect(port, 'server.test');
  await once(client, 'connect');
  log(client.remoteAddress().address);
  client.close();
  server.close();
};

const endings: Program = async (place, log) => {
  const controller = new AbortController();
  const aborted = place.dgram.createSocket({ type: 'udp4', signal: controller.signal });
  const closed = once(aborted, 'close');
  controller.abort();
  await closed;
  log('aborted', call(aborted, 'send', 'x', 9));
  const before = place.dgram.createSocket({ type: 'udp4', signal: controller.signal });
  await once(before, 'close');
  log('aborted before');
  const quiet = new AbortController();
  const ended = place.dgram.createSocket({ type: 'udp4', signal: quiet.signal });
  ended.close();
  quiet.abort();
  await once(ended, 'close');
  const disposed = await bound(place);
  disposed.on('close', () => {
    log('close event');
  });
  await disposed[Symbol.asyncDispose]();
  await disposed[Symbol.asyncDispose]();
  log('disposed', call(disposed, 'address'));
  const early = place.dgram.createSocket('udp4');
  early.on('listening', () => {
    log('must not listen');
  });
  early.bind(0, LOCALHOST);
  early.close();
  await once(early, 'close');
  await settle();
};

/** All programs by name. */
export const PROGRAMS: Readonly<Record<string, Program>> = {
  echo,
  big,
  wrongCalls,
  boundCalls,
  bindErrors,
  events,
  implicitBind,
  connected,
  refused,
  broadcast,
  names,
  endings,
};
