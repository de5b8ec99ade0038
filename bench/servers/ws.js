import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { serve } from './harness.js';
import { listening } from './listening.js';
import { Rooms, roomsOf } from './rooms.js';
import { welcome } from './welcome.js';

const OPEN = 1;
const rooms = new Rooms();
const open = new Set();
const clients = [];
const handlers = {
  echo: (data) => data,
  size: (data) => data.length,
  join(data, client, names) {
    rooms.join(client, [data]);
    names.push(data);
    return data;
  },
};

/** What a user of ws writes: JSON, a table of handlers, sets for rooms. */
serve({
  async start(settings) {
    const server = new WebSocketServer(listening());
    let count = 0;
    server.on('connection', (client) => {
      const names = roomsOf(count, settings);
      if (settings.addressed) clients[count] = client;
      count++;
      open.add(client);
      rooms.join(client, names);
      client.on('message', (message) => {
        const { event, data } = JSON.parse(message);
        client.send(JSON.stringify({ event, data: handlers[event](data, client, names) }));
      });
      client.on('close', () => {
        open.delete(client);
        rooms.leave(client, names);
      });
      client.on('error', () => client.terminate());
      client.send(welcome());
    });
    await once(server, 'listening');
    return server.address().port;
  },

  sendToRoom(name, text) {
    for (const client of rooms.members(name)) if (client.readyState === OPEN) client.send(text);
  },

  sendToClient(index, text) {
    clients[index].send(text);
  },
});
