import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import {
  PxlWebSocketModule,
  RoomManager,
  WebSocketService,
  WsError,
  WsRoute,
  type WsClient,
  type WsCredentials,
} from 'nestjs-pxl-websocket';
import type { BenchReport } from '../../lib/cli/bench/report/report.js';
import { BenchProcess, reportIn } from '../support/bench-process.js';
import { createCertificate } from '../support/certificate.js';
import { createApp, startApp, type TestApp } from '../support/test-app.js';
import { until } from '../support/until.js';
import { expectTags } from '../support/xml-tags.js';

/** A room of an application that keeps every tenth message to itself, and says every tenth one twice. */
@WebSocketGateway()
class LossyGateway {
  #count = 0;

  constructor(private readonly sockets: WebSocketService) {}

  @WsRoute('chat', 'enter')
  async enter(@ConnectedSocket() client: WsClient, @MessageBody('room') room: string): Promise<void> {
    await client.join(room);
  }

  @WsRoute('chat', 'say')
  async say(@MessageBody() { room, text }: { room: string; text: string }): Promise<{ text: string }> {
    const turn = this.#count++ % 10;
    for (let time = turn === 9 ? 1 : 0; time < (turn === 4 ? 2 : 1); time++) {
      await this.sockets.sendToRooms([room], { type: 'chat', action: 'said', data: { text } });
    }
    return { text };
  }

  @WsRoute('chat', 'ask')
  ask(@MessageBody('of') of: string): string {
    if (of === '3') throw new WsError('FORBIDDEN', 'Not for you.');
    return of;
  }
}

function bearer({ token }: WsCredentials): { userId: string } | null {
  return token?.startsWith('user-') === true ? { userId: token } : null;
}

const RAMPS = '--ramp 1000 --ramp-down 10000';
const QUICK = `${RAMPS} --settle 300ms`;
/** Where each message counts: what a busy machine brings a second late is not lost. */
const COUNTED = `${RAMPS} --settle 1500ms`;
const CHAT =
  '--join chat:enter --send chat:say --data {"room":"{room}","text":"<{message}>"} --expect chat:said --processes 2';
const ASK = '--send chat:ask --data {"of":"{i}"} --token user-{i} --token-to message --protocol event';

const WHISPERING = { rooms: { open: true, whisper: true }, shutdown: { reconnectSpread: 100 } };

const processes: BenchProcess[] = [];
let folder: string;
let lossy: TestApp;
let events: TestApp;
let closed: TestApp;
/** Runs that take their time beside the others. */
let chat: BenchProcess;
let ask: BenchProcess;
let whispers: BenchProcess;
let whispering: TestApp;

/** @param line as it is typed, without quotes: no argument has a space */
function bench(line: string): BenchProcess {
  const made = new BenchProcess(...line.split(' '));
  processes.push(made);
  return made;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-'));
  await writeFile(join(folder, 'tokens'), 'user-a\nuser-b\n\nuser-c\n');
  [lossy, events, closed, whispering] = await Promise.all([
    startApp({ options: { auth: { authenticate: bearer } }, providers: [LossyGateway] }),
    startApp({ options: { protocol: 'event', auth: { authenticate: bearer } }, providers: [LossyGateway] }),
    startApp({}),
    startApp({ options: WHISPERING }),
  ]);
  const load = '--clients 8 --rooms 2 --senders 4 --rate 50 --duration 400ms';
  chat = bench(`${lossy.url()} ${COUNTED} ${load} ${CHAT} --token-file ${folder}/tokens --max-p99 1h --json -`);
  whispers = bench(`${whispering.url()} ${QUICK} --clients 6 --rooms 2 --rate 50 --duration 1h --json -`);
  const files = `--json ${folder}/report.json --svg ${folder}/picture.svg`;
  ask = bench(
    `${events.url()}?secret={i} ${COUNTED} --clients 4 --rate 10 --duration 500ms ${ASK} --max-loss 25% ${files}`,
  );
});
afterAll(async () => {
  await Promise.all(processes.map((made) => made.kill()));
  await Promise.all([lossy, events, closed, whispering].map((app) => app.close()));
  await rm(folder, { recursive: true });
});

describe('nestjs-pxl-websocket bench', () => {
  it('counts what an application loses and repeats, over several processes, and ends with 1', async () => {
    const end = await chat.ended;
    const { code, err } = end;
    const report = reportIn(end);
    expect(code).toBe(1);
    // 40 messages, each to three others; what the sender itself gets is no delivery.
    expect(report.messages).toEqual({
      ...{ sent: 40, unsent: 0, expected: 120, received: 108, lost: 12, missed: 0, repeated: 12 },
      ...{ outOfOrder: 0, astray: 0 },
    });
    expect(report.loss).toBeCloseTo(0.1);
    expect(report.failures).toEqual([
      '10 % of what was expected did not come: more than 0 %, which --max-loss allows.',
    ]);
    expect(report.tool.processes).toHaveLength(2);
    expect(report.clients).toMatchObject({ in: 8, wereIn: 8, neverIn: 0, losses: 0 });
    expect(err).toMatch(/^lost +12 lost, 0 missed while away \(10 % together\)$/m);
    expect(err).not.toContain('user-');
  });

  it('measures answers without rooms, in either envelope, with a token by message, and says which were refused', async () => {
    const { code, out, err } = await ask.ended;
    expect(err.match(/^\w+(?=…$)/gm)).toEqual(['starting', 'connecting', 'sending', 'leaving']);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^answer( +[\d.]+ m?s){5}$/m) });
    expect(out).toMatch(/^refused +FORBIDDEN × 5$/m);
    const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as BenchReport;
    expect(report).toMatchObject({
      version: 1,
      url: events.url(),
      measures: 'answers',
      load: { protocol: 'event', clients: 4, rooms: 0, rate: 10, duration: 0.5, send: 'chat:ask', expect: null },
      messages: { sent: 20, expected: 20, received: 15, lost: 5 },
      codes: { failures: {}, closes: {}, errors: { FORBIDDEN: 5 } },
      failures: [],
      interrupted: false,
    });
    const { delivery, fromWrite } = report.latency;
    expect(report.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(15);
    expect(delivery.min).toBeGreaterThan(0);
    expect(delivery.p50).toBeLessThanOrEqual(delivery.p99);
    expect(delivery.p99).toBeLessThanOrEqual(delivery.max);
    expect(fromWrite.max).toBeLessThanOrEqual(delivery.max);
    const picture = await readFile(join(folder, 'picture.svg'), 'utf8');
    expectTags(picture);
    expect(picture).toContain('prefers-color-scheme: dark');
    expect(picture.match(/class="bar"/g)!.length).toBeGreaterThan(0);
  });

  it('whispers by itself, comes back to a server that was restarted, and ends early with its report', async () => {
    await until(() => receivedBy(whispering.app) > 10);
    await whispering.close();
    const second = await createApp({ options: WHISPERING });
    await second.listen(whispering.port, '127.0.0.1');
    const rooms = second.get(RoomManager);
    await until('all are back', () => {
      return ['bench-1', 'bench-2'].every((roomName) => rooms.getRoomClients({ roomName }).length === 3);
    });
    // Each has sent since, so each knows that it is back.
    const before = receivedBy(second);
    await until(() => receivedBy(second) >= before + 12);
    // As `timeout` and npm do, which pass on what the terminal says too.
    for (let time = 0; time < 5; time++) {
      whispers.interrupt();
      await setImmediate();
    }
    const end = await whispers.ended;
    await second.close();
    const report = reportIn(end);
    expect(report).toMatchObject({
      interrupted: true,
      clients: { wereIn: 6, in: 6, neverIn: 0, losses: 6, returns: 6 },
      latency: { away: { count: 6 } },
    });
    const { sent, unsent, expected, received, lost, missed } = report.messages;
    expect(sent).toBeGreaterThan(0);
    expect(unsent + missed).toBeGreaterThan(0);
    expect(expected).toBe(2 * sent);
    expect(received + lost + missed).toBe(expected);
    expect(Object.keys(report.codes.closes)).not.toHaveLength(0);
    expect(end.code).toBe(lost + missed > 0 ? 1 : 0);
  });

  it('writes its files and ends as it should where nobody reads its output', async () => {
    const path = join(folder, 'unread.json');
    const unread = bench(`${closed.url()} --clients 2 --duration 200ms ${QUICK} --json ${path}`);
    unread.hangUp();
    expect(await unread.ended).toEqual({ code: 0, out: '', err: '' });
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ failures: [] });
  });

  it('says before it begins that a file cannot be written', async () => {
    const end = await bench(`${lossy.url()} --svg ${folder}`).ended;
    expect(end).toMatchObject({
      code: 2,
      err: expect.stringContaining(`--svg cannot be written: ${folder} is a folder.`),
    });
  });

  it('knocks at no other host than this machine, unless it is told to', async () => {
    let knocks = 0;
    const server = createServer((socket) => {
      knocks++;
      socket.destroy();
    });
    await once(server.listen(0, '0.0.0.0'), 'listening');
    const { port } = server.address() as AddressInfo;
    const foreign = await bench(`ws://0.0.0.0:${port}/ws`).ended;
    expect(foreign).toMatchObject({ code: 2, out: '', err: expect.stringContaining('--i-own-this-server') });
    expect(knocks).toBe(0);
    const owned = await bench(`ws://0.0.0.0:${port}/ws --i-own-this-server`).ended;
    expect(owned).toMatchObject({ code: 1, err: expect.stringContaining('before all others: ECONNRESET') });
    expect(knocks).toBe(1);
    server.close();
  });

  it('says with each upgrade what it was told to', async () => {
    const server = createHttpServer();
    const upgrade = once(server, 'upgrade') as Promise<[IncomingMessage, Duplex]>;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const said = '--header X-Load:{i} --origin https://app.test --token secret-{i} --token-to protocol';
    const run = bench(`http://localhost:${port}/ws/{i}?name=load-{i} ${said}`);
    const [{ url, headers }, socket] = await upgrade;
    socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    expect(url).toBe('/ws/0?name=load-0');
    expect(headers).toMatchObject({
      ...{ host: `localhost:${port}`, origin: 'https://app.test', 'x-load': '0' },
      'sec-websocket-protocol': 'pxl.v1,bearer.secret-0',
    });
    const { code, out, err } = await run.ended;
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/HTTP 403 .*--origin/);
    expect(err).not.toMatch(/secret|name/);
    server.close();
  });

  it('speaks TLS, to a certificate that nobody knows where it is told to, and has its token in the query', async () => {
    const auth = { authenticate: bearer, tokenFrom: ['query'] as const };
    const imports = [PxlWebSocketModule.forRoot({ auth })];
    const module = await Test.createTestingModule({ imports, providers: [LossyGateway] }).compile();
    const app = module.createNestApplication({ httpsOptions: createCertificate(), logger: false });
    await app.listen(0, '127.0.0.1');
    const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
    const url = `wss://127.0.0.1:${port}/ws`;
    const load = '--clients 2 --rate 10 --duration 200ms --send chat:ask --data {"of":"{i}"}';
    const line = `${url} ${QUICK} ${load} --token user-{i} --token-to query --json -`;
    const [careful, trusting] = await Promise.all([bench(line).ended, bench(`${line} --insecure`).ended]);
    expect(careful).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/DEPTH_ZERO_SELF_SIGNED_CERT.*--insecure/),
    });
    expect(reportIn(trusting)).toMatchObject({ url, messages: { sent: 4, received: 4, lost: 0 }, failures: [] });
    expect(careful.err + trusting.err + trusting.out).not.toContain('user-');
    await app.close();
  });

  it('tries once before all others, and says what the server does not let it do', async () => {
    const [rooms, nobody, port] = await Promise.all([
      bench(`ws://ws.localhost:${closed.port}/ws --rooms 2`).ended,
      bench(`${closed.url()}/nothing`).ended,
      // An address for documentation, which no machine has.
      bench(`ws://localhost:${closed.port}/ws --local-address 203.0.113.1`).ended,
    ]);
    expect(rooms).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/join: FORBIDDEN.*rooms\.open/) });
    expect(port).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/EADDRNOTAVAIL .* some 28,000 for each/),
    });
    expect(nobody).toMatchObject({ code: 1, out: '', err: expect.stringContaining('HTTP 404') });
  });
});

/** How many messages of clients an application has received. */
function receivedBy(app: INestApplication): number {
  const metrics = app.get(WebSocketService).getMetrics();
  return metrics.find(({ name }) => name === 'pxl_ws_messages_received_total')!.value;
}
