import { describe, expect, it } from '@jest/globals';
import * as common from '@nestjs/common';
import * as websockets from '@nestjs/websockets';
import * as library from 'nestjs-pxl-websocket';
import ts from 'typescript';
import * as ws from 'ws';
import * as clientLibrary from '../../lib/client/index.js';
import { MigratedProject } from '../support/migrated-project.js';
import { startsOneApp } from '../support/test-app.js';

const start = startsOneApp();

const GATEWAY = `import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer, WsException } from '@nestjs/websockets';
import { Server, Socket } from 'socket.io';

@WebSocketGateway({ cors: { origin: '*' } })
export class ChatGateway {
  @WebSocketServer() server: Server;

  @SubscribeMessage('room:join')
  async join(@ConnectedSocket() socket: Socket, @MessageBody() room: string) {
    await socket.join(room);
    socket.to(room).emit('room:came', socket.id);
    return room;
  }

  @SubscribeMessage('say')
  say(@ConnectedSocket() socket: Socket, @MessageBody() [room, text]: string[]) {
    this.server.to(room).emit('said', socket.handshake.query.name, text);
  }

  @SubscribeMessage('fail')
  fail() {
    throw new WsException('No.');
  }
}
`;

const MODULE = `import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ChatGateway } from './chat.gateway';

@Module({ providers: [ChatGateway] })
export class AppModule {}

export async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(3000);
}
`;

const CLIENT = `import { io, Socket } from 'socket.io-client';

export async function talk(port: number, name: string, heard: unknown[], isHeard: () => Promise<void>) {
  const socket: Socket = io(\`http://localhost:\${port}\`, { query: { name }, transports: ['websocket'] });
  socket.on('exception', (error) => heard.push(error.message));
  socket.on('said', (from, text) => heard.push([from, text]));
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const joined = await socket.timeout(5_000).emitWithAck('room:join', 'tea');
  socket.emit('room:join', 'chess', (room) => heard.push(room));
  socket.emit('say', 'tea', 'Hello');
  socket.emit('fail');
  await isHeard();
  const { connected } = { connected: socket.connected };
  socket.disconnect();
  return [joined, connected, socket.connected];
}
`;

interface Client {
  talk(port: number, name: string, heard: unknown[], isHeard: () => Promise<void>): Promise<unknown>;
}

/** Runs the text of a file, which imports the modules that are given. */
function load(text: string, modules: Readonly<Record<string, unknown>>): unknown {
  const target = ts.ScriptTarget.ES2022;
  const compilerOptions = {
    target,
    module: ts.ModuleKind.CommonJS,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  const { outputText } = ts.transpileModule(text, { compilerOptions });
  const exports = {};
  const require = (name: string): unknown => modules[name];
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- what users would run
  new Function('require', 'exports', outputText)(require, exports);
  return exports;
}

describe('A gateway and a client of Socket.IO', () => {
  it('talk to each other once both are migrated, without a change by hand', async () => {
    const files = { 'chat.gateway.ts': GATEWAY, 'app.module.ts': MODULE, 'client.ts': CLIENT };
    const project = await MigratedProject.with(files);
    const { out } = await project.run('migrate', '--write', '--force');
    const texts = await Promise.all(Object.keys(files).map((name) => project.read(name)));
    await project.remove();
    expect(out).not.toContain('TODO');
    const [gatewayText = '', moduleText = '', clientText = ''] = texts;
    const server = { '@nestjs/common': common, '@nestjs/websockets': websockets, 'nestjs-pxl-websocket': library };
    const gateway = load(gatewayText, server);
    const { AppModule } = load(moduleText, { ...server, '@nestjs/core': {}, './chat.gateway': gateway }) as {
      AppModule: common.Type;
    };
    const { talk } = load(clientText, { ws, 'nestjs-pxl-websocket/client': clientLibrary }) as Client;
    const { url } = await start({ imports: [AppModule], options: false });
    const heard: unknown[] = [];
    const isHeard = async (): Promise<void> => {
      while (heard.length < 3) await new Promise((resolve) => setImmediate(resolve));
    };
    const result = await talk(Number(new URL(url()).port), 'ada', heard, isHeard);
    expect(result).toEqual(['tea', true, false]);
    // An answer comes by a promise, so what is pushed right behind it may be heard first.
    expect(heard.map(String).sort()).toEqual(['No.', 'ada,Hello', 'chess']);
  });
});
