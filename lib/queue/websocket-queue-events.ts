import type { Provider } from '@nestjs/common';
import { QueueJobEvents, type WsQueueEventsOptions } from './queue-job-events.js';
import { QueueSurroundings } from './queue-surroundings.js';

/** Connects BullMQ's queues (the package `bullmq`, which is optional) with the events of the cluster. */
export const WebSocketQueueEvents = {
  /**
   * A provider that tells subscribers when a job of a queue ends, once per cluster however many workers there are:
   * `queueJobCompleted` `{ queue, jobId, name, data, returnValue }` and `queueJobError` `{ ..., failedReason }`. `name`
   * and `data` are missing when the queue removes its jobs as they end. Where it is asked for, also how far jobs are, a few times
   * a second: `queueJobProgress` `{ ..., progress }`, always before the job's end. With the module's `redis`, ends of the last minute
   * that came while no worker ran, or while Redis was away, are told later; without it they are lost.
   *
   * A queue that is named twice, in one module or in two, fails the start.
   *
   * @example providers: [WebSocketQueueEvents.forQueue('video')]
   */
  forQueue(queue: string, options: WsQueueEventsOptions = {}): Provider {
    return {
      // Not by the name: queues with the same name may differ in their prefix or their Redis.
      provide: Symbol(`WebSocketQueueEvents.forQueue('${queue}')`),
      useFactory: (surroundings: QueueSurroundings) => new QueueJobEvents(queue, options, surroundings),
      inject: [QueueSurroundings],
    };
  },
};
