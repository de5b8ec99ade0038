import { UseGuards, UsePipes } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { serve } from './harness.js';
import { listening } from './listening.js';
import { decorateClass, decorateMethod, HANDLERS, MemberGuard, moduleOf, TextPipe } from './nest.js';
import { Rooms, roomsOf } from './rooms.js';
import { welcome } from './welcome.js';

const OPEN = 1;
const rooms = new Rooms();
const clients = [];
const namesOf = new WeakMap();
let settings;
let count = 0;

class BenchGateway {
  handleConnection(client) {
    const names = roomsOf(count, settings);
    if (settings.addressed) clients[count] = client;
    count++;
    namesOf.set(client, names);
    rooms.join(client, names);
    client.send(welcome());
  }

  handleDisconnect(client) {
    rooms.leave(client, namesOf.get(client));
  }

  echo(data) {
    return { event: 'echo', data };
  }

  guarded(data) {
    return { event: 'guarded', data };
  }

  size(data) {
    return { event: 'size', data: data.length };
  }

  join(client, data) {
    rooms.join(client, [data]);
    namesOf.get(client).push(data);
    return { event: 'join', data };
  }
}

decorateMethod(BenchGateway, 'echo', [SubscribeMessage('echo')], [MessageBody()]);
decorateMethod(
  BenchGateway,
  'guarded',
  [UseGuards(MemberGuard), UsePipes(TextPipe), SubscribeMessage('guarded')],
  [MessageBody()],
);
decorateMethod(BenchGateway, 'size', [SubscribeMessage('size')], [MessageBody()]);
decorateMethod(BenchGateway, 'join', [SubscribeMessage('join')], [ConnectedSocket(), MessageBody()]);
for (let i = 4; i < HANDLERS; i++) {
  const name = `other${i}`;
  Object.defineProperty(BenchGateway.prototype, name, { value: (data) => data, configurable: true, writable: true });
  decorateMethod(BenchGateway, name, [SubscribeMessage(name)], [MessageBody()]);
}
decorateClass(BenchGateway, [WebSocketGateway({ path: '/ws' })]);

/** Nest's own gateway over ws. */
serve({
  async start(given) {
    settings = given;
    const app = await NestFactory.create(moduleOf({ providers: [BenchGateway] }), { logger: false });
    app.useWebSocketAdapter(new WsAdapter(app));
    await app.listen(listening());
    return app.getHttpServer().address().port;
  },

  sendToRoom(name, text) {
    const message = JSON.stringify({ event: 'message', data: text });
    for (const client of rooms.members(name)) if (client.readyState === OPEN) client.send(message);
  },

  sendToClient(index, text) {
    clients[index].send(JSON.stringify({ event: 'message', data: text }));
  },
});
