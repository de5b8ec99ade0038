import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import {
  defineWebSocketSubscriber,
  forwardQueueEvents,
  withFilter,
  WebSocketQueueEvents,
  WebSocketRedisSubscriberEvent,
  WsSubscriber,
  type WebSocketSubscriberHandlerContext,
} from 'nestjs-pxl-websocket';
import { game, queueDashboard, statusChanges } from '../pxl-subscribers.js';
import { additions } from '../worker-additions.js';

/** What the handlers of this worker did, as `<handler> <channel> <message>`; tests read it as the provider `DIARY`. */
const diary: string[] = [];

/** A handler that writes down what it got. */
function writes(name: string) {
  return ({ channel, message }: WebSocketSubscriberHandlerContext): void => {
    diary.push(`${name} ${channel} ${JSON.stringify(message)}`);
  };
}

/** What shows the dashboard's news to clients. */
const dashboardNews = defineWebSocketSubscriber<{ type: string; action: string }>({
  channel: WebSocketRedisSubscriberEvent.Custom,
  handle: withFilter(
    ({ message }) => message.type === 'queue',
    ({ message, webSocketServer }) => webSocketServer.broadcastToAllClients({ data: message }),
  ),
});

/** Puts everybody that it knows into a room. */
async function invite(name: string, { message, webSocketServer }: WebSocketSubscriberHandlerContext): Promise<void> {
  const clients = webSocketServer.clientManager.getClients();
  const joins = clients.map(({ clientId }) => webSocketServer.joinRoom({ clientId, roomName: String(message) }));
  const hasJoined = await Promise.all(joins);
  diary.push(`${name} ${String(message)}: ${hasJoined.filter(Boolean).length} of ${clients.length}`);
}

@Injectable()
class Mailer {
  @WsSubscriber({ channel: 'signup', run: 'oneWorker' })
  mail(context: WebSocketSubscriberHandlerContext): void {
    writes('Mailer.mail')(context);
  }
}

additions.providers.push(
  { provide: 'DIARY', useValue: diary },
  Mailer,
  WebSocketQueueEvents.forQueue('video'),
  WebSocketQueueEvents.forQueue('mail'),
);
additions.subscribers.push(
  { name: 'last', channel: 'order', priority: -1, handle: writes('last') },
  { name: 'hanging', channel: 'order', priority: 1, handle: () => new Promise(() => {}) },
  {
    name: 'failing',
    channel: 'order',
    priority: 2,
    handle() {
      throw new Error('no ink');
    },
  },
  {
    name: 'first',
    channel: 'order',
    priority: 3,
    async handle(context) {
      await new Promise((resolve) => setImmediate(resolve));
      writes('first')(context);
    },
  },
  { channel: 'stock', handle: writes('stock') },
  { channels: Object.values(WebSocketRedisSubscriberEvent), priority: 100, handle: writes('library') },
  { channels: ['queueJobCompleted', 'queueJobError'], run: 'oneWorker', handle: writes('job') },
  { channel: 'invite', handle: (context) => invite('each invites into', context) },
  { channel: 'invite', run: 'oneWorker', priority: -1, handle: (context) => invite('one invites into', context) },
  statusChanges,
  queueDashboard,
  dashboardNews,
  game,
  forwardQueueEvents({ queue: 'video' }),
);

await import('./cluster-worker.js');
