import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  defineWebSocketSubscriber,
  matchByProperty,
  PxlWebSocketServer,
  type WebSocketSubscriberDefinition,
} from 'nestjs-pxl-websocket';
import { PXL_WS_BROADCASTER } from '../../lib/cluster/bus/broadcaster.interface.js';
import { ClusterEvents } from '../../lib/cluster/events/cluster-events.js';
import { WsLocalBroadcaster } from '../../lib/cluster/bus/local.broadcaster.js';
import { Diary } from '../support/diary.js';
import { queueDashboard, statusChanges } from '../support/pxl-subscribers.js';
import { startApp, type TestApp } from '../support/test-app.js';
import type { TestClient } from '../support/test-client.js';

/** A bus that counts what it would carry to other workers. */
class CountingBroadcaster extends WsLocalBroadcaster {
  override readonly isAlone = false;
  published = 0;

  override publish(): Promise<void> {
    this.published++;
    return Promise.resolve();
  }
}

/** What shows the dashboard's news to clients. */
const dashboardNews = defineWebSocketSubscriber({
  match: matchByProperty('type', 'queue'),
  handle: ({ message, webSocketServer }) => webSocketServer.sendMessageToAll({ data: message }),
});

const job = { queue: 'mail', jobId: '1', name: 'send', data: { to: 'ada' }, returnValue: 'sent' };
const shown = { type: 'queue', action: 'done', data: job };

const WORKERS = ['one', 'two', 'three'];

let diary: Diary;
let apps: TestApp[];
let clients: TestClient[];
let buses: CountingBroadcaster[];

async function start(subscribersOf: (worker: string) => WebSocketSubscriberDefinition[]): Promise<void> {
  for (const worker of WORKERS) {
    const bus = new CountingBroadcaster();
    const app = await startApp({
      options: { subscribers: subscribersOf(worker) },
      override: (builder) => builder.overrideProvider(PXL_WS_BROADCASTER).useValue(bus),
    });
    apps.push(app);
    buses.push(bus);
    clients.push(await app.client());
  }
}

/** The event reaches every worker, and arose on the first. */
function happen(channel: string, message: unknown): void {
  for (const [at, { app }] of apps.entries()) {
    app.get(ClusterEvents).tell({ channel, message: structuredClone(message), isResponsible: at === 0 });
  }
}

/** What each client has got, once everything sent to it so far has arrived. */
async function received(): Promise<unknown[][]> {
  const all: unknown[][] = [];
  for (const client of clients) {
    await client.request('system', 'ping');
    all.push([...client.pending]);
  }
  return all;
}

beforeEach(() => {
  diary = new Diary();
  apps = [];
  clients = [];
  buses = [];
});

afterEach(async () => {
  for (const app of apps) await app.close();
});

const end = (worker: string): WebSocketSubscriberDefinition => ({
  channel: '*',
  priority: -1,
  handle: ({ channel }) => diary.write(`${worker} ${channel}`),
});

async function everywhere(channel: string): Promise<void> {
  for (const worker of WORKERS) await diary.until(`${worker} ${channel}`);
}

describe('On three workers', () => {
  it('an everyWorker subscriber that broadcasts reaches each client once', async () => {
    await start((worker) => [statusChanges, end(worker)]);
    happen('custom', { type: 'custom', action: 'userStatusChanged', userId: 123, status: 'online' });
    happen('custom', { type: 'custom', action: 'somethingElse' });
    await everywhere('custom');
    const update = { type: 'status', action: 'update', data: { userId: 123, status: 'online' } };
    expect(await received()).toEqual([[update], [update], [update]]);
    expect(buses.map(({ published }) => published)).toEqual([0, 0, 0]);
  });

  it('one that forwards an event to others as a custom one reaches each client once', async () => {
    await start((worker) => [queueDashboard, dashboardNews, end(worker)]);
    happen('queueJobCompleted', job);
    await everywhere('custom');
    expect(await received()).toEqual([[shown], [shown], [shown]]);
    expect(buses.map(({ published }) => published)).toEqual([0, 0, 0]);
  });

  it('a oneWorker subscriber runs once, where the event arose, and reaches the cluster', async () => {
    await start((worker) => [
      {
        channel: 'queueJobCompleted',
        run: 'oneWorker',
        handle({ webSocketServer }) {
          diary.write(`${worker} mails`);
          webSocketServer.broadcastToAllClients({ data: shown });
        },
      },
      end(worker),
    ]);
    happen('queueJobCompleted', job);
    await everywhere('queueJobCompleted');
    expect(diary.entries.filter((entry) => entry.endsWith('mails'))).toEqual(['one mails']);
    expect(buses.map(({ published }) => published)).toEqual([1, 0, 0]);
  });

  it('a side effect of what an everyWorker subscriber forwards happens once', async () => {
    await start((worker) => [
      queueDashboard,
      { channel: 'custom', run: 'oneWorker', handle: () => diary.write(`${worker} writes a row`) },
      end(worker),
    ]);
    happen('queueJobCompleted', job);
    await everywhere('custom');
    expect(diary.entries.filter((entry) => entry.endsWith('row'))).toEqual(['one writes a row']);
  });

  it('what a worker tells its own subscribers is its own to act on', async () => {
    await start((worker) => [{ channel: 'custom', run: 'oneWorker', handle: () => diary.write(`${worker} acts`) }]);
    apps[2]!.app.get(PxlWebSocketServer).local.sendCustomMessage({ data: 1 });
    await diary.until('three acts');
    expect(diary.entries).toEqual(['three acts']);
  });

  it('each hears of its own clients, which are its own to act on', async () => {
    await start((worker) => [
      { channel: 'clientConnected', run: 'oneWorker', handle: () => diary.write(`${worker} welcomes`) },
    ]);
    for (const worker of WORKERS) await diary.until(`${worker} welcomes`);
    expect(diary.entries).toHaveLength(3);
  });
});

describe('Channels', () => {
  /** Writes down what a worker asks to hear. */
  class AskingEvents extends ClusterEvents {
    readonly asked: string[] = [];

    override acquire(channel: string): undefined {
      this.asked.push(channel);
    }

    override acquireAll(): undefined {
      this.asked.push('all');
    }
  }
  const handle = (): void => undefined;

  const cases: [string, WebSocketSubscriberDefinition[], string[]][] = [
    ['none without subscribers', [], []],
    ['none for the events of clients and users', [{ channels: ['clientConnected', 'userConnected'], handle }], []],
    [
      'those of verbs and queues',
      [{ channels: ['clientLeftRoom', 'custom', 'queueJobError'], handle }],
      ['custom', 'queueJobError'],
    ],
    [
      "an application's own, once each",
      [
        { channel: 'a', handle },
        { match: ['a', 'b'], handle },
      ],
      ['a', 'b'],
    ],
    [
      'all for a RegExp',
      [
        { channel: 'a', handle },
        { match: /^b/, handle },
      ],
      ['all'],
    ],
    ['all for a predicate', [{ match: () => true, handle }], ['all']],
    ['all for *', [{ channel: '*', handle }], ['all']],
    ['one for all of it and a predicate', [{ match: { all: ['a', () => true] }, handle }], ['a']],
  ];

  it.each(cases)('are asked for where a handler needs them: %s', async (_what, subscribers, asked) => {
    const app = await startApp({
      options: { subscribers },
      override: (builder) => builder.overrideProvider(ClusterEvents).useClass(AskingEvents),
    });
    apps.push(app);
    expect(app.app.get<AskingEvents>(ClusterEvents).asked).toEqual(asked);
  });
});
