import { isConflateKey } from '../clients/conflate.js';
import { ownProperty } from '../clients/client-fields.js';
import type { WebSocketSubscriberDefinition } from '../subscribers/subscriber.interface.js';
import { OptionChecks } from '../options/checks/option-checks.js';
import { WebSocketRedisSubscriberEvent, type ClusterEventMessages } from '../protocol/cluster-events.js';
import type { WebSocketMessage } from '../protocol/messages.js';
import type { WsNamedDestination } from '../server/facade/destinations.js';
import type { SendVerbs } from '../server/facade/send-verbs.js';
import { WebSocketService } from '../server/facade/websocket.service.js';
import { defineWebSocketSubscriber } from '../subscribers/define-subscriber.js';

/** How a job ended: it has a `returnValue`, or a `failedReason`. */
export type WsQueueJobEnd<Data = unknown> = ClusterEventMessages['queueJobCompleted' | 'queueJobError'] & {
  readonly data?: Data;
};

/** How far a job is: it has a `progress`. */
export type WsQueueJobReport<Data = unknown> = ClusterEventMessages['queueJobProgress'] & {
  readonly data?: Data;
};

/** What {@link forwardQueueEvents} tells clients of. */
type QueueJobNews<Data = unknown> = WsQueueJobEnd<Data> | WsQueueJobReport<Data>;

/** What {@link forwardQueueEvents} takes. */
export interface ForwardQueueEventsOptions<Data = unknown> {
  /** The queue whose jobs are forwarded. Default: every queue whose events come to the cluster. */
  queue?: string | undefined;
  /**
   * Who gets the message; null: nobody. Default: the user `userId` of the job's data, else its room `room`, else nobody. A
   * queue that removes its jobs when they end has no data to read.
   */
  to?(job: QueueJobNews<Data>): WsNamedDestination | null | Promise<WsNamedDestination | null>;
  /**
   * The message. Default: `{ type: 'queue', action: 'jobCompleted' | 'jobError' | 'jobProgress', data: { queue, jobId, name,
   * returnValue?, progress? } }`. The job's data and why it failed are left out, since they may be private.
   */
  message?(job: QueueJobNews<Data>): WebSocketMessage;
  /**
   * True: clients are also told how far jobs are, a few times a second (`progress` of `WebSocketQueueEvents.forQueue`), and of what
   * waits for a slow client only the newest. The end of a job comes last. Default: false.
   */
  progress?: boolean | undefined;
}

type Options = ForwardQueueEventsOptions & Required<Pick<ForwardQueueEventsOptions, 'to' | 'message' | 'progress'>>;

/**
 * A subscriber, for the option `subscribers`, that tells clients once when their jobs end, and if asked how far they are, whichever
 * workers they are connected to. The events come from `WebSocketQueueEvents.forQueue(...)`.
 *
 * @throws PxlWebSocketOptionsError in one sentence for options that cannot be used
 * @example subscribers: [forwardQueueEvents({ queue: 'video' })]
 */
export function forwardQueueEvents<Data = unknown>(
  options: ForwardQueueEventsOptions<Data> = {},
): WebSocketSubscriberDefinition<WsQueueJobEnd | WsQueueJobReport> {
  const forwarding = resolve(options);
  const { queue, progress } = forwarding;
  const { QueueJobCompleted, QueueJobError, QueueJobProgress } = WebSocketRedisSubscriberEvent;
  const ends = [QueueJobCompleted, QueueJobError];
  return defineWebSocketSubscriber({
    name: queue === undefined ? 'forwardQueueEvents' : `forwardQueueEvents(${queue})`,
    description: 'Tells clients how their jobs end',
    channels: progress ? [...ends, QueueJobProgress] : ends,
    run: 'oneWorker',
    async handle({ message: job, webSocketServer, moduleRef }) {
      if (queue !== undefined && job.queue !== queue) return;
      const destination = await forwarding.to(job);
      if (!destination) return;
      const message = forwarding.message(job);
      if (!('progress' in job)) send(webSocketServer, destination, message);
      else await sendNewest(moduleRef.get(WebSocketService, { strict: false }), destination, message, job);
    },
  });
}

function resolve(options: object): Options {
  const checks: OptionChecks = new OptionChecks('forwardQueueEvents', options);
  const queue = checks.raw('queue');
  const to = (checks.callback('to') ?? ownerOf) as Options['to'];
  const message = (checks.callback('message') ?? reportOf) as Options['message'];
  const progress = checks.boolean('progress', false);
  if (queue !== undefined && typeof queue !== 'string') checks.refuse('queue', 'the name of a queue');
  checks.finish();
  return { queue, to, message, progress };
}

function send(server: SendVerbs, destination: WsNamedDestination, data: WebSocketMessage): void {
  if ('client' in destination) server.broadcastToClient({ clientId: destination.client, data });
  else if ('user' in destination) server.broadcastToUsers({ userIds: [destination.user], data });
  else server.broadcastToRoom({ roomName: destination.room, namespace: destination.namespace, data });
}

/** Volatile: a client that reads too slowly misses it, and no history keeps it. */
async function sendNewest(
  service: WebSocketService,
  destination: WsNamedDestination,
  message: WebSocketMessage,
  { queue, jobId }: WsQueueJobReport,
): Promise<void> {
  const key = `${queue}:${jobId}`;
  const options = { volatile: true, conflate: isConflateKey(key) ? key : undefined };
  if ('client' in destination) await service.sendToClients([destination.client], message, options);
  else if ('user' in destination) await service.sendToUsers([destination.user], message, options);
  else await service.sendToRooms([destination.room], message, { ...options, namespace: destination.namespace });
}

function ownerOf({ data }: QueueJobNews): WsNamedDestination | null {
  const [user, room] = [ownProperty(data, 'userId'), ownProperty(data, 'room')];
  if (typeof user === 'string' || typeof user === 'number') return { user };
  return typeof room === 'string' ? { room } : null;
}

function reportOf(job: QueueJobNews): WebSocketMessage {
  const { queue, jobId, name } = job;
  if ('progress' in job) {
    return { type: 'queue', action: 'jobProgress', data: { queue, jobId, name, progress: job.progress } };
  }
  if ('failedReason' in job) return { type: 'queue', action: 'jobError', data: { queue, jobId, name } };
  return { type: 'queue', action: 'jobCompleted', data: { queue, jobId, name, returnValue: job.returnValue } };
}
