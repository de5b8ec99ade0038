import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import type { WebSocketHealth } from 'nestjs-pxl-websocket';
import { WebSocket } from 'ws';
import { webCryptoEncryption } from '../../../lib/client/encryption/index.js';
import { WebSocketClient } from '../../../lib/client/index.js';
import { createCertificate } from '../certificate.js';
import { RawClient } from '../raw-client.js';
import type { TestClient } from '../test-client.js';
import { untilAnswered, type Check } from './suite-place.js';
import type { SuiteProcess, SuiteSettings } from './suite-process.js';

const TEXT = 1;
const KB = 1_024;
const MB = 1_024 * KB;
/** More than the kernel's buffers take, and less than eight budgets. */
const FLOOD = { count: 1_200, bytes: 10 * KB };
/** Messages of it that are less than the strict budget. */
const PART = 20;

const PATIENT: SuiteSettings = {
  options: { limits: { maxBufferedBytes: 2 * MB, slowConsumerGrace: 20_000 } },
};
/** Without a quick heartbeat, which would end who does not read before the budget does. */
const STRICT: SuiteSettings = {
  options: { limits: { maxBufferedBytes: 256 * KB, slowConsumerGrace: 400 } },
};
const QUICK_HEARTBEAT: SuiteSettings = {
  options: { heartbeat: { interval: 400, timeout: 400 } },
};

/** What a slow link carries in a tenth of a second, bytes, and whole messages of it; how often; what comes before, and with each. */
const SIP = 320 * KB;
const SIPPED = 31;
const SIPS = 28;
const FIRST = 560;
const EACH = 76;

/** A client that may stop reading. */
interface Reader {
  readonly socket: { pause(): void; resume(): void };
  /** The number of its next message. */
  next(): Promise<number>;
}

function readerOf(client: TestClient): Reader {
  const next = async (): Promise<number> => ((await client.next('flood')).data as { n: number }).n;
  return { socket: client.socket, next };
}

async function watcherSees(watcher: TestClient, fits: (health: WebSocketHealth) => boolean): Promise<void> {
  await untilAnswered(watcher, 'health', null, fits);
}

/** A member that does not read while others go on, then reads: it has missed nothing. */
async function missesNothing(server: SuiteProcess, room: string, reader: Reader): Promise<void> {
  const watcher = await server.client();
  reader.socket.pause();
  const flood = watcher.request('suite', 'flood', { room, ...FLOOD });
  await watcherSees(watcher, ({ slowConsumers }) => slowConsumers.now > 0);
  await flood;
  reader.socket.resume();
  for (let n = 0; n < FLOOD.count; n++) assert.equal(await reader.next(), n);
  await watcherSees(watcher, ({ slowConsumers }) => slowConsumers.now === 0);
}

/** Clients that read slowly or not at all, and the heartbeat. */
export const SLOW_CHECKS: Record<string, Check> = {
  async 'who stops reading and goes on gets everything'(place) {
    const server = await place.shared(PATIENT);
    const client = await server.client();
    await client.join('slow');
    await missesNothing(server, 'slow', readerOf(client));
    assert.equal(await client.request('suite', 'echo', 'well'), 'well');
  },

  async 'the same with TLS'(place) {
    const server = await place.start({ ...PATIENT, tls: createCertificate() });
    const client = await server.client();
    await client.join('tls');
    await missesNothing(server, 'tls', readerOf(client));
  },

  async 'the same with its frames encrypted'(place) {
    const server = await place.shared(PATIENT);
    let socket: WebSocket | undefined;
    class Watched extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols, { perMessageDeflate: false });
        // eslint-disable-next-line @typescript-eslint/no-this-alias -- the client makes it, and shows it nobody
        socket = this;
      }
    }
    const client = new WebSocketClient({ url: server.url(), webSocket: Watched, encryption: webCryptoEncryption() });
    try {
      await client.connect();
      await client.join('secret');
      const numbers: number[] = [];
      let wake = (): void => undefined;
      client.on('flood', 'message', (data) => {
        numbers.push((data as { n: number }).n);
        wake();
      });
      const next = async (): Promise<number> => {
        while (numbers.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        return numbers.shift()!;
      };
      await missesNothing(server, 'secret', { socket: socket!, next });
    } finally {
      client.destroy();
    }
  },

  async 'the same with its messages compressed'(place) {
    const server = await place.shared(PATIENT);
    const client = await server.client('/ws', { perMessageDeflate: true });
    assert.match(client.socket.extensions, /permessage-deflate/);
    await client.join('deflated');
    await missesNothing(server, 'deflated', readerOf(client));
  },

  async 'who never reads again is closed with 4008, and the others get everything'(place) {
    const server = await place.shared(STRICT);
    const [stuck, healthy, watcher] = await Promise.all([server.client(), server.client(), server.client()]);
    for (const client of [stuck, healthy]) await client.join('stuck');
    stuck.socket.pause();
    // Who has read each part before the next one comes is no slow reader, however busy the machine is.
    for (let sent = 0; sent < FLOOD.count; sent += PART) {
      const flood = watcher.request('suite', 'flood', { room: 'stuck', ...FLOOD, count: PART });
      for (let n = 0; n < PART; n++) assert.equal(await readerOf(healthy).next(), n);
      await flood;
    }
    await watcherSees(watcher, ({ slowConsumers, activeConnections }) => {
      return slowConsumers.disconnected === 1 && slowConsumers.now === 0 && activeConnections === 2;
    });
    stuck.socket.resume();
    // Behind what it had not read stands the close frame, unless it was cut before.
    assert.ok([1006, 4008].includes((await stuck.closed).code));
  },

  async 'who reads slowly, but steadily, is no offender, though more comes than it reads'(place) {
    const server = await place.shared({
      options: { limits: { maxBufferedBytes: 2 * MB, slowConsumerGrace: 1_500 } },
    });
    const [slow, watcher] = await Promise.all([RawClient.open(server.port), server.client()]);
    const joined = slow.frame();
    slow.writeFrame({
      payload: JSON.stringify({ type: 'system', action: 'joinRoom', data: { roomName: 'steady' }, id: 1 }),
    });
    await joined;
    slow.pause();
    await watcher.request('suite', 'flood', { room: 'steady', count: FIRST, bytes: 10 * KB });
    const take = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n++) assert.equal((await slow.frame()).opcode, TEXT, 'It was closed.');
    };
    for (let n = 0; n < SIPS; n++) {
      await watcher.request('suite', 'flood', { room: 'steady', count: EACH, bytes: 10 * KB });
      await slow.read(SIP);
      await take(SIPPED);
      await wait(100);
    }
    slow.socket.resume();
    await take(FIRST + SIPS * (EACH - SIPPED));
    await watcherSees(watcher, ({ slowConsumers: { now, disconnected } }) => now === 0 && disconnected === 0);
    slow.reset();
  },

  async 'the heartbeat keeps who answers, and ends who does not'(place) {
    const server = await place.shared(QUICK_HEARTBEAT);
    const [silent, healthy] = await Promise.all([server.client('/ws', { autoPong: false }), server.client()]);
    let pings = 0;
    const heard = new Promise<void>((resolve) => healthy.socket.on('ping', () => ++pings === 4 && resolve()));
    assert.ok([1006, 4002].includes((await silent.closed).code));
    await heard;
    assert.equal(await healthy.request('suite', 'echo', 1), 1);
  },
};
