/** How the numbers of several processes become one; counters and histograms are added. Default: `sum`. */
export type Aggregator = 'sum' | 'max' | 'min';

/** What a metric is: its kind, in a sentence what it tells, and what else there is to know. */
export type Entry = readonly [kind: 'counter' | 'gauge' | 'histogram', help: string, facts?: Facts];

interface Facts {
  readonly labels?: readonly string[];
  readonly aggregator?: Aggregator;
}

/**
 * Every number that a worker tells, by its name without `pxl_ws_` before and, for counters, `_total` behind it. A part of the
 * library cannot tell one that is not here, so each has its `# HELP` and its row in the docs.
 */
export const METRIC_CATALOG = {
  authentications_refused: ['counter', 'Refused authentications, by reason.', { labels: ['reason'] }],
  bus_latency_seconds: ['histogram', 'From the sending of an envelope by another process to its arrival here.'],
  bus_losses: ['counter', 'Times at which this worker lost the bus.'],
  bus_probe_seconds: ['gauge', 'Round trip of the last probe of the bus.', { aggregator: 'max' }],
  bus_ready: ['gauge', '1 while this worker reaches the others, 0 otherwise.', { aggregator: 'min' }],
  channel_gaps: ['counter', 'Times at which a channel was not heard for so long that messages may be lost.'],
  channels_live: ['gauge', 'Channels that are subscribed to.'],
  channels_wanted: ['gauge', 'Channels that this worker wants to hear.'],
  closes: [
    'counter',
    'Connections that have ended, those that never authenticated included, by close code.',
    { labels: ['code'] },
  ],
  cluster_workers: ['gauge', 'Workers of the cluster that this one knows, itself included.', { aggregator: 'min' }],
  connections: ['gauge', 'Clients that are connected to this worker.'],
  connects: ['counter', 'Clients that were let in.'],
  delivery_seconds: [
    'histogram',
    'From a send, here or by another process, to the write to the sockets of this worker, delivery windows left out.',
    { labels: ['from'] },
  ],
  delivery_window_growth: ['gauge', 'By how much delivery windows have grown; 1: not at all.', { aggregator: 'max' }],
  disconnects: ['counter', 'Clients that were let in and have gone.'],
  envelope_ids_overflow: ['counter', 'Ids of envelopes that were forgotten before their time.'],
  envelopes_detoured: [
    'counter',
    'Envelopes for rooms that went to all workers, since their slot of Redis Cluster was moving.',
  ],
  envelopes_failed: ['counter', 'Envelopes that could not be published.'],
  envelopes_junk: ['counter', 'Envelopes that could not be read.'],
  envelopes_published: [
    'counter',
    'Envelopes given to Redis for other workers, one for each channel, failed ones included.',
  ],
  envelopes_received: ['counter', 'Envelopes that came from Redis, late and repeated ones included.'],
  envelopes_stale: [
    'counter',
    'Envelopes that came over ten seconds late, or from a clock as far ahead, and were dropped.',
  ],
  errors: ['counter', 'Errors that messages of clients were answered with, by code.', { labels: ['code'] }],
  event_loop_delay_seconds: [
    'gauge',
    'By how much the event loop was late in the last one to two minutes, by percentile; 100 is the longest delay.',
    { labels: ['percentile'], aggregator: 'max' },
  ],
  frames_dropped: ['counter', 'Frames that were dropped, since their clients read too slowly.'],
  handler_seconds: [
    'histogram',
    'From the call of a handler to its answer, or to the beginning of its stream, by route.',
    { labels: ['route'] },
  ],
  hint_gaps: ['counter', 'Gaps in the news of other workers.'],
  hints_junk: ['counter', 'News of other workers that could not be read.'],
  history_appended: ['counter', 'Messages that this worker has added to rooms with history.'],
  history_bytes: ['gauge', 'Bytes of the newest messages of rooms with history in memory.'],
  history_holes: ['counter', 'Times at which messages of a room did not come by themselves, and were read.'],
  history_not_recovered: [
    'counter',
    'Members and returning clients that were told of a loss, by reason.',
    { labels: ['reason'] },
  ],
  history_reads: ['counter', 'Reads of kept messages, for members that return or are behind and for missing messages.'],
  history_recovered: ['counter', 'Returns of clients that got everything they had missed.'],
  history_replayed: ['counter', 'Kept messages that were sent to members.'],
  history_rooms: ['gauge', 'Rooms with history that have members here.'],
  history_unnumbered: ['counter', 'Messages without a number that came for rooms with history.'],
  history_unpublished: ['counter', 'Messages that Redis has kept and not published.'],
  ignis_messages_received: ['counter', 'Messages that came on the wire of Ignis.'],
  leases_lost: ['counter', 'Times at which this worker lost its lease.'],
  lifetime_closes: ['counter', 'Connections that were closed at the end of their lifetime.'],
  message_ids_overflow: ['counter', 'Ids of signed messages that were forgotten before their time.'],
  messages_conflated: ['counter', 'Messages whose place was taken by a newer one before they left.'],
  messages_junk: ['counter', 'Messages of Redis that were not taken, by reason.', { labels: ['reason'] }],
  messages_received: ['counter', 'Messages of clients that were received, malformed and refused ones included.'],
  messages_sent: ['counter', 'Messages that were written to clients, answers included.'],
  messages_waiting: ['gauge', 'Messages of clients that wait for those before them to be answered.'],
  outbox_bytes: ['gauge', 'Bytes that wait for clients, in the process and in their sockets.'],
  presence_resumed: ['counter', 'Clients that came back within their grace.'],
  presence_resumes_refused: ['counter', 'Clients that came back to no place of theirs.'],
  proxy_closes: ['counter', 'Connections that a proxy has ended by itself.'],
  rate_uses_alone: ['counter', 'Uses of a rate that were counted by this worker alone, without Redis.'],
  refusals: ['counter', 'What limits have refused, by limit.', { labels: ['limit'] }],
  remote_connections: ['gauge', 'Clients of other workers that this one knows.', { aggregator: 'max' }],
  room_news_junk: ['counter', 'News of rooms that could not be read.'],
  rooms: ['gauge', 'Rooms that have members on this worker.'],
  slow_consumers: ['gauge', 'Clients over their byte budget, since their networks take too little.'],
  slow_consumers_disconnected: ['counter', 'Clients that were disconnected, since they read too slowly.'],
  snapshots: ['counter', 'Lists of the clients of another worker that were read whole from Redis.'],
  subscriber_events_waiting: ['gauge', 'Events that wait for subscribers.'],
  unknown_filters: ['counter', 'Filtered messages whose filter this worker does not know.'],
  upgrade_seconds: ['histogram', 'From an upgrade request to its acceptance, authentication included.'],
  user_news_junk: ['counter', 'News of users that could not be read.'],
  users: ['gauge', 'Users that are connected to this worker.'],
  webhooks_delivered: ['counter', 'Webhooks that a receiver has taken, by endpoint.', { labels: ['endpoint'] }],
  webhooks_dropped: [
    'counter',
    'Webhooks that were given up, by endpoint and reason.',
    { labels: ['endpoint', 'reason'] },
  ],
  webhooks_failed: ['counter', 'Attempts to send a webhook that have failed, by endpoint.', { labels: ['endpoint'] }],
  webhooks_pending: [
    'gauge',
    'Webhooks that wait in the memory of this worker, by endpoint.',
    { labels: ['endpoint'] },
  ],
  workers_dead: ['counter', 'Workers that were found dead.'],
} as const satisfies Readonly<Record<string, Entry>>;
