import 'reflect-metadata';
import { Controller, Get, Header, Injectable, Module, ServiceUnavailableException } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { WebSocketGateway } from '@nestjs/websockets';
import {
  ClientManager,
  PxlWebSocketModule,
  WebSocketService,
  WsRoute,
  type WsClient,
  type WsCredentials,
  type WsIdentity,
} from 'nestjs-pxl-websocket';
import {
  FAREWELL,
  HISTORY,
  type ApplicationReport,
  type ApplicationSettings,
  type ApplicationTask,
  type Guest,
} from './protocol.js';

/** The application behind the proxies: a page, the health of docs/production.md, an echo, and who a client is. */

const settings = JSON.parse(process.argv[2]!) as ApplicationSettings;
/** Bytes of a message that floods a client. */
const WAVE = 65_536;
const PACE = 2;

const page = '<!doctype html><meta charset="utf-8"><title>Behind a proxy</title>';

@Controller()
class PageController {
  constructor(private readonly sockets: WebSocketService) {}

  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Set-Cookie', 'session=kept; Path=/; HttpOnly; SameSite=Lax')
  page(): string {
    return page;
  }

  @Get('health/ready')
  ready(): unknown {
    const health = this.sockets.getWebSocketHealth();
    if (!health.ready) throw new ServiceUnavailableException(health);
    return health;
  }
}

@WebSocketGateway()
class GuestGateway {
  @WsRoute('guest', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('guest', 'leave')
  leave(client: WsClient): void {
    client.close(FAREWELL.code, FAREWELL.reason);
  }

  @WsRoute('guest', 'who')
  who({ clientId, request: { headers, ip }, user }: WsClient): Guest {
    const { origin, host, cookie } = headers;
    return { clientId, ip, origin, host, cookie, token: Number(user?.userId ?? 0) };
  }
}

/** Sends to one client until it is closed, and tells how much that was when more waited than the budget allows. */
@Injectable()
class Flood {
  constructor(private readonly clients: ClientManager) {}

  async run(clientId: string): Promise<void> {
    const ws = this.clients.getClient({ clientId, requireWs: true })?.ws;
    if (!ws) throw new Error(`There is no client ${clientId}.`);
    const text = 'x'.repeat(WAVE);
    let sent = 0;
    let before: number | null = null;
    while (ws.readyState === ws.OPEN) {
      ws.send(text);
      sent += WAVE;
      if (ws.bufferedAmount > settings.maxBufferedBytes) before ??= sent;
      await new Promise((resolve) => setTimeout(resolve, PACE));
    }
    tell({ kind: 'flooded', clientId, bytes: before ?? sent });
  }
}

/** The user of a token is as long as it. */
function authenticate({ token }: WsCredentials): WsIdentity {
  return token === undefined ? { anonymous: true } : { userId: token.length };
}

@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      path: '/ws',
      trustProxy: settings.trustProxy,
      ...(settings.redis === undefined ? {} : { redis: settings.redis }),
      auth: { authenticate },
      rooms: { open: true, presence: true, history: HISTORY },
      limits: { maxBufferedBytes: settings.maxBufferedBytes, slowConsumerGrace: 1_000 },
      shutdown: { reconnectSpread: 1_000 },
      events: {
        onDisconnected: ({ clientId, code, reason }) => tell({ kind: 'ended', clientId, code, reason }),
      },
    }),
  ],
  controllers: [PageController],
  providers: [GuestGateway, Flood],
})
class AppModule {}

function tell(report: ApplicationReport): void {
  if (process.connected) process.send!(report);
}

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'], forceCloseConnections: true });
app.enableShutdownHooks();
process.on('message', ({ clientId }: ApplicationTask) => void app.get(Flood).run(clientId));
process.on('disconnect', () => process.exit());
await app.listen(settings.port, '127.0.0.1');
tell({ kind: 'listening' });
