import { describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WebSocketService, WsRoute, type RouteData, type RouteReply } from 'nestjs-pxl-websocket';
import ts from 'typescript';
import { WebSocket } from 'ws';
import { WebSocketClient } from '../../lib/client/index.js';
import { startsOneApp } from '../support/test-app.js';

interface Chat {
  routes: { chat: { send: { data: { text: string }; reply: { sent: number } } } };
  pushes: { chat: { message: { text: string } } };
}

const start = startsOneApp();

@Injectable()
class Announcer {
  constructor(readonly sockets: WebSocketService<Chat>) {}

  announce(text: string): Promise<void> {
    return this.sockets.broadcast({ type: 'chat', action: 'message', data: { text } });
  }
}

const ChatRoute = WsRoute<Chat>();

@WebSocketGateway()
class ChatGateway {
  constructor(
    private readonly announcer: Announcer,
    private readonly sockets: WebSocketService<Chat>,
  ) {}

  @ChatRoute('chat', 'send')
  async send(@MessageBody() { text }: RouteData<Chat, 'chat', 'send'>): Promise<RouteReply<Chat, 'chat', 'send'>> {
    await this.announcer.announce(text);
    return { sent: this.sockets === this.announcer.sockets ? 1 : 0 };
  }
}

describe('a contract', () => {
  it('is shared by a server, into which WebSocketService<Contract> is injected, and its client', async () => {
    const app = await start({ providers: [ChatGateway, Announcer] });
    const client = new WebSocketClient<Chat>({ url: app.url(), webSocket: WebSocket });
    await client.connect();
    const heard = new Promise<string>((resolve) => client.on('chat', 'message', ({ text }) => resolve(text)));
    expect(await client.request('chat', 'send', { text: 'Hello' })).toEqual({ sent: 1 });
    expect(await heard).toBe('Hello');
    client.destroy();
  });

  it('makes a decorator that says so where it stands on a method itself', () => {
    const decorate = WsRoute<Chat>() as unknown as MethodDecorator;
    expect(() => decorate(ChatGateway.prototype, 'send', { value: () => undefined })).toThrow(
      'WsRoute() makes the decorator of a contract',
    );
  });

  it('leaves the metadata that Nest injects by as it was', () => {
    const { outputText } = ts.transpileModule(
      `import { WebSocketService } from 'nestjs-pxl-websocket';
       @Injectable() class Service { constructor(readonly sockets: WebSocketService<Chat>) {} }`,
      {
        compilerOptions: { experimentalDecorators: true, emitDecoratorMetadata: true, target: ts.ScriptTarget.ES2023 },
      },
    );
    expect(outputText).toMatch(/design:paramtypes", \[[^\]]*WebSocketService/);
  });
});
