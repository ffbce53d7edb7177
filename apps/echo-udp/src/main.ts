// A UDP echo service that survives the death of its server. Start it on two machines, each with its own configuration.
import { runNode } from '@rfsis/core';

await runNode({
  name: 'echo-udp',
  description: 'Sends every datagram back to where it came from.',
  application: ({ dgram, port }) => {
    const socket = dgram.createSocket('udp4');
    socket.on('message', (message, client) => {
      socket.send(message, client.port, client.address);
    });
    socket.bind(port);
  },
});
