import { describe, expect, it } from '@jest/globals';
import {
  ClientManager,
  forwardQueueEvents,
  PxlWebSocketServer,
  WebSocketService,
  type ForwardQueueEventsOptions,
} from 'nestjs-pxl-websocket';
import { Diary } from '../support/diary.js';
import { Logbook } from '../support/logbook.js';
import { startsOneApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';
import { connectAs, urlIdentity } from '../support/url-identity.js';

const startApp = startsOneApp();
const job = { queue: 'video', jobId: '1', name: 'cut' };
const completed = { type: 'queue', action: 'jobCompleted', data: { ...job, returnValue: '3 s' } };

let app: TestApp;
let ada: TestClient;
let bob: TestClient;
let logger: Logbook;
let diary: Diary;

/** Ada is in the room tea; Bob is a user only. */
async function start(options?: ForwardQueueEventsOptions<{ owner: string }>): Promise<void> {
  logger = new Logbook();
  diary = new Diary();
  const handled = { match: /^queueJob/, priority: -1, handle: () => diary.write(`${diary.entries.length}`) };
  app = await startApp({
    logger,
    options: { auth: { authenticate: urlIdentity }, subscribers: [forwardQueueEvents(options), handled] },
  });
  ada = await connectAs(app, { userId: 'ada' });
  bob = await connectAs(app, { userId: '8' });
  await app.app.get(PxlWebSocketServer).joinRoom({ clientId: ada.clientId, roomName: 'tea' });
}

/** A job ends, or reports; resolves once that was handled. */
async function end(message: object): Promise<void> {
  const ending = 'failedReason' in message ? 'queueJobError' : 'queueJobCompleted';
  const channel = 'progress' in message ? 'queueJobProgress' : ending;
  const before = diary.entries.length;
  await app.app.get(WebSocketService).publish(channel, message);
  await diary.until(`${before}`);
}

/** What the clients were told. */
async function told(): Promise<[ada: unknown[], bob: unknown[]]> {
  for (const client of [ada, bob]) await client.request('system', 'ping');
  return [[...ada.pending], [...bob.pending]];
}

describe('forwardQueueEvents tells', () => {
  it.each<[string, object, unknown[], unknown[]]>([
    ['the user that the job names', { userId: 'ada' }, [completed], []],
    ['a user with a number as its id', { userId: 8 }, [], [completed]],
    ['the room that the job names', { room: 'tea' }, [completed], []],
    ['the user, where the job names a room too', { userId: '8', room: 'tea' }, [], [completed]],
    ['nobody, where the job names neither', { length: 3 }, [], []],
    ['nobody, where the names are none', { userId: { $ne: null }, room: 7 }, [], []],
  ])('%s', async (_whom, data, toAda, toBob) => {
    await start();
    await end({ ...job, data, returnValue: '3 s' });
    expect(await told()).toEqual([toAda, toBob]);
  });

  it('nobody of a job that its queue has forgotten', async () => {
    await start();
    await end({ queue: 'video', jobId: '1', returnValue: '3 s' });
    expect(await told()).toEqual([[], []]);
    expect(logger.of('error')).toEqual([]);
  });

  it('that a job has failed, but not why', async () => {
    await start();
    await end({ ...job, data: { userId: 'ada' }, failedReason: 'connect ECONNREFUSED 10.0.0.7:5432' });
    expect(await told()).toEqual([[{ type: 'queue', action: 'jobError', data: job }], []]);
  });

  it('of one queue, where it is named', async () => {
    await start({ queue: 'video' });
    await end({ ...job, queue: 'mail', data: { userId: 'ada' }, returnValue: '3 s' });
    await end({ ...job, data: { userId: 'ada' }, returnValue: '3 s' });
    expect(await told()).toEqual([[completed], []]);
  });

  it('whom `to` says, a client too, and nobody for null', async () => {
    await start({
      to({ data }) {
        if (data?.owner === 'null') return null;
        if (data?.owner === 'room') return { room: 'tea' };
        const [client] = app.app.get(ClientManager).getClientsByUser({ userId: data?.owner ?? '' });
        return Promise.resolve(client ? { client: client.clientId } : { user: 'ada' });
      },
    });
    await end({ ...job, data: { owner: '8' }, returnValue: 'to a client' });
    await end({ ...job, data: { owner: 'null' }, returnValue: 'to nobody' });
    await end({ ...job, data: { owner: 'room' }, returnValue: 'to a room' });
    await end({ ...job, data: { owner: 'nobody' }, returnValue: 'to a user' });
    const [toAda, toBob] = await told();
    const results = (messages: unknown[]): unknown[] =>
      messages.map((message) => (message as typeof completed).data.returnValue);
    expect([results(toAda), results(toBob)]).toEqual([['to a room', 'to a user'], ['to a client']]);
  });

  it('what `message` says', async () => {
    await start({
      message: (end) => ({ event: 'failedReason' in end ? `failed:${end.failedReason}` : 'done', data: end }),
    });
    await end({ ...job, data: { userId: 'ada' }, failedReason: 'no ink' });
    const [[message]] = await told();
    expect(message).toEqual({
      type: 'failed',
      action: 'no ink',
      data: { ...job, data: { userId: 'ada' }, failedReason: 'no ink' },
    });
  });

  it('how far a job is, where it is asked for, to whom it tells of its end', async () => {
    const report = { ...job, progress: { done: 3, of: 7 } };
    await start();
    await end({ ...report, data: { userId: 'ada' } });
    expect(await told()).toEqual([[], []]);
    await app.close();
    await start({ progress: true });
    await end({ ...report, data: { userId: 'ada' } });
    await end({ ...report, data: { room: 'tea' } });
    await end({ ...report, data: { owner: 'ada' } });
    const message = { type: 'queue', action: 'jobProgress', data: report };
    expect(await told()).toEqual([[message, message], []]);
  });

  it('to a client by its id, and in the words of `message`', async () => {
    await start({
      progress: true,
      to: () => ({ client: bob.clientId }),
      message: (news) => ({ event: 'bar', data: 'progress' in news ? news.progress : null }),
    });
    await end({ ...job, progress: 40, data: { owner: '8' } });
    expect(await told()).toEqual([[], [expect.objectContaining({ data: 40 })]]);
  });

  it('nobody where `to` fails, which is logged with the name of the queue', async () => {
    await start({
      queue: 'video',
      to() {
        throw new Error('no database');
      },
    });
    await end({ ...job, data: { userId: 'ada' }, returnValue: 1 });
    expect(await told()).toEqual([[], []]);
    expect(logger.of('error')[0]).toBe(
      'The subscriber forwardQueueEvents(video) (Tells clients how their jobs end) failed on channel ' +
        '"queueJobCompleted". no database',
    );
  });
});

it.each([
  [{ queue: 7 }, 'The option forwardQueueEvents.queue is the name of a queue, not 7.'],
  [{ to: 'ada' }, 'The option forwardQueueEvents.to is a function, not a text.'],
  [{ progress: 250 }, 'The option forwardQueueEvents.progress is true or false, not 250.'],
  [{ message: {} }, 'The option forwardQueueEvents.message is a function, not an object.'],
  [
    { queues: [] },
    'There is no option forwardQueueEvents.queues; did you mean queue? There are queue, to, message, progress.',
  ],
])('forwardQueueEvents(%j) is refused', (options, sentence) => {
  expect(() => forwardQueueEvents(options as ForwardQueueEventsOptions)).toThrow(sentence);
});
