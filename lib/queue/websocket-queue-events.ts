import type { Provider } from '@nestjs/common';
import { QueueJobEvents, type WsQueueEventsOptions } from './queue-job-events.js';
import { QueueSurroundings } from './queue-surroundings.js';

/** Connects BullMQ's queues (the package `bullmq`, which is optional) with the events of the cluster. */
export const WebSocketQueueEvents = {
  /**
   * A provider that tells subscribers of the end of each job of a queue, once per cluster however many workers there are:
   * `queueJobCompleted` `{ queue, jobId, name, data, returnValue }` and `queueJobError` `{ ..., failedReason }`. `name`
   * and `data` are missing where the queue forgets its jobs at once. With the module's `redis` an end of the last minute is
   * told later where no worker ran, or Redis was away, when it came; without one, what ends while nobody listens is not told.
   *
   * A queue that is named twice, in one module or in two, fails the start.
   *
   * @example providers: [WebSocketQueueEvents.forQueue('video')]
   */
  forQueue(queue: string, options: WsQueueEventsOptions = {}): Provider {
    return {
      // Of its own: queues of one name may differ in their prefix, or in their Redis.
      provide: Symbol(`WebSocketQueueEvents.forQueue('${queue}')`),
      useFactory: (surroundings: QueueSurroundings) => new QueueJobEvents(queue, options, surroundings),
      inject: [QueueSurroundings],
    };
  },
};
