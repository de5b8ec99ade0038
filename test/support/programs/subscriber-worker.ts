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
import { additions } from '../worker-additions.js';

/** What the handlers of this worker did, as `<handler> <channel> <message>`; tests read it as the provider `DIARY`. */
const diary: string[] = [];

/** A handler that writes down what it got. */
function writes(name: string) {
  return ({ channel, message }: WebSocketSubscriberHandlerContext): void => {
    diary.push(`${name} ${channel} ${JSON.stringify(message)}`);
  };
}

interface StatusChange {
  type: string;
  action: string;
  userId: number;
  status: string;
}

/** PXL's example "Custom Cross-Worker Messages". */
const statusChanges = defineWebSocketSubscriber<StatusChange>({
  channel: WebSocketRedisSubscriberEvent.Custom,
  handle({ message, webSocketServer }) {
    if (message.type === 'custom' && message.action === 'userStatusChanged') {
      const { userId, status } = message;
      webSocketServer.sendMessageToAll({ data: { type: 'status', action: 'update', data: { userId, status } } });
    }
  },
});

/** PXL's example "queueDashboard". */
const queueDashboard = defineWebSocketSubscriber({
  name: 'queueDashboard',
  description: 'Forward queue updates to the live dashboard',
  channels: [WebSocketRedisSubscriberEvent.QueueJobCompleted, WebSocketRedisSubscriberEvent.QueueJobError],
  priority: 20,
  handle({ channel, message, webSocketServer }) {
    const isDone = channel === WebSocketRedisSubscriberEvent.QueueJobCompleted;
    webSocketServer.sendCustomMessage({
      data: { type: 'queue', action: isDone ? 'done' : 'errored', data: message },
    });
  },
});

/** What shows the dashboard's news to clients. */
const dashboardNews = defineWebSocketSubscriber<{ type: string; action: string }>({
  channel: WebSocketRedisSubscriberEvent.Custom,
  handle: withFilter(
    ({ message }) => message.type === 'queue',
    ({ message, webSocketServer }) => webSocketServer.broadcastToAllClients({ data: message }),
  ),
});

/** Tells the members of a room as a controller of PXL's reference does. */
const moves = defineWebSocketSubscriber<{ roomName: string; move: string }>({
  channel: 'move',
  handle({ message, webSocketServer }) {
    webSocketServer.rooms.get(message.roomName)?.forEach((clientId) => {
      const client = webSocketServer.clientManager.getClient({ clientId });
      if (client?.ws) {
        const { move } = message;
        webSocketServer.sendClientMessage(client.ws, { type: 'game', action: 'moveMade', data: { move } });
      }
    });
  },
});

/** Puts everybody that it knows into a room. */
async function invite(name: string, { message, webSocketServer }: WebSocketSubscriberHandlerContext): Promise<void> {
  const clients = webSocketServer.clientManager.getClients();
  const joins = clients.map(({ clientId }) => webSocketServer.joinRoom({ clientId, roomName: String(message) }));
  const hasJoined = await Promise.all(joins);
  diary.push(`${name} ${String(message)} ${hasJoined.length}`);
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
  moves,
  forwardQueueEvents({ queue: 'video' }),
);

await import('./cluster-worker.js');
