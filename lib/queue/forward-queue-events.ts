import { ownProperty } from '../clients/client-fields.js';
import type { WebSocketSubscriberDefinition } from '../subscribers/subscriber.interface.js';
import { OptionChecks } from '../options/checks/option-checks.js';
import { WebSocketRedisSubscriberEvent, type ClusterEventMessages } from '../protocol/cluster-events.js';
import type { WebSocketMessage } from '../protocol/messages.js';
import type { WsNamedDestination } from '../server/facade/destinations.js';
import type { SendVerbs } from '../server/facade/send-verbs.js';
import { defineWebSocketSubscriber } from '../subscribers/define-subscriber.js';

/** How a job ended: it has a `returnValue`, or a `failedReason`. */
export type WsQueueJobEnd<Data = unknown> = ClusterEventMessages['queueJobCompleted' | 'queueJobError'] & {
  readonly data?: Data;
};

/** What {@link forwardQueueEvents} takes. */
export interface ForwardQueueEventsOptions<Data = unknown> {
  /** The queue whose jobs are forwarded. Default: every queue whose events come to the cluster. */
  queue?: string | undefined;
  /**
   * Who gets the message; null: nobody. Default: the user `userId` of the job's data, else its room `room`, else nobody. A
   * queue that removes its jobs when they end has no data to read.
   */
  to?(job: WsQueueJobEnd<Data>): WsNamedDestination | null | Promise<WsNamedDestination | null>;
  /**
   * The message. Default: `{ type: 'queue', action: 'jobCompleted' | 'jobError', data: { queue, jobId, name,
   * returnValue? } }`. The job's data and why it failed are left out, since they may be private.
   */
  message?(job: WsQueueJobEnd<Data>): WebSocketMessage;
}

type Options = ForwardQueueEventsOptions & Required<Pick<ForwardQueueEventsOptions, 'to' | 'message'>>;

/**
 * A subscriber, for the option `subscribers`, that tells clients once when their jobs end, whichever workers they are
 * connected to. The events come from `WebSocketQueueEvents.forQueue(...)`.
 *
 * @throws PxlWebSocketOptionsError in one sentence for options that cannot be used
 * @example subscribers: [forwardQueueEvents({ queue: 'video' })]
 */
export function forwardQueueEvents<Data = unknown>(
  options: ForwardQueueEventsOptions<Data> = {},
): WebSocketSubscriberDefinition<WsQueueJobEnd> {
  const forwarding = resolve(options);
  const { queue } = forwarding;
  return defineWebSocketSubscriber({
    name: queue === undefined ? 'forwardQueueEvents' : `forwardQueueEvents(${queue})`,
    description: 'Tells clients how their jobs end',
    channels: [WebSocketRedisSubscriberEvent.QueueJobCompleted, WebSocketRedisSubscriberEvent.QueueJobError],
    run: 'oneWorker',
    async handle({ message: job, webSocketServer }) {
      if (queue !== undefined && job.queue !== queue) return;
      const destination = await forwarding.to(job);
      if (destination) send(webSocketServer, destination, forwarding.message(job));
    },
  });
}

function resolve(options: object): Options {
  const checks: OptionChecks = new OptionChecks('forwardQueueEvents', options);
  const queue = checks.raw('queue');
  const to = (checks.callback('to') ?? ownerOf) as Options['to'];
  const message = (checks.callback('message') ?? reportOf) as Options['message'];
  if (queue !== undefined && typeof queue !== 'string') checks.refuse('queue', 'the name of a queue');
  checks.finish();
  return { queue, to, message };
}

function send(server: SendVerbs, destination: WsNamedDestination, data: WebSocketMessage): void {
  if ('client' in destination) server.broadcastToClient({ clientId: destination.client, data });
  else if ('user' in destination) server.broadcastToUsers({ userIds: [destination.user], data });
  else server.broadcastToRoom({ roomName: destination.room, namespace: destination.namespace, data });
}

function ownerOf({ data }: WsQueueJobEnd): WsNamedDestination | null {
  const [user, room] = [ownProperty(data, 'userId'), ownProperty(data, 'room')];
  if (typeof user === 'string' || typeof user === 'number') return { user };
  return typeof room === 'string' ? { room } : null;
}

function reportOf(job: WsQueueJobEnd): WebSocketMessage {
  const { queue, jobId, name } = job;
  if ('failedReason' in job) return { type: 'queue', action: 'jobError', data: { queue, jobId, name } };
  return { type: 'queue', action: 'jobCompleted', data: { queue, jobId, name, returnValue: job.returnValue } };
}
