import { WebSocketChannels } from '../../protocol/ignis-constants.js';
import type { ChannelSubscriptions } from '../../redis/subscriptions/channel-subscriptions.interface.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import { openingOf, readIgnisMessage, type IgnisMessage } from './ignis-messages.js';

/** What the names of all channels of Ignis begin with. Channels of this library have another prefix. */
export const IGNIS_CHANNELS = 'ws:';

const PATTERNS = [
  WebSocketChannels.forRoomPattern(),
  WebSocketChannels.forClientPattern(),
  WebSocketChannels.forUserPattern(),
];

/** Takes the messages of servers and emitters of Ignis. Never throws. */
type IgnisListener = (message: IgnisMessage) => void;

/**
 * The id with which a worker or emitter of this library publishes to Ignis. Workers recognise each other by its beginning,
 * and ignore those messages: they get them on their own channels.
 *
 * @param name a worker's id, or another random one
 */
export function ignisServerId(prefix: string, name: string): string {
  return `${prefix}:${name}`;
}

/** The channels of servers and emitters of Ignis, as a worker receives them (`cluster.ignis`). */
export class IgnisWire implements MetricSource {
  #received = 0;
  /** Messages on these channels that Ignis would not deliver. */
  #junk = 0;
  #listener: IgnisListener | null = null;
  /** This worker's id in messages to Ignis. */
  readonly serverId: string;
  /** How the ids of this application's workers and emitters begin, and the texts that they publish. */
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

  /** Subscribes to the channels. Called before the link starts, so that it is ready only when they are live. */
  start(): void {
    this.subscriptions.want(WebSocketChannels.BROADCAST);
    for (const pattern of PATTERNS) this.subscriptions.wantPattern(pattern);
  }

  /** Whether all of the channels are subscribed; Redis may refuse them. */
  get isHeard(): boolean {
    return [WebSocketChannels.BROADCAST, ...PATTERNS].every((name) => this.subscriptions.isLive(name));
  }

  /** Takes a message of one of the channels. */
  take(payload: Buffer): void {
    // Recognises what workers of this library published without parsing it.
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
