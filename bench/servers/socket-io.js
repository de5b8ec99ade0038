import { once } from 'node:events';
import { createServer } from 'node:http';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { serve } from './harness.js';
import { listening } from './listening.js';
import { roomsOf } from './rooms.js';

const NEVER = 2 ** 31 - 1;
const KIND = process.argv[2];
const clients = [];
let io;

/** As its documents have it: one connection for publishing, one for subscriptions. */
function adapterTo(url) {
  const publisher = new Redis(url);
  if (KIND === 'streams') return createStreamsAdapter(publisher);
  const create = KIND === 'sharded' ? createShardedAdapter : createAdapter;
  return create(publisher, publisher.duplicate());
}

/** Socket.IO on WebSockets alone, without compression; with a Redis adapter where there is a Redis. */
serve({
  async start(settings) {
    const server = createServer();
    io = new Server(server, {
      transports: ['websocket'],
      perMessageDeflate: false,
      serveClient: false,
      ...(settings.redis ? { adapter: adapterTo(settings.redis) } : {}),
      ...(KIND === 'streams' ? { connectionStateRecovery: { maxDisconnectionDuration: 120_000 } } : {}),
      ...(settings.heartbeat ? {} : { pingInterval: NEVER }),
    });
    let count = 0;
    io.on('connection', (socket) => {
      const names = roomsOf(count, settings);
      if (settings.addressed) clients[count] = socket;
      count++;
      if (names.length > 0) socket.join(names);
      socket.on('echo', (data, acknowledge) => acknowledge(data));
      socket.on('join', async (name, acknowledge) => {
        await socket.join(name);
        acknowledge('joined');
      });
      socket.on('leave', async (name, acknowledge) => {
        await socket.leave(name);
        acknowledge('left');
      });
      socket.on('size', (data, acknowledge) => acknowledge(data.length));
      socket.on('join', async (data, acknowledge) => {
        await socket.join(data);
        acknowledge(data);
      });
    });
    server.listen(listening(settings.port));
    await once(server, 'listening');
    return server.address().port;
  },

  sendToRoom(name, text) {
    io.to(name).emit('message', text);
  },

  join(index, name) {
    return clients[index].join(name);
  },

  leave(index, name) {
    return clients[index].leave(name);
  },

  sendToClient(index, text) {
    clients[index].emit('message', text);
  },
});
