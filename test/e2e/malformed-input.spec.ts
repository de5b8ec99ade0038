import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';
import { AnswerCounter } from '../support/answer-counter.js';
import { ChildProgram } from '../support/child-program.js';
import { EVENT, PXL } from '../support/dialect.js';
import { MalformedInput } from '../support/malformed-input.js';
import { SeededRandom } from '../support/seeded-random.js';
import { TestClient, type Received } from '../support/test-client.js';

const isSoak = process.env.PXL_SOAK !== undefined;
/** Another seed tells another story: `PXL_SEED=7 npm run test:soak`. */
const seed = Number(process.env.PXL_SEED ?? 1);
const CASES = isSoak ? 1_000_000 : 20_000;
const CONNECTIONS = 16;
const BATCH = 125;
const MAX_PAYLOAD = 65_536;

interface Report {
  clients: number;
  rooms: number;
  uncaught: string[];
}

let server: ChildProgram;
let origin: string;
let url: string;
let witness: TestClient;

beforeAll(async () => {
  server = new ChildProgram('malformed-input-server');
  const { port } = await server.next<{ port: number }>();
  origin = `ws://127.0.0.1:${port}`;
  url = `${origin}/ws`;
  witness = await TestClient.connect(url);
});

afterAll(async () => {
  server.signal('SIGTERM');
  await server.exited;
});

/** What the server says of itself once only the witness is connected. */
async function report(): Promise<Report> {
  for (;;) {
    const told = (await witness.request('test', 'report')) as Report;
    if (told.clients === 1) return told;
  }
}

describe('malformed input', () => {
  it.each([
    ['pxl.v1', PXL],
    ['event.v1', EVENT],
  ])(
    `gets an answer for each of ${CASES} random messages, and leaves nothing behind (%s)`,
    async (_codec, dialect) => {
      const input = new MalformedInput(new SeededRandom(seed), dialect);
      const address = `${origin}${dialect.path}`;
      let left = CASES;
      while (left > 0) {
        const opened = Array.from({ length: CONNECTIONS }, () => AnswerCounter.open(address, dialect));
        const connections = await Promise.all(opened);
        for (let round = 0; round < 10 && left > 0; round++) {
          const batches = connections.map(() => Array.from({ length: BATCH }, () => input.next()));
          await Promise.all(connections.map((connection, at) => connection.send(batches[at]!)));
          left -= CONNECTIONS * BATCH;
        }
        await Promise.all(connections.map((connection) => connection.close()));
      }
      expect(await report()).toEqual({ clients: 1, rooms: 1, uncaught: [] });
    },
    isSoak ? 1_800_000 : 60_000,
  );

  it.each([
    ['a message over limits.maxPayload', 'x'.repeat(MAX_PAYLOAD + 1), 1009],
    ['a text that is no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 1007],
  ])('closes with a documented code for %s', async (_, data, code) => {
    for (let count = 0; count < 50; count++) {
      const socket = new WebSocket(url);
      await once(socket, 'open');
      socket.send(data, { binary: false });
      const [closedWith] = (await once(socket, 'close')) as [number];
      expect(closedWith).toBe(code);
    }
    expect(await report()).toEqual({ clients: 1, rooms: 1, uncaught: [] });
  });

  it('reads a message of exactly limits.maxPayload, and one that is nested as deep as that allows', async () => {
    const answerTo = async (action: string, data: string): Promise<Received> => {
      witness.send(`{"type":"test","action":"${action}","id":"most","data":${data}}`);
      return witness.take(({ id }) => id === 'most');
    };
    const room = MAX_PAYLOAD - '{"type":"test","action":"echo","id":"most","data":}'.length;
    const text = 'x'.repeat(room - 2);
    expect((await answerTo('echo', `"${text}"`)).response === text).toBe(true);

    const deep = '['.repeat(room >> 1) + ']'.repeat(room >> 1);
    expect(await answerTo('slow', deep)).toMatchObject({ response: 'slow' });
    // Node reads JSON of any depth and does not write it.
    expect(await answerTo('echo', deep)).toMatchObject({ type: 'error', data: { code: 'BAD_MESSAGE' } });
    expect(await report()).toEqual({ clients: 1, rooms: 1, uncaught: [] });
  });

  it('would be found out if it made the server leak a rejection or an exception (control)', async () => {
    await witness.request('test', 'leak');
    expect((await report()).uncaught.sort()).toEqual([
      'exception: a leaked exception',
      'rejection: a leaked rejection',
    ]);
  });
});
