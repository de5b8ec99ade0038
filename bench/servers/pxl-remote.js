import { EventEmitter } from 'node:events';
import { pathToFileURL } from 'node:url';
import { NestFactory } from '@nestjs/core';
import { serve } from './harness.js';
import { moduleOf } from './nest.js';
import { namesOf } from './rooms.js';

const built = process.env.PXL_DIST
  ? pathToFileURL(process.env.PXL_DIST)
  : new URL('../../dist/index.js', import.meta.url);
const { ClientManager, PxlWebSocketModule, RoomManager } = await import(built);

/** An open socket that leads nowhere. */
class Socket extends EventEmitter {
  readyState = 1;
  bufferedAmount = 0;

  send(_data, ...rest) {
    rest.at(-1)?.();
  }

  close() {}
  ping() {}
  pong() {}
  terminate() {}
}

let clients;
let rooms;
let count = 0;

/** Another worker, whose clients have no connections: what it writes of them into Redis is what it would write of any. */
serve({
  async start({ redis }) {
    const options = { redis, heartbeat: false, limits: { roomsPerClient: false } };
    const app = await NestFactory.create(moduleOf({ imports: [PxlWebSocketModule.forRoot(options)] }), {
      logger: false,
    });
    await app.listen(0, '127.0.0.1');
    clients = app.get(ClientManager);
    rooms = app.get(RoomManager);
    return app.getHttpServer().address().port;
  },

  /** One more client, a user of its own with a name, in its rooms. */
  async add(settings) {
    const index = count++;
    // As long as the ids of this library, and the user's that of a UUID.
    const clientId = `worker-x.${String(index).padStart(16, '0')}`;
    const userId = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`;
    clients.addClient({ clientId, ws: new Socket(), user: { userId, userType: 'member' } });
    for (const roomName of namesOf(index, settings)) await rooms.addClientToRoom({ clientId, roomName });
  },
});
