// The process of the registry: verdaccio on loopback, on a port that is free. Ends with the process that started it.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runServer } from 'verdaccio';

const [configuration] = process.argv.slice(2);

process.on('disconnect', () => process.exit());
const server = (await runServer(configuration)) as Server;
server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port);
});
