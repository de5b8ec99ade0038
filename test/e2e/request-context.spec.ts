import { describe, expect, it } from '@jest/globals';
import { UseGuards, UseInterceptors, UsePipes, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  defineWebSocketSubscriber,
  UseConnectionGuards,
  WebSocketService,
  wsContext,
  WsRoute,
  type ConnectionGuard,
  type WsRequestContext,
} from 'nestjs-pxl-websocket';
import { Gate } from '../support/gate.js';
import { startsOneApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';
import { urlIdentity } from '../support/url-identity.js';

const start = startsOneApp();

/** What has run, and in which context. */
let seen: [where: string, context: WsRequestContext | undefined][] = [];

function note(where: string): boolean {
  return seen.push([where, wsContext()]) > 0;
}

const guard = { canActivate: () => Promise.resolve(note('guard')) };
const interceptor = {
  intercept: (_context: ExecutionContext, next: CallHandler) => {
    note('interceptor');
    return next.handle();
  },
};
const pipe = { transform: (value: unknown) => (note('pipe') ? value : undefined) };
const connectionGuard: ConnectionGuard = { canActivate: () => note('connection guard') };

@WebSocketGateway()
@UseConnectionGuards(connectionGuard)
class Gateway {
  readonly gate = new Gate();

  handleConnection() {
    note('handleConnection');
  }

  handleDisconnect() {
    note('handleDisconnect');
  }

  @WsRoute('see', 'all')
  @UseGuards(guard)
  @UseInterceptors(interceptor)
  @UsePipes(pipe)
  async all(@MessageBody() data: unknown) {
    await new Promise(setImmediate);
    note('handler');
    return data;
  }

  @WsRoute('see', 'later')
  async later() {
    const before = wsContext();
    await this.gate.passed;
    return [before?.requestId, wsContext()?.requestId];
  }

  @WsRoute('see', 'stream')
  async *stream() {
    yield wsContext()?.requestId;
    await new Promise(setImmediate);
    yield wsContext()?.requestId;
  }

  @WsRoute('see', 'nothing')
  nothing() {
    return wsContext() ?? 'nothing';
  }
}

const subscriber = defineWebSocketSubscriber({
  channel: 'orders',
  handle: async () => {
    await new Promise(setImmediate);
    note('subscriber');
  },
});

/** Options in which everything of the application is asked. */
const everything = {
  auth: {
    authenticate: async (credentials: Parameters<typeof urlIdentity>[0]) => {
      await Promise.resolve();
      note('authenticator');
      return urlIdentity(credentials);
    },
  },
  events: { onConnected: () => note('onConnected'), onMessage: () => note('onMessage') },
  rooms: { authorize: () => note('rooms.authorize') },
  subscribers: [subscriber],
};

describe('wsContext()', () => {
  it('tells everything of the application that a connection and its messages call which of them it is', async () => {
    seen = [];
    const { app, client } = await start({ options: { ...everything, requestContext: true }, providers: [Gateway] });
    const ada = await client({ path: '/ws?userId=ada' });
    const { clientId } = ada;
    await ada.request('see', 'all', {});
    await ada.join('room');
    await app.get(WebSocketService).publish('orders', {});
    await until(() => seen.some(([where]) => where === 'subscriber'));
    await ada.close();
    await until(() => seen.some(([where]) => where === 'handleDisconnect'));

    const contexts = Object.fromEntries(seen);
    const upgrade = { requestId: clientId, clientId, userId: undefined, path: '/ws' };
    const connection = { ...upgrade, userId: 'ada' };
    const message = { ...connection, requestId: expect.stringMatching(/^[\w.-]+\.\d+$/), route: 'see:all' };
    expect(contexts).toEqual({
      authenticator: upgrade,
      'connection guard': connection,
      onConnected: connection,
      handleConnection: connection,
      onMessage: connection,
      guard: message,
      interceptor: message,
      pipe: message,
      handler: message,
      'rooms.authorize': { ...message, route: 'system:joinRoom' },
      subscriber: { requestId: expect.stringMatching(/^[\w-]{8}\.\d+$/), channel: 'orders' },
      handleDisconnect: connection,
    });
    const idOf = (where: string): string => contexts[where]!.requestId;
    expect(idOf('handler').startsWith(`${clientId}.`)).toBe(true);
    expect(new Set(['guard', 'interceptor', 'pipe', 'handler'].map(idOf)).size).toBe(1);
    expect(idOf('rooms.authorize')).not.toBe(idOf('handler'));
    expect(wsContext()).toBeUndefined();
  });

  it('keeps apart messages that are handled at once, after a wait and in a stream', async () => {
    const options = { requestContext: true, inbound: { concurrency: 4 } };
    const { app, client } = await start({ options, providers: [Gateway] });
    const [ada, bob] = [await client(), await client()];
    const asked = [ada, ada, bob].map((one) => one.request('see', 'later'));
    await new Promise(setImmediate);
    app.get(Gateway).gate.open();
    const answers = (await Promise.all(asked)) as [string, string][];
    expect(answers.every(([before, after]) => before === after)).toBe(true);
    expect(new Set(answers.map(([id]) => id)).size).toBe(3);
    expect(answers.map(([id]) => id.replace(/\.\d+$/, ''))).toEqual([ada.clientId, ada.clientId, bob.clientId]);
    ada.send({ type: 'see', action: 'stream', id: 's' });
    const [first, second] = [await ada.next(), await ada.next()];
    expect(first.response).toEqual(expect.stringMatching(`^${ada.clientId}\\.`));
    expect(second.response).toBe(first.response);
  });

  it('takes the id of a connection from the header that is named, unless it is no id', async () => {
    const options = { requestContext: { header: 'X-Request-Id' } };
    const { client, url } = await start({ options, providers: [Gateway] });
    const traced = await client({ headers: { 'x-request-id': '7b1f-42' } });
    const { requestId } = (await traced.request('see', 'nothing')) as WsRequestContext;
    expect(requestId).toMatch(/^7b1f-42\.\d+$/);
    for (const forged of ['a b', 'x'.repeat(129), '{"level":50}', '']) {
      const odd = await TestClient.connect(url(), { headers: { 'x-request-id': forged } });
      const own = (await odd.request('see', 'nothing')) as WsRequestContext;
      expect(own.requestId).toMatch(new RegExp(`^${odd.clientId}\\.\\d+$`));
      await odd.close();
    }
  });

  it('knows the user of a connection that logs in by message', async () => {
    seen = [];
    const authenticate = () => (note('authenticator') ? { userId: 'ada' } : false);
    const auth = { authenticate, mode: 'message' as const };
    const { url } = await start({ options: { auth, requestContext: true }, providers: [Gateway] });
    const tester = await TestClient.open(url());
    tester.send({ type: 'system', action: 'authenticate', data: { token: 'any' } });
    await tester.welcomed();
    await until(() => seen.some(([where]) => where === 'handleConnection'));
    const contexts = Object.fromEntries(seen);
    expect(contexts.authenticator).toMatchObject({ userId: undefined, route: 'system:authenticate' });
    expect(contexts['connection guard']).toMatchObject({ userId: 'ada', route: 'system:authenticate' });
    expect(contexts.handleConnection).toEqual({
      requestId: tester.clientId,
      clientId: tester.clientId,
      userId: 'ada',
      path: '/ws',
    });
    await tester.close();
  });

  it('is undefined without the option', async () => {
    seen = [];
    const { app, client } = await start({ options: everything, providers: [Gateway] });
    const ada = await client({ path: '/ws?userId=ada' });
    await ada.request('see', 'all', {});
    await app.get(WebSocketService).publish('orders', {});
    await until(() => seen.some(([where]) => where === 'subscriber'));
    expect(seen.length).toBeGreaterThan(8);
    expect(seen.filter(([, context]) => context !== undefined)).toEqual([]);
  });
});

describe('The option requestContext', () => {
  it.each([
    [1, 'The option requestContext is true, false or an object, not 1.'],
    [{ header: 'a b' }, 'The option requestContext.header is the name of a header, not a text.'],
    [{ headers: 'x' }, 'There is no option requestContext.headers; did you mean header?'],
  ])('refuses %j', async (requestContext, sentence) => {
    const options: object = { requestContext };
    await expect(start({ options })).rejects.toThrow(sentence);
  });
});
