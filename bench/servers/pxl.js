import { pathToFileURL } from 'node:url';
import { UseGuards, UsePipes } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { serve } from './harness.js';
import { listening } from './listening.js';
import { decorateClass, decorateMethod, HANDLERS, MemberGuard, moduleOf, TextPipe } from './nest.js';
import { roomsOf } from './rooms.js';

const built = process.env.PXL_DIST
  ? pathToFileURL(process.env.PXL_DIST)
  : new URL('../../dist/index.js', import.meta.url);
const { PxlWebSocketModule, WebSocketService, WsRoute } = await import(built);

const clients = [];
let settings;
let count = 0;
let sockets;

class BenchGateway {
  echo(data) {
    return data;
  }

  guarded(data) {
    return data;
  }

  size(data) {
    return data.length;
  }
}

/** Only where there are rooms to join: a gateway without hooks costs a connection nothing. */
async function handleConnection(client) {
  const names = roomsOf(count, settings);
  if (settings.addressed) clients[count] = client;
  count++;
  for (const name of names) await client.join(name);
}

decorateMethod(BenchGateway, 'echo', [WsRoute('bench', 'echo')], [MessageBody()]);
decorateMethod(
  BenchGateway,
  'guarded',
  [UseGuards(MemberGuard), UsePipes(TextPipe), WsRoute('bench', 'guarded')],
  [MessageBody()],
);
decorateMethod(BenchGateway, 'size', [WsRoute('bench', 'size')], [MessageBody()]);
for (let i = 3; i < HANDLERS; i++) {
  const name = `other${i}`;
  Object.defineProperty(BenchGateway.prototype, name, { value: (data) => data, configurable: true, writable: true });
  decorateMethod(BenchGateway, name, [WsRoute('bench', name)], [MessageBody()]);
}
decorateClass(BenchGateway, [WebSocketGateway()]);

/** Believes the address: `/ws?user=7`. */
function authenticate({ request }) {
  return { userId: new URL(request.url, 'ws://host').searchParams.get('user') };
}

/** The library, through what its users inject. */
serve({
  async start(given) {
    settings = given;
    if ((settings.layout !== 'none' && !settings.open) || settings.addressed)
      BenchGateway.prototype.handleConnection = handleConnection;
    const options = {
      limits: { roomsPerClient: false, ...settings.limits },
      redis: settings.redis,
      ...(settings.heartbeat ? {} : { heartbeat: false }),
    };
    if (settings.open || settings.history) options.rooms = { open: settings.open, history: settings.history };
    if (settings.rooms) options.rooms = settings.rooms;
    if (settings.window) options.delivery = { window: settings.window };
    if (settings.users) options.auth = { authenticate };
    if (settings.jwt) options.auth = { jwt: settings.jwt };
    if (process.env.PXL_ENCRYPTION) options.encryption = true;
    if (process.env.PXL_SECRET) options.cluster = { secret: process.env.PXL_SECRET };
    if (process.env.PXL_CONTEXT) options.requestContext = true;
    if (process.env.PXL_METRICS) {
      const { register } = await import('prom-client');
      options.metrics = { registry: register };
    }
    const imports = [PxlWebSocketModule.forRoot(options)];
    if (process.env.PXL_CONSOLE) {
      const { PxlWebSocketConsoleModule } = await import(new URL('console/index.js', built));
      imports.push(PxlWebSocketConsoleModule.forRoot({ guard: { canActivate: () => true } }));
    }
    const module = moduleOf({ imports, providers: [BenchGateway] });
    const app = await NestFactory.create(module, { logger: false });
    await app.listen(listening(settings.port));
    sockets = app.get(WebSocketService);
    return app.getHttpServer().address().port;
  },

  sendToRoom(name, text) {
    return sockets.sendToRooms([name], { type: 'bench', action: 'message', data: text });
  },

  async page() {
    const { register } = await import('prom-client');
    return register.metrics();
  },

  counter(name) {
    return sockets.getMetrics().find((metric) => metric.name === name).value;
  },

  join(index, name) {
    return clients[index].join(name);
  },

  leave(index, name) {
    clients[index].leave(name);
  },

  sendToClient(index, text) {
    clients[index].send({ type: 'bench', action: 'message', data: text });
  },
});
