import type { WsAppend } from '../../history/room-store.interface.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { ClusterChannels } from './cluster-channels.js';
import { writeWsEnvelope } from './envelope-text.js';
import type { WsEnvelope } from './envelope.js';
import { publicationsOf } from './ignis-messages.js';

/** Publishes envelopes through Redis: one PUBLISH per channel, and with `cluster.ignis` on the channels of Ignis as well. */
export class EnvelopePublisher implements MetricSource {
  /** Makes the ids of this publisher's envelopes unique. */
  readonly #id: string;
  #envelopes = 0;
  #published = 0;
  #failed = 0;

  /**
   * @param origin the sending worker's id; null: this process is no worker
   * @param ignisId the sender's id in messages to Ignis; null: nothing is published there
   */
  constructor(
    private readonly link: RedisLink,
    private readonly channels: ClusterChannels,
    private readonly origin: string | null,
    private readonly ignisId: string | null,
    runtime: Runtime,
  ) {
    this.#id = runtime.randomId(6);
  }

  /** @throws WsError UNAVAILABLE within 1 s when Redis cannot be reached; the envelope is not sent later */
  publish(envelope: WsEnvelope): Promise<void> {
    if (this.ignisId === null) return this.#publishOurs(envelope);
    return Promise.all([this.#publishOurs(envelope), ...this.#publishTheirs(envelope, this.ignisId)]).then(nothing);
  }

  /** Publishes a message of a room with history, which our workers get by its number, on the channels of Ignis. Never throws. */
  tellIgnis({ roomName, text, exclude, excludeUsers, excludeRooms }: WsAppend): void {
    if (this.ignisId === null) return;
    const target = { kind: 'rooms', roomNames: [roomName] } as const;
    const content = { kind: 'message', text } as const;
    const envelope = { target, exclude, excludeUsers, excludeRooms, isVolatile: false, content };
    for (const published of this.#publishTheirs(envelope, this.ignisId)) published.catch(nothing);
  }

  #publishTheirs(envelope: WsEnvelope, ignisId: string): Promise<void>[] {
    return publicationsOf(envelope, ignisId).map(([channel, text]) => this.#publish(channel, text));
  }

  #publishOurs(envelope: WsEnvelope): Promise<void> {
    const channels = this.channels.of(envelope.target, this.origin);
    const [first, ...others] = channels;
    if (first === undefined) return Promise.resolve();
    const id = `${this.#id}.${++this.#envelopes}`;
    const sentAt = Math.round(this.link.redisNow());
    const text = writeWsEnvelope(envelope, { origin: this.origin, sentAt, id });
    if (others.length === 0) return this.#publish(first, text);
    return Promise.all(channels.map((channel) => this.#publish(channel, text))).then(nothing);
  }

  *metrics(): Iterable<WebSocketMetric> {
    yield counter('envelopes_published', this.#published);
    yield counter('envelopes_failed', this.#failed);
  }

  #publish(channel: string, text: string): Promise<void> {
    this.#published++;
    return this.link.publish(channel, text, this.channels.everybody).then(nothing, this.#countFailure);
  }

  readonly #countFailure = (error: unknown): never => {
    this.#failed++;
    throw error;
  };
}

/** Drops the number of receivers. */
function nothing(): void {}
