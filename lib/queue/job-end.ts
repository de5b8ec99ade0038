/** How one job has ended, as BullMQ tells it to every worker. */
export interface JobEnd {
  /** The event's id in BullMQ's stream: when it happened, in ms since 1970, and a number. */
  readonly eventId: string;
  readonly channel: 'queueJobCompleted' | 'queueJobError';
  readonly jobId: string;
  readonly result: { readonly returnValue: unknown } | { readonly failedReason: string };
}

/** What a queue knows of a job; nothing of one that it has forgotten. */
export interface QueueJob {
  readonly name?: string | undefined;
  readonly data?: unknown;
}
