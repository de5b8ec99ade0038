import { enveloped } from './envelope.js';
import { serve } from './harness.js';
import { roomsOf } from './rooms.js';
import { welcome } from './welcome.js';

const DEFAULT_IDLE_SECONDS = 120;
/** Whether rooms get the library's envelope: then the bytes of a delivery are the same. */
const envelops = process.argv[2] === 'enveloped';
const clients = [];
let server;

/** Bun's own server with its native publish. */
serve({
  async start(settings) {
    let count = 0;
    server = globalThis.Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request, bun) => (bun.upgrade(request) ? undefined : new Response(null, { status: 404 })),
      websocket: {
        idleTimeout: settings.heartbeat ? DEFAULT_IDLE_SECONDS : 0,
        open(client) {
          if (settings.addressed) clients[count] = client;
          for (const name of roomsOf(count, settings)) client.subscribe(name);
          count++;
          client.send(welcome());
        },
        message(client, message) {
          const { event, data } = JSON.parse(message);
          client.send(JSON.stringify({ event, data: data.length }));
        },
      },
    });
    return server.port;
  },

  sendToRoom(name, text) {
    server.publish(name, envelops ? enveloped(text) : text);
  },

  sendToClient(index, text) {
    clients[index].send(text);
  },
});
