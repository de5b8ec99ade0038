import 'reflect-metadata';
import {
  Catch,
  createParamDecorator,
  Module,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type LoggerService,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ack, WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  composeHandlers,
  WsLocalBroadcaster,
  loggingMiddleware,
  PxlWebSocketClientModule,
  PxlWebSocketModule,
  timingMiddleware,
  validationMiddleware,
  WebSocketClientController,
  WebSocketService,
  withErrorHandler,
  withLogging,
  withRetry,
  WsRoute,
  type WebSocketSubscriberDefinition,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { WebSocketClient } from 'nestjs-pxl-websocket/client';
import { WsTestClient } from 'nestjs-pxl-websocket/testing';
import { Observable } from 'rxjs';
import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';
import { eventually } from '../../../lib/testing/eventually.js';
import { HOSTILE_VALUES } from '../hostile-values.js';

// An application that throws, in each place, each value that nobody can look at; and one place after the other returns it.

const VALUES = Object.values(HOSTILE_VALUES);
let place = 'getToken';
let turn = 0;
/** How often each place had its turn. */
const visits: Record<string, number> = {};

function make(): unknown {
  return VALUES[turn++ % VALUES.length]?.();
}

/** Throws in the place that has its turn; returns there what `returned` begins with. */
function pass<T>(here: string, otherwise: T): T {
  if (place !== here && place !== `returned: ${here}`) return otherwise;
  visits[place] = (visits[place] ?? 0) + 1;
  if (place === here) throw make();
  return make() as T;
}

async function passLater<T>(here: string, otherwise: T): Promise<T> {
  await Promise.resolve();
  return pass(here, otherwise);
}

const Param = createParamDecorator(() => pass('parameter', 1));
class Filter {
  catch(): unknown {
    return pass('filter', 1);
  }
}
Catch()(Filter);

@WebSocketGateway()
class Gateway {
  handleConnection(): unknown {
    return passLater('handleConnection', undefined);
  }

  handleDisconnect(): unknown {
    return pass<unknown>('handleDisconnect', undefined);
  }

  @WsRoute('t', 'handler')
  handler(): unknown {
    return pass('handler', 1);
  }

  @WsRoute('t', 'handlerLater')
  handlerLater(): Promise<unknown> {
    return passLater('handlerLater', 1);
  }

  @WsRoute('t', 'guard')
  @UseGuards({ canActivate: () => pass('guard', true) })
  guard(): number {
    return 1;
  }

  @WsRoute('t', 'pipe')
  @UsePipes({ transform: (value: unknown) => pass('pipe', value) })
  pipe(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('t', 'interceptor')
  @UseInterceptors({ intercept: (_context, next) => pass('interceptor', next.handle()) })
  interceptor(): number {
    return 1;
  }

  @WsRoute('t', 'parameter')
  parameter(@Param() value: unknown): unknown {
    return value;
  }

  @WsRoute('t', 'filter')
  @UseFilters(new Filter())
  filter(): unknown {
    throw new Error('for the filter');
  }

  @WsRoute('t', 'filtered')
  @UseFilters(new Filter())
  filtered(): unknown {
    return pass('filtered', 1);
  }

  @WsRoute('t', 'stream')
  async *stream(): AsyncGenerator {
    yield 1;
    yield await passLater('stream', 2);
  }

  @WsRoute('t', 'observable')
  observable(): Observable<unknown> {
    return new Observable((subscriber) => {
      subscriber.next(pass('observable', 1));
      subscriber.complete();
    });
  }

  /** As of another copy of rxjs, or of a library of its own. */
  @WsRoute('t', 'foreign')
  foreign(): unknown {
    return { lift: () => undefined, subscribe: () => pass('foreign', undefined) };
  }

  @WsRoute('t', 'failing')
  failing(): unknown {
    throw new Error('for the log');
  }

  @WsRoute('t', 'ack')
  ack(@Ack() ack: (value: unknown) => void): void {
    ack(pass('ack', 1));
  }
}

const ROUTES = [
  ...['handler', 'handlerLater', 'guard', 'pipe', 'interceptor', 'parameter', 'filter', 'filtered'],
  ...['stream', 'observable', 'ack'],
];

const later = (here: string): Promise<unknown> => passLater(here, undefined);
const subscribers: WebSocketSubscriberDefinition[] = [
  { channel: 'handle', handle: () => pass('handle', undefined) },
  { channel: 'handleLater', handle: () => later('handleLater') },
  {
    channel: 'middleware',
    middleware: [
      {
        name: 'm',
        onBefore: () => later('onBefore'),
        onAfter: () => later('onAfter'),
        onError: () => later('onError'),
      },
      loggingMiddleware('m'),
      timingMiddleware(),
      validationMiddleware(() => pass('validation', true)),
    ],
    handle: () => {
      if (place.endsWith('onError')) throw make();
    },
  },
  { match: () => pass('match', false), handle: () => undefined },
  {
    channel: 'schema',
    schema: {
      '~standard': {
        version: 1 as const,
        vendor: 'x',
        validate: () => pass('schema', { issues: [make() as { message: string }] }),
      },
    },
    handle: () => undefined,
  },
  {
    channel: 'utilities',
    handle: composeHandlers([
      withRetry(
        withLogging(() => later('utilities'), 'x'),
        1,
        0,
      ),
      withErrorHandler(
        () => later('errorHandler'),
        () => later('errorHandler'),
      ),
    ]),
  },
];

const CHANNELS: Readonly<Record<string, readonly string[]>> = {
  handle: ['handle'],
  handleLater: ['handleLater'],
  middleware: ['onBefore', 'onAfter', 'onError', 'validation'],
  match: ['match'],
  schema: ['schema'],
  utilities: ['utilities', 'errorHandler'],
};

/** Places that a connection passes, or meets. */
const CONNECTION = [
  ...['origins', 'authenticate', 'connectionGuard', 'onConnected', 'handleConnection', 'onMessage'],
  ...['outboundTransformer', 'authorize', 'profile', 'onDisconnected', 'handleDisconnect', 'bus'],
];

class Bus extends WsLocalBroadcaster {
  override readonly isAlone: boolean = false;

  override publish(): Promise<void> {
    return passLater('bus', undefined);
  }

  override acquireUser(): Promise<void> | undefined {
    return place === 'bus' ? passLater('bus', undefined) : undefined;
  }
}

@WebSocketClientController()
class Controller {
  @WsRoute('t', 'ask')
  ask(): unknown {
    return pass('controller', 1);
  }
}

/** Its lines go to Nest's own then, which writes the errors to the error output. */
const logger: LoggerService = { log: () => undefined, warn: () => undefined, error: () => pass('logger', undefined) };

const port = Number(process.argv[2]);
@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      broadcaster: Bus,
      subscribers,
      origins: () => pass('origins', true),
      auth: { required: false, authenticate: () => pass('authenticate', { userId: 'u', payload: { a: 1 } }) },
      connectionGuards: [{ canActivate: () => pass('connectionGuard', true) }],
      rooms: {
        open: true,
        announce: true,
        authorize: () => pass('authorize', true),
        profile: () => pass('profile', {}),
      },
      outboundTransformer: (event) => pass('outboundTransformer', event),
      events: {
        onConnected: () => later('onConnected'),
        onDisconnected: () => pass('onDisconnected', undefined),
        onMessage: () => pass('onMessage', undefined),
        onError: () => pass('onErrorEvent', undefined),
      },
    }),
    PxlWebSocketClientModule.forRoot({
      url: `ws://127.0.0.1:${port}/ws`,
      getToken: () => (turn < VALUES.length ? passLater('getToken', null) : null),
      reconnect: { minDelay: 1, maxDelay: 2 },
      events: {
        onConnected: () => pass('client: onConnected', undefined),
        onError: () => pass('client: onError', undefined),
      },
    }),
  ],
  providers: [Gateway, Controller],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger });
await app.listen(port, '127.0.0.1');
const url = `ws://127.0.0.1:${port}/ws`;
const sockets = app.get(WebSocketService);
const client = app.get(WebSocketClient);
client.handle('t', 'direct', () => pass('client: handle', 1));
await eventually('the client is connected', () => client.state === 'connected');
place = '';

const each = (work: () => Promise<unknown>): Promise<unknown> => Promise.allSettled(VALUES.map(work));

const twice = (here: string): string[] => [here, `returned: ${here}`];

/** Does something once for each value in a place where it is thrown, and in one where it is returned. */
async function visit(here: string, work: () => Promise<unknown>): Promise<void> {
  for (const how of twice(here)) {
    place = how;
    await work();
    place = '';
  }
}

/** A whole life of a connection; what of it does not come to pass is no matter here. */
async function live(): Promise<void> {
  const options = {
    patience: place.endsWith('outboundTransformer') ? 100 : 5_000,
    headers: { origin: `http://127.0.0.1:${port}` },
  };
  const socket = await WsTestClient.open(url, options);
  try {
    await socket.welcomed();
    await socket.join('r');
    await socket.request('t', 'handler');
    await sockets.broadcast({ type: 'n', action: 'n' });
  } finally {
    await socket.close();
  }
}

const socket = await WsTestClient.connect(url);
let answers = 0;
let asked = 0;
const answered = async (route: string): Promise<void> => {
  asked++;
  await socket.call('t', route);
  answers++;
};
for (const route of ROUTES) await visit(route, () => each(() => answered(route)));
place = 'foreign'; // what its subscribe returns instead is nobody's
await each(() => answered('foreign'));
for (const [channel, places] of Object.entries(CHANNELS)) {
  for (const here of places) {
    await visit(here, async () => {
      await each(() => sockets.publish(channel, 1));
      await eventually(place, () => (visits[place] ?? 0) >= VALUES.length);
    });
  }
}
for (const here of CONNECTION) await visit(here, () => each(live));
place = 'logger';
await each(() => answered('failing'));
await visit('onErrorEvent', () => each(() => answered('failing')));
const connected = app.get(ClientManager).getClient({ clientId: client.clientId ?? '', requireWs: true });
await visit('controller', () => each(async () => connected?.call({ type: 't', action: 'ask' })));
await visit('client: handle', () => each(async () => connected?.call({ type: 't', action: 'direct' })));
client.on('t', 'push', () => {
  throw make();
});
await visit('client: onError', async () => {
  await each(() => sockets.broadcast({ type: 't', action: 'push' }));
  await eventually(place, () => (visits[place] ?? 0) >= VALUES.length);
});
await visit('client: onConnected', async () => {
  client.disconnect();
  await client.connect();
});
const emitter = new WebSocketEmitter({ redis: 'redis://127.0.0.1:1', log: () => pass('emitter: log', undefined) });
await emitter.shutdown();
await visit('emitter: log', async () => {
  void emitter.configure();
  await eventually(place, () => place in visits);
});

const places = [
  ...ROUTES.flatMap(twice),
  ...Object.values(CHANNELS).flat().flatMap(twice),
  ...CONNECTION.flatMap(twice),
  ...['foreign', 'logger', 'getToken'],
  ...['onErrorEvent', 'controller', 'client: handle', 'client: onError', 'client: onConnected', 'emitter: log'].flatMap(
    twice,
  ),
];
const unvisited = places.filter((one) => !(one in visits));
process.stdout.write(`${JSON.stringify({ isEachAnswered: answers === asked, unvisited })}\n`);
await app.close();
