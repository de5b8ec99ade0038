import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { UseGuards, UseInterceptors, type CallHandler, type ExecutionContext } from '@nestjs/common';
import { WebSocketGateway, type OnGatewayConnection } from '@nestjs/websockets';
import { context, ROOT_CONTEXT, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { Redis } from 'ioredis';
import {
  defineWebSocketSubscriber,
  WebSocketService,
  WsError,
  WsRoute,
  type PxlWebSocketModuleOptions,
  type WsClient,
} from 'nestjs-pxl-websocket';
import { Registry } from 'prom-client';
import { WebSocketEmitter } from 'nestjs-pxl-websocket/emitter';
import { eventually } from '../../lib/testing/eventually.js';
import { RedisServer } from '../support/redis-server.js';
import { Gate } from '../support/gate.js';
import { RawClient } from '../support/raw-client.js';
import { SpanRecorder } from '../support/span-recorder.js';
import { createApp, startApp, type TestApp } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';
import { until } from '../support/until.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SECRET = 'a-token-that-nobody-may-see';

/** The trace and the span that are active, with the place that asks. */
let seen: [where: string, traceId: string | undefined, spanId: string | undefined, flags: number | undefined][] = [];

function look(where: string): string | undefined {
  const { traceId, spanId, traceFlags } = trace.getActiveSpan()?.spanContext() ?? {};
  seen.push([where, traceId, spanId, traceFlags]);
  return traceId;
}

function seenAt(where: string): string | undefined {
  return seen.find(([place]) => place === where)?.[2];
}

const guard = { canActivate: () => look('guard') !== '' };
const interceptor = {
  intercept: (_execution: ExecutionContext, next: CallHandler) => {
    look('interceptor');
    return next.handle();
  },
};

@WebSocketGateway()
class Gateway implements OnGatewayConnection {
  constructor(private readonly sockets: WebSocketService) {}

  handleConnection(): void {
    look('hook');
  }

  handleDisconnect(): void {
    look('last hook');
  }

  @WsRoute('trace', 'see')
  @UseGuards(guard)
  @UseInterceptors(interceptor)
  async see() {
    await Promise.resolve();
    return look('handler');
  }

  @WsRoute('trace', 'stream')
  async *stream() {
    for (let count = 0; count < 3; count++) {
      await Promise.resolve();
      yield look('stream');
    }
  }

  @WsRoute('trace', 'refuse')
  refuse() {
    throw new WsError('FORBIDDEN', 'No.');
  }

  @WsRoute('trace', 'fail')
  async fail() {
    await Promise.resolve();
    throw new Error('A defect.');
  }

  @WsRoute('trace', 'ask')
  async ask(client: WsClient) {
    return client.call({ type: 'what', action: 'now' });
  }

  @WsRoute('trace', 'who')
  async who() {
    const { clients } = await this.sockets.fetchClients();
    return clients.length;
  }
}

const heard = defineWebSocketSubscriber({
  name: 'orders',
  channels: ['orders'],
  handle: () => void look('subscriber'),
});

const recorder = new SpanRecorder();
let redis: RedisServer;
let prefixes = 0;
let apps: TestApp[] = [];

/** Workers of one cluster of its own. */
async function start(count: number, options: PxlWebSocketModuleOptions = {}): Promise<[TestApp, TestApp]> {
  const cluster = { redis: redis.url, prefix: `traced${++prefixes}`, subscribers: [heard], ...options };
  const auth = {
    authenticate: ({ token }: { token?: string }) => {
      look('authenticator');
      return token === undefined ? null : { userId: token };
    },
    required: false,
  };
  for (let at = 0; at < count; at++) {
    apps.push(await startApp({ options: { auth, ...cluster }, providers: [Gateway] }));
  }
  recorder.clear();
  seen = [];
  return [apps[0]!, apps[count - 1]!];
}

function serviceOf({ app }: TestApp): WebSocketService {
  return app.get(WebSocketService);
}

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(() => redis.stop());

afterEach(async () => {
  for (const app of apps) await app.close();
  apps = [];
});

describe('With an SDK of OpenTelemetry', () => {
  beforeEach(() => recorder.start());
  afterEach(() => recorder.stop());

  it('a request, a send and the delivery on the other worker are one trace', async () => {
    const [here, there] = await start(2);
    const clients = [await there.client({ token: 'ada' }), await there.client({ token: 'ada' })];
    const traceId = await recorder.root(async (span) => {
      await serviceOf(here).sendToUsers(['ada'], { type: 'order', action: 'paid' });
      return span.spanContext().traceId;
    });
    for (const client of clients) await client.next('order', 'paid');
    const delivery = await recorder.one('deliver users');
    await recorder.one('request');
    expect(recorder.tree(traceId)).toEqual([
      'request internal',
      '  send users internal',
      '    publish users producer',
      '      deliver users consumer',
    ]);
    expect(delivery.attributes).toEqual({
      'messaging.system': 'pxl_websocket',
      'messaging.operation.name': 'deliver',
      'messaging.operation.type': 'process',
      'messaging.destination.template': 'users',
      'pxl.target.count': 1,
    });
    expect(delivery.parentSpanContext?.isRemote).toBe(true);
  });

  it('a send of an emitter, with the trace of its own process', async () => {
    const [there] = await start(1);
    const client = await there.client({ token: 'ada' });
    const emitter = new WebSocketEmitter({ redis: redis.url, prefix: `traced${prefixes}` });
    const silent = new WebSocketEmitter({ redis: redis.url, prefix: `traced${prefixes}`, tracing: false });
    const traceId = await recorder.root(async (span) => {
      await silent.broadcast({ type: 'order', action: 'lost' });
      await emitter.toUser({ userId: 'ada', type: 'order', action: 'paid' });
      return span.spanContext().traceId;
    });
    await client.next('order', 'lost');
    await client.next('order', 'paid');
    await recorder.one('deliver users');
    await Promise.all([emitter.shutdown(), silent.shutdown()]);
    expect(recorder.tree(traceId)).toEqual([
      'request internal',
      '  publish users producer',
      '    deliver users consumer',
    ]);
  });

  it('a message is a trace of its own, which links to that of its upgrade; the span is active all the way', async () => {
    const [app] = await start(1, { redis: undefined });
    const client = await app.client({ token: SECRET, path: `/ws?token=${SECRET}` });
    const upgrade = await recorder.one('upgrade /ws');
    const connect = await recorder.one('connect /ws');
    expect(upgrade.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/ws',
      'http.response.status_code': 101,
      'network.protocol.name': 'websocket',
      'pxl.endpoint': '/ws',
      'pxl.client.id': client.clientId,
    });
    expect(seenAt('authenticator')).toBe(upgrade.spanContext().spanId);
    expect(connect.parentSpanContext?.spanId).toBe(upgrade.spanContext().spanId);
    expect(seenAt('hook')).toBe(connect.spanContext().spanId);

    const traceIds = [await client.request('trace', 'see'), await client.request('trace', 'see')];
    const messages = await recorder.named('trace:see', 2);
    expect(messages.map((span) => span.spanContext().traceId)).toEqual(traceIds);
    expect(new Set([...traceIds, upgrade.spanContext().traceId]).size).toBe(3);
    const [message] = messages;
    for (const place of ['guard', 'interceptor', 'handler']) {
      expect([place, seenAt(place)]).toEqual([place, message?.spanContext().spanId]);
    }
    expect(message).toMatchObject({ parentSpanContext: undefined, status: { code: SpanStatusCode.UNSET } });
    expect(message?.links.map((link) => link.context.spanId)).toEqual([upgrade.spanContext().spanId]);

    client.send({ type: 'trace', action: 'stream', id: 9 });
    const { response } = await client.next('trace', 'stream');
    const stream = await recorder.one('trace:stream');
    expect(response).toBe(stream.spanContext().traceId);
    expect(seen.filter(([place]) => place === 'stream').map(([, traceId]) => traceId)).toEqual(Array(3).fill(response));

    await client.request('system', 'ping');
    await client.close();
    const disconnect = await recorder.one('disconnect /ws');
    expect(seenAt('last hook')).toBe(disconnect.spanContext().spanId);
    expect(disconnect.links.map((link) => link.context.spanId)).toEqual([upgrade.spanContext().spanId]);
    expect(recorder.spans.map(({ name }) => name).filter((name) => name.startsWith('system'))).toEqual([]);
    // Neither names a user, nor a token.
    const told = recorder.spans.map(({ name, attributes, events }) => ({ name, attributes, events }));
    expect(JSON.stringify(told)).not.toContain(SECRET);
  });

  it('an error is named by its code, a defect has its exception, and users are named where that is asked for', async () => {
    const [app] = await start(1, { redis: undefined, tracing: { userIds: true } });
    const client = await app.client({ token: 'ada' });
    await expect(client.request('trace', 'refuse')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(client.request('trace', 'fail')).rejects.toMatchObject({ code: 'INTERNAL' });
    const [refused, failed] = [await recorder.one('trace:refuse'), await recorder.one('trace:fail')];
    expect(refused).toMatchObject({
      attributes: { 'error.type': 'FORBIDDEN', 'enduser.id': 'ada' },
      status: { code: SpanStatusCode.UNSET },
      events: [],
    });
    expect(failed).toMatchObject({
      attributes: { 'error.type': 'INTERNAL' },
      status: { code: SpanStatusCode.ERROR },
      events: [{ name: 'exception', attributes: { 'exception.message': 'A defect.' } }],
    });
  });

  it('an upgrade is part of the trace that its request names, and tells its refusal', async () => {
    const [app] = await start(1, { redis: undefined, auth: { authenticate: () => null, required: true } });
    const headers = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01` };
    await expect(app.client({ headers })).rejects.toThrow('401');
    const upgrade = await recorder.one('upgrade /ws');
    expect(upgrade.spanContext().traceId).toBe(TRACE_ID);
    expect(upgrade.parentSpanContext).toMatchObject({ spanId: 'b7ad6b7169203331', isRemote: true });
    expect(upgrade).toMatchObject({
      attributes: { 'http.response.status_code': 401, 'error.type': '401' },
      status: { code: SpanStatusCode.UNSET },
    });
  });

  it('an upgrade ends, and is measured as none, whose client has closed its side meanwhile', async () => {
    const [asked, { passed, open }] = [new Gate(), new Gate()];
    const authenticate = async () => {
      asked.open();
      await passed;
      return { userId: 'ada' };
    };
    const metrics = { registry: new Registry() };
    const [{ app, port }] = await start(1, { redis: undefined, auth: { authenticate }, metrics });
    let socket: Duplex | undefined;
    (app.getHttpServer() as Server).on('upgrade', (_request, of: Duplex) => (socket = of));
    const client = await RawClient.upgrading(port);
    await asked.passed;
    client.socket.end();
    await until('the server knows', () => socket?.readable === false);
    open();
    expect(await recorder.one('upgrade /ws')).toMatchObject({ attributes: { 'error.type': 'gone' } });
    expect(await metrics.registry.metrics()).toContain('\npxl_ws_upgrade_seconds_count 0\n');
  });

  it('an authenticator that gets a message runs in its span', async () => {
    const authenticate = () => ({ userId: look('authenticator') ?? '' });
    const [app] = await start(1, { redis: undefined, auth: { authenticate, mode: 'message', required: false } });
    const client = await app.client();
    await client.request('system', 'authenticate', { token: SECRET });
    const message = await recorder.one('system:authenticate');
    expect(seenAt('authenticator')).toBe(message.spanContext().spanId);
  });

  it('a call of other workers and their answers are in the trace of the handler, and so is what a client is asked', async () => {
    const [here] = await start(2);
    const client = await here.client();
    const asked = client.request('trace', 'ask');
    const call = await client.next('what', 'now');
    client.answer(call, 'noon');
    await asked;
    await client.request('trace', 'who');
    const [ask, who] = [await recorder.one('trace:ask'), await recorder.one('trace:who')];
    expect(recorder.tree(ask.spanContext().traceId)).toEqual(['trace:ask server', '  request what:now client']);
    expect(recorder.tree(who.spanContext().traceId)).toEqual([
      'trace:who server',
      '  call fetchClients client',
      '    publish workers producer',
      '      answer fetchClients server',
    ]);
  });

  it('subscribers run in the trace of what has published the event, on every worker', async () => {
    const [here] = await start(2);
    const traceId = await recorder.root(async (span) => {
      await serviceOf(here).publish('orders', { id: 7 });
      return span.spanContext().traceId;
    });
    const handled = await recorder.named('process orders', 2);
    await recorder.one('request');
    expect(recorder.tree(traceId)).toEqual([
      'request internal',
      '  send subscribers internal',
      '    process orders consumer',
      '    publish subscribers producer',
      '      process orders consumer',
    ]);
    const inside = seen.filter(([place]) => place === 'subscriber').map(([, , spanId]) => spanId);
    expect(inside.sort()).toEqual(handled.map((span) => span.spanContext().spanId).sort());
  });

  it('what is not sampled is not recorded anywhere, and is not sampled on other workers either', async () => {
    const [here] = await start(2);
    const unsampled = { traceId: TRACE_ID, spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.NONE };
    await context.with(trace.setSpanContext(ROOT_CONTEXT, unsampled), () => serviceOf(here).publish('orders', {}));
    await eventually('both subscribers have run', () => seen.length === 2);
    expect(seen.map(([, traceId, , flags]) => [traceId, flags])).toEqual(Array(2).fill([TRACE_ID, TraceFlags.NONE]));
    expect(recorder.spans).toEqual([]);
  });

  it('a message of a room with history has its trace when it is new, and none when it is kept or replayed', async () => {
    const history = { size: 10, ttl: 60_000 };
    const [here, there] = await start(2, { rooms: { open: true, history } });
    const member = await there.client();
    const { position } = await member.join('tea', {});
    const traceId = await recorder.root(async (span) => {
      await serviceOf(here).sendToRooms(['tea'], { type: 'tea', action: 'ready' });
      return span.spanContext().traceId;
    });
    await member.next('tea', 'ready');
    await recorder.one('deliver rooms');
    await recorder.one('request');
    expect(recorder.tree(traceId)).toEqual([
      'request internal',
      '  send rooms internal',
      '    append rooms producer',
      '      deliver rooms consumer',
    ]);
    const [key] = await redis.command<string[]>('KEYS', `traced${prefixes}:*history*tea*`);
    const kept = (await redis.command<string[]>('HGETALL', String(key))).join();
    expect(kept).toContain('ready');
    expect(kept).not.toContain('traceparent');

    recorder.clear();
    const late = await there.client();
    await late.join('tea', { since: position });
    await late.next('tea', 'ready');
    expect(recorder.spans.map(({ name }) => name).filter((name) => name.startsWith('deliver'))).toEqual([]);
  });

  it('with the option false, none are made and none are told', async () => {
    const [here, there] = await start(2, { tracing: false });
    const client = await there.client({ token: 'ada' });
    await recorder.root(() => serviceOf(here).sendToUsers(['ada'], { type: 'order', action: 'paid' }));
    await client.next('order', 'paid');
    await client.request('trace', 'see');
    expect(recorder.spans.map(({ name }) => name)).toEqual(['request']);
  });
});

describe('An SDK of OpenTelemetry', () => {
  it('that is registered when the application begins to listen is taken', async () => {
    const app = await createApp({ providers: [Gateway] });
    recorder.start();
    try {
      await app.listen(0, '127.0.0.1');
      const client = await TestClient.connect(
        `ws://127.0.0.1:${((app.getHttpServer() as Server).address() as AddressInfo).port}/ws`,
      );
      await client.request('trace', 'see');
      await recorder.one('trace:see');
      await client.close();
    } finally {
      await app.close();
      await recorder.stop();
    }
  });

  it('that is not there costs nothing on the bus', async () => {
    const [here, there] = await start(2);
    const wire: string[] = [];
    const ear = new Redis(redis.url);
    ear.on('pmessage', (_pattern, _channel, text: string) => wire.push(text));
    await ear.psubscribe(`traced${prefixes}*`);
    const client = await there.client({ token: 'ada' });
    await serviceOf(here).sendToUsers(['ada'], { type: 'order', action: 'paid' });
    await client.next('order', 'paid');
    await eventually('it was on the wire', () => wire.some((text) => text.includes('paid')));
    ear.disconnect();
    expect(wire.filter((text) => text.includes('trace'))).toEqual([]);
    expect(await client.request('trace', 'see')).toBeNull();
  });
});
