import { describe, expect, it } from '@jest/globals';
import { UseFilters, UseInterceptors, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { Ack, ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { DuplicateWsRouteError, PxlWebSocketSetupError, WsClient, WsError, WsRoute } from 'nestjs-pxl-websocket';
import { map, of } from 'rxjs';
import { failureOf } from '../support/failure-of.js';
import { Gate } from '../support/gate.js';
import { createApp, PLATFORMS, startsOneApp } from '../support/test-app.js';

const start = startsOneApp();

type Acknowledge = (value?: unknown) => void;

@WebSocketGateway()
class Gateway {
  readonly gate = new Gate();
  acknowledge: Acknowledge | undefined;

  @SubscribeMessage('events')
  events(@ConnectedSocket() client: WsClient, @MessageBody() data: unknown) {
    return { event: 'events-answer', data: [client.clientId, data] };
  }

  @SubscribeMessage('chat:send')
  async send(_client: WsClient, data: unknown) {
    return { sent: data };
  }

  @SubscribeMessage('wrapped')
  @UseInterceptors({
    intercept: (_context: ExecutionContext, next: CallHandler) =>
      next.handle().pipe(map((data: unknown) => ({ event: 'other:name', data }))),
  })
  wrapped(@MessageBody() data: unknown) {
    return data;
  }

  @SubscribeMessage('many')
  many() {
    return of({ event: 'one', data: 1 }, { event: 'two', data: 2 });
  }

  @SubscribeMessage('pattern')
  @UseInterceptors({
    intercept: (context: ExecutionContext) => of([context.switchToWs().getPattern(), context.getArgs().length]),
  })
  pattern() {}

  @WsRoute('own', 'route')
  own() {
    return { event: 'not-an-event', data: 1 };
  }

  @SubscribeMessage('ack')
  ack(@MessageBody() data: unknown, @Ack() ack: Acknowledge, @ConnectedSocket() client: WsClient) {
    ack({ got: data });
    client.send({ type: 'after', action: 'ack' });
    ack('twice');
    return 'returned';
  }

  @SubscribeMessage('ack-later')
  ackLater(@Ack() ack: Acknowledge) {
    this.acknowledge = ack;
    return 'returned';
  }

  @SubscribeMessage('ack-and-work')
  async ackAndWork(@Ack() ack: Acknowledge) {
    ack('begun');
    await this.gate.passed;
    throw new WsError('TOO_LATE', 'after the answer');
  }

  @SubscribeMessage('ack-throws')
  @UseInterceptors({ intercept: (_context: ExecutionContext, next: CallHandler) => next.handle() })
  async ackThrows(@Ack() ack: Acknowledge) {
    this.acknowledge = ack;
    throw new WsError('REFUSED', 'before the answer');
  }

  @SubscribeMessage('ack-filtered')
  @UseFilters({ catch: (error: Error) => `filtered ${error.message}` })
  ackFiltered(@Ack() ack: Acknowledge) {
    this.acknowledge = ack;
    throw new Error('it');
  }

  @SubscribeMessage('ack-wrapped')
  @UseInterceptors({
    intercept: (_context: ExecutionContext, next: CallHandler) =>
      next.handle().pipe(map((data: unknown) => ({ data }))),
  })
  async ackWrapped(@Ack() ack: Acknowledge) {
    ack('acknowledged');
    return 'returned';
  }

  @SubscribeMessage('ack-bigint')
  ackBigint(@Ack() ack: Acknowledge) {
    ack(1n);
  }
}

describe.each(PLATFORMS)('@SubscribeMessage on %s', (platform) => {
  it("is the route of its event name, and its answer goes out under its own event or the request's", async () => {
    const { client } = await start({ platform, providers: [Gateway] });
    const tester = await client();
    tester.send({ type: 'event', action: 'events', data: 5, id: 1 });
    const response = [tester.clientId, 5];
    expect(await tester.next()).toEqual({ type: 'event', action: 'events-answer', id: 1, response });
    tester.send({ type: 'chat', action: 'send', data: 'x' });
    expect(await tester.next()).toEqual({ type: 'chat', action: 'send', response: { sent: 'x' } });
  });
});

describe('the answer of @SubscribeMessage', () => {
  it('may be named by an interceptor, and value by value', async () => {
    const { client } = await start({ providers: [Gateway] });
    const tester = await client();
    tester.send({ type: 'event', action: 'wrapped', data: 1, id: 'w' });
    expect(await tester.next()).toEqual({ type: 'other', action: 'name', id: 'w', response: 1 });
    tester.send({ type: 'event', action: 'many', id: 'm' });
    expect(await tester.next()).toEqual({ type: 'event', action: 'one', id: 'm', response: 1 });
    expect(await tester.next()).toEqual({ type: 'event', action: 'two', id: 'm', response: 2 });
    expect(await tester.next()).toEqual({ type: 'event', action: 'many', id: 'm', done: true });
  });

  it('is no matter of @WsRoute, where { event, data } is a value like any other', async () => {
    const { client } = await start({ providers: [Gateway] });
    expect(await (await client()).request('own', 'route')).toEqual({ event: 'not-an-event', data: 1 });
  });

  it('has the event name as its pattern', async () => {
    const { client } = await start({ providers: [Gateway] });
    expect(await (await client()).request('event', 'pattern')).toEqual(['pattern', 3]);
  });
});

describe('@Ack', () => {
  it('is the reply, sent at once and once, and the return value is not', async () => {
    const { client } = await start({ providers: [Gateway] });
    const tester = await client();
    tester.send({ type: 'event', action: 'ack', data: 5, id: 1 });
    expect(await tester.next()).toEqual({ type: 'event', action: 'ack', id: 1, response: { got: 5 } });
    expect(await tester.next()).toEqual({ type: 'after', action: 'ack' });
    tester.send({ type: 'event', action: 'ack', data: 6 });
    expect(await tester.next()).toEqual({ type: 'event', action: 'ack', response: { got: 6 } });
    expect(await tester.next()).toEqual({ type: 'after', action: 'ack' });
    await tester.expectNothing(30);
    expect(await tester.request('event', 'ack-wrapped')).toBe('acknowledged');
  });

  it('may be called after the handler has returned; the id is in use until then, and others do not wait', async () => {
    const { app, client } = await start({ providers: [Gateway] });
    const tester = await client();
    tester.send({ type: 'event', action: 'ack-later', id: 1 });
    expect(await tester.request('own', 'route')).toBeDefined();
    tester.send({ type: 'own', action: 'route', id: 1 });
    expect((await tester.next('error')).data).toMatchObject({ code: 'BAD_MESSAGE' });
    app.get(Gateway).acknowledge?.();
    expect(await tester.next()).toEqual({ type: 'event', action: 'ack-later', id: 1, response: null });
  });

  it('that is never called is bounded, in number and in time', async () => {
    const limited = { limits: { streamsPerClient: 2 }, timeouts: { handler: 500 } };
    const { client } = await start({ options: limited, providers: [Gateway] });
    const tester = await client();
    for (const id of [1, 2, 3]) tester.send({ type: 'event', action: 'ack-later', id });
    const codes = await Promise.all(
      [3, 1, 2].map(async (id) => ((await tester.take((m) => m.id === id)).data as { code: string }).code),
    );
    expect(codes).toEqual(['RATE_LIMITED', 'TIMEOUT', 'TIMEOUT']);
  });

  it('does not end the handler: the next message waits for it, and what it throws later is not sent', async () => {
    const { app, client } = await start({ providers: [Gateway] });
    const tester = await client();
    tester.send({ type: 'event', action: 'ack-and-work', id: 1 });
    expect((await tester.next()).response).toBe('begun');
    tester.send({ type: 'own', action: 'route', id: 2 });
    await tester.expectNothing(30);
    app.get(Gateway).gate.open();
    expect((await tester.next()).id).toBe(2);
  });

  it('after an error, or what a filter made of it, sends nothing more', async () => {
    const { app, client } = await start({ providers: [Gateway] });
    const tester = await client();
    await expect(tester.request('event', 'ack-throws')).rejects.toThrow('REFUSED');
    app.get(Gateway).acknowledge?.('late');
    expect(await tester.request('event', 'ack-filtered')).toBe('filtered it');
    app.get(Gateway).acknowledge?.('late');
    await expect(tester.request('event', 'ack-bigint')).rejects.toThrow('INTERNAL');
    await tester.expectNothing(30);
  });
});

describe('start-up', () => {
  it('fails for a message whose name is no text', async () => {
    class Wrong {
      @SubscribeMessage({ cmd: 'x' })
      method() {}
    }
    expect(await failureOf({ providers: [Wrong] })).toBe(
      '@SubscribeMessage(...) on Wrong.method: the name of a message is a text here.',
    );
  });

  it.each(['', 'system:x', ':x', 'x'.repeat(65)])('fails for the message name %j', async (name) => {
    class Wrong {
      @SubscribeMessage(name)
      method() {}
    }
    const app = await createApp({ providers: [Wrong] });
    await expect(app.init()).rejects.toBeInstanceOf(PxlWebSocketSetupError);
    await app.close();
  });

  it('fails for a message and a route that are the same', async () => {
    class Both {
      @SubscribeMessage('chat:send')
      message() {}

      @WsRoute('chat', 'send')
      route() {}
    }
    const app = await createApp({ providers: [Both] });
    await expect(app.init()).rejects.toBeInstanceOf(DuplicateWsRouteError);
    await app.close();
  });
});
