import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { Body, Controller, Get, Module, Post, type LoggerService, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketModule,
  WebSocketService,
  WsError,
  WsRoute,
  WsUser,
  type PxlWebSocketModuleOptions,
  type WebSocketHealth,
  type WsClient,
  type WsCredentials,
  type WsVerdict,
} from 'nestjs-pxl-websocket';
import { of } from 'rxjs';

/*
 * The server of the client's suite and of the server's, on any port until it is ended. Writes the port, and to its error output
 * what it logs. It imports only packages, so that a project may have it as its program, on whatever runtime.
 */

interface Given {
  /** Of the module, as far as they have a JSON form. */
  readonly options?: PxlWebSocketModuleOptions;
  readonly isFastify?: boolean;
  readonly tls?: { key: string; cert: string };
  /** The secret of the tokens of `/jwt`. */
  readonly secret?: string;
  /** Where `/own` is served; by default on the application's own port. */
  readonly ownPort?: number;
  /** Deno knows only some of the signals that Nest listens to by default. */
  readonly signals?: string[];
}

const given = JSON.parse(process.argv[2] ?? '{}') as Given;
const { options = {}, secret = 'a secret that nobody outside of the tests knows' } = given;

/** Numbered messages of a size, for a room. */
interface Flood {
  readonly room: string;
  readonly count: number;
  readonly bytes: number;
}

@WebSocketGateway()
class SuiteGateway {
  constructor(private readonly service: WebSocketService) {}

  @WsRoute('suite', 'echo')
  echo(_client: WsClient, data: unknown): unknown {
    return data;
  }

  @WsRoute('suite', 'fail')
  fail(): never {
    throw new WsError('TEAPOT', 'Refused.');
  }

  @WsRoute('suite', 'stream')
  stream(): unknown {
    return of(1, 2, 3);
  }

  @WsRoute('suite', 'whoami')
  whoami({ user, rooms, encrypted }: WsClient): unknown {
    return { userId: user?.userId ?? null, rooms: [...rooms], encrypted };
  }

  @WsRoute('suite', 'call')
  call(client: WsClient): Promise<unknown> {
    return client.call({ type: 'suite', action: 'question', data: 6 });
  }

  @WsRoute('suite', 'push')
  async push(_client: WsClient, { room, text }: { room: string; text: string }): Promise<void> {
    await this.service.sendToRooms([room], { type: 'news', action: 'flash', data: text });
  }

  /** Ten in a turn, of a text that does not compress much. */
  @WsRoute('suite', 'flood')
  async flood(@MessageBody() { room, count, bytes }: Flood): Promise<void> {
    const text = randomBytes(Math.ceil((bytes * 3) / 4))
      .toString('base64')
      .slice(0, bytes);
    for (let n = 0; n < count; n++) {
      await this.service.sendToRooms([room], { type: 'flood', action: 'message', data: { n, text } });
      if (n % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  @WsRoute('suite', 'bytes')
  bytes(client: WsClient, size: number): void {
    client.ws.send(Buffer.alloc(size, 'b'));
  }

  @WsRoute('suite', 'tell')
  async tell(_client: WsClient, { userId, text }: { userId: string; text: string }): Promise<unknown> {
    await this.service.sendToUsers([userId], { type: 'news', action: 'personal', data: text });
    return { ...(await this.service.isUserOnline(userId)), ...(await this.service.countClients({ userId })) };
  }

  @WsRoute('suite', 'wait')
  async wait(client: WsClient, ms: number): Promise<string> {
    client.send({ type: 'news', action: 'waiting' });
    await new Promise((resolve) => setTimeout(resolve, ms));
    return 'waited';
  }

  @WsRoute('suite', 'health')
  health(): WebSocketHealth {
    return this.service.getWebSocketHealth();
  }

  @WsRoute('suite', 'close')
  close(client: WsClient, { code, reason }: { code: number; reason: string }): void {
    client.close(code, reason);
  }

  @WsRoute('suite', 'cut')
  cut(client: WsClient): void {
    client.ws.terminate();
  }
}

@WebSocketGateway({ path: '/strict' })
class StrictGateway {}

@WebSocketGateway({ path: '/jwt' })
class JwtGateway {}

@WebSocketGateway({ path: '/message' })
class MessageGateway {}

@WebSocketGateway(given.ownPort ?? 0, { path: '/own' })
class OwnGateway {
  @WsRoute('own', 'user')
  user(@WsUser('userId') userId: string | undefined): string {
    return userId ?? 'nobody';
  }
}

@Controller()
class SuiteController {
  constructor(private readonly service: WebSocketService) {}

  @Get('clients')
  clients(): number {
    return this.service.getWebSocketHealth().activeConnections;
  }

  @Post('echo')
  echo(@Body() body: unknown): unknown {
    return body;
  }
}

/** A token is the name of its user. */
function authenticate({ token }: WsCredentials): WsVerdict {
  if (token === undefined) return { anonymous: true };
  return token.startsWith('refused') ? null : { userId: token };
}

const gateways: Type[] = [SuiteGateway, StrictGateway, JwtGateway, MessageGateway, OwnGateway];

@Module({
  imports: [
    PxlWebSocketModule.forRoot({
      auth: { authenticate },
      encryption: true,
      compression: true,
      ...options,
      rooms: {
        open: true,
        named: true,
        history: (name) => (name.startsWith('log') ? { size: 100, ttl: 60_000 } : null),
        presence: (name) => name.startsWith('who'),
        ...options.rooms,
      },
      endpoints: {
        '/strict': { limits: { messagesPerSecond: 20, burst: 20, maxPayload: 1_000 } },
        '/jwt': { auth: { jwt: { secret } } },
        '/message': { auth: { mode: 'message', timeout: 3_000 } },
      },
    }),
  ],
  controllers: [SuiteController],
  providers: gateways,
})
class AppModule {}

const { isFastify = false, tls, signals } = given;
const settings = {
  logger: process.argv[2] === undefined ? (false as const) : logger(),
  forceCloseConnections: true,
  ...(tls && { httpsOptions: tls }),
};
const app = isFastify
  ? await NestFactory.create(AppModule, new FastifyAdapter(tls ? { https: tls } : {}), settings)
  : await NestFactory.create(AppModule, settings);
app.enableShutdownHooks(signals);
await app.listen(0, '127.0.0.1');
const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
process.stdout.write(`${JSON.stringify({ port })}\n`);

/** Of what is no warning, that of the library alone. */
function logger(): LoggerService {
  const write =
    (level: string) =>
    (...parts: unknown[]): void =>
      void process.stderr.write(`${level} ${parts.map(String).join(' ')}\n`);
  const log = (...parts: unknown[]): void => {
    if (parts.at(-1) === 'PxlWebSocket') write('log')(...parts);
  };
  return { log, warn: write('warn'), error: write('error'), fatal: write('fatal') };
}
