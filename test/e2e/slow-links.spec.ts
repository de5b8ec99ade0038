import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ClientManager,
  PxlWebSocketModule,
  WebSocketService,
  type PxlWebSocketModuleOptions,
} from 'nestjs-pxl-websocket';
import { sessionOf } from '../../lib/clients/session/client-outbox.interface.js';
import type { ClientSession } from '../../lib/clients/session/client-session.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { createCertificate, type Certificate } from '../support/certificate.js';
import { ManualRuntime } from '../support/manual-runtime.js';
import { RawClient } from '../support/raw-client.js';
import { until } from '../support/until.js';

const KB = 1_024;
const INTERVAL = 15_000;
const TIMEOUT = 10_000;
const GRACE = 5_000;
const PING = 9;
const PONG = 10;

/** More than a Unix socket takes in one go: its buffers are small and do not grow, as those of a slow link. */
const STEP = 240 * KB;

describe.each(['without TLS', 'with TLS'])('A client that reads slowly, %s', (how) => {
  let certificate: Certificate | undefined;
  let folder: string;
  let app: INestApplication;
  let clock: ManualRuntime;
  let reader: RawClient;
  let client: ClientSession;

  beforeAll(() => {
    if (how === 'with TLS') certificate = createCertificate();
  });

  async function start(options: PxlWebSocketModuleOptions): Promise<void> {
    folder = mkdtempSync(join(tmpdir(), 'pxl-slow-'));
    clock = new ManualRuntime();
    const module = await Test.createTestingModule({ imports: [PxlWebSocketModule.forRoot(options)] })
      .overrideProvider(Runtime)
      .useValue(clock)
      .compile();
    app = module.createNestApplication({ logger: false, httpsOptions: certificate });
    const path = join(folder, 'socket');
    await app.listen(path);
    reader = await RawClient.open(path, '/ws', certificate?.cert);
    reader.pause();
    client = sessionOf(app.get(ClientManager).getClients()[0]!.ws)!;
  }

  afterEach(async () => {
    reader.reset();
    await app.close();
    rmSync(folder, { recursive: true });
  });

  /** Has so much wait for the client, less what the system takes at once. */
  async function queue(bytes: number): Promise<void> {
    for (let n = 0; n < bytes / KB; n++) {
      client.send({ type: 'n', action: 'n', data: 'x'.repeat(KB) });
      if (n % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => client.ws.bufferedAmount > bytes / 2);
  }

  /** Reads a part of it; the server writes on. */
  async function readOn(): Promise<void> {
    const before = client.sentBytes;
    await reader.read(STEP);
    await until('something has left', () => client.sentBytes > before);
  }

  async function readUntil(opcode: number): Promise<void> {
    reader.socket.resume();
    while ((await reader.frame()).opcode !== opcode);
  }

  function slowConsumers(): { disconnected: number; now: number } {
    return app.get(WebSocketService).getWebSocketHealth().slowConsumers;
  }

  it('has the time for its pong from when the ping has left', async () => {
    await start({ heartbeat: { interval: INTERVAL, timeout: TIMEOUT } });
    await queue(900 * KB);
    await clock.advance(INTERVAL);
    await readOn();
    await clock.advance(TIMEOUT);
    expect(client.readyState).toBe(1);
    const left = client.sentBytes;
    await readUntil(PING);
    expect(client.sentBytes).toBeGreaterThan(left);
    await clock.advance(TIMEOUT - 1);
    expect(client.readyState).toBe(1);

    const heard = once(client.ws, 'pong');
    reader.writeFrame({ opcode: PONG });
    await heard;
    await clock.advance(TIMEOUT);
    expect(client.readyState).toBe(1);
  });

  it('and answers no ping is closed once that time is over', async () => {
    await start({ heartbeat: { interval: INTERVAL, timeout: TIMEOUT } });
    await queue(900 * KB);
    await clock.advance(INTERVAL);
    await readUntil(PING);
    await clock.advance(TIMEOUT - 1);
    expect(client.readyState).toBe(1);
    await clock.advance(1);
    expect(await reader.closeCode()).toBe(4002);
  });

  it('and stops reading with a ping before it is closed in time', async () => {
    await start({ heartbeat: { interval: INTERVAL, timeout: TIMEOUT } });
    await queue(900 * KB);
    await readOn();
    await clock.advance(INTERVAL + TIMEOUT);
    expect(client.readyState).not.toBe(1);
  });

  it('keeps its connection over its budget, until it takes nothing for the whole grace', async () => {
    await start({ limits: { maxBufferedBytes: 96 * KB, slowConsumerGrace: GRACE }, heartbeat: false });
    await queue(900 * KB);
    for (let times = 0; times < 2; times++) {
      await clock.advance(GRACE - 1_000);
      await readOn();
    }
    await clock.advance(GRACE - 1_000);
    expect(slowConsumers()).toMatchObject({ now: 1, disconnected: 0 });
    await clock.advance(2_000);
    expect(slowConsumers()).toMatchObject({ now: 0, disconnected: 1 });
  });

  it('is back under its budget as soon as little enough is left, not with the last byte', async () => {
    await start({ limits: { maxBufferedBytes: 288 * KB, slowConsumerGrace: GRACE }, heartbeat: false });
    await queue(600 * KB);
    expect(slowConsumers().now).toBe(1);
    await readOn();
    await clock.advance(500);
    expect(slowConsumers().now).toBe(0);
    expect(client.ws.bufferedAmount).toBeGreaterThan(288 * KB); // so says Node
    client.sendText('one more');
    await clock.advance(1);
    expect(slowConsumers().now).toBe(0);
  });

  it('gets everything that was sent before a close', async () => {
    await start({ heartbeat: false });
    await queue(900 * KB);
    client.close(4100, 'enough');
    for (let times = 0; times < 2; times++) {
      await clock.advance(29_000);
      await readOn();
    }
    reader.socket.resume();
    expect(await reader.closeCode()).toBe(4100);
    reader.end();
  });

  it('and reads no more after a close is cut 30 s later', async () => {
    await start({ heartbeat: false });
    await queue(900 * KB);
    await readOn();
    const closed = once(client.ws, 'close');
    client.close(4100, 'enough');
    await clock.advance(29_999);
    expect(client.readyState).toBe(2);
    await clock.advance(1);
    await closed;
  });
});
