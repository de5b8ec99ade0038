import { WebSocketChannels } from '../../protocol/ignis-constants.js';
import type { ChannelSubscriptions } from '../../redis/subscriptions/channel-subscriptions.interface.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics.js';
import { openingOf, readIgnisMessage, type IgnisMessage } from './ignis-messages.js';

/** What the names of all channels of Ignis begin with: no channel of ours does, since the prefix is another one. */
export const IGNIS_CHANNELS = 'ws:';

const PATTERNS = [
  WebSocketChannels.forRoomPattern(),
  WebSocketChannels.forClientPattern(),
  WebSocketChannels.forUserPattern(),
];

/** Takes what servers and emitters of Ignis send. Never throws. */
type IgnisListener = (message: IgnisMessage) => void;

/**
 * By what id our workers and emitters speak to Ignis: they know each other by its beginning, since they hear each other by
 * their own channels already.
 *
 * @param name a worker's id, or another random one
 */
export function ignisServerId(prefix: string, name: string): string {
  return `${prefix}:${name}`;
}

/** The channels by which servers and emitters of Ignis speak to each other, as a worker hears them (`cluster.ignis`). */
export class IgnisWire implements MetricSource {
  #received = 0;
  /** No messages of Ignis. */
  #junk = 0;
  #listener: IgnisListener | null = null;
  /** By what this worker speaks there. */
  readonly serverId: string;
  /** How the ids of our own begin, and what they publish. */
  readonly #ours: string;
  readonly #opening: Buffer;

  constructor(
    prefix: string,
    workerId: string,
    private readonly subscriptions: ChannelSubscriptions,
  ) {
    this.serverId = ignisServerId(prefix, workerId);
    this.#ours = ignisServerId(prefix, '');
    this.#opening = Buffer.from(openingOf(this.#ours));
  }

  listen(listener: IgnisListener): void {
    this.#listener = listener;
  }

  /** Wants the channels; before the link is started, so that it is not ready before it hears them. */
  start(): void {
    this.subscriptions.want(WebSocketChannels.BROADCAST);
    for (const pattern of PATTERNS) this.subscriptions.wantPattern(pattern);
  }

  /** Whether all of the channels are heard; Redis may refuse them. */
  get isHeard(): boolean {
    return [WebSocketChannels.BROADCAST, ...PATTERNS].every((name) => this.subscriptions.isLive(name));
  }

  /** A message of one of the channels. */
  take(payload: Buffer): void {
    // Each worker hears what all of ours publish: most of it need not be read for that to be known.
    if (payload.subarray(0, this.#opening.length).equals(this.#opening)) return;
    const message = readIgnisMessage(payload.toString());
    if (!message) {
      this.#junk++;
    } else if (!message.serverId.startsWith(this.#ours)) {
      this.#received++;
      this.#listener?.(message);
    }
  }

  *metrics(): Iterable<WebSocketMetric> {
    yield counter('ignis_messages_received', this.#received);
    yield counter('messages_junk', this.#junk, { reason: 'ignis' });
  }
}
