import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';

/** What servers and emitters of Ignis publish: `IRedisSocketMessage` of its documents. */
export interface IgnisEnvelope {
  serverId: string;
  type: string;
  target?: string;
  event: string;
  data?: unknown;
  exclude?: string[];
}

/** A server of Ignis as its documents describe it, as far as Redis sees it: it knows nothing of this library. */
export class IgnisFleet {
  readonly serverId = randomUUID();
  readonly #heard: [channel: string, envelope: IgnisEnvelope][] = [];
  #markers = 0;

  private constructor(
    private readonly pub: Redis,
    private readonly sub: Redis,
  ) {
    const hear = (channel: string, text: string): void => {
      const envelope = read(text);
      if (envelope) this.#heard.push([channel, envelope]);
    };
    sub.on('message', hear);
    sub.on('pmessage', (_pattern, channel: string, text: string) => hear(channel, text));
  }

  static async start(port: number): Promise<IgnisFleet> {
    const connect = (): Redis => new Redis(port, '127.0.0.1', { retryStrategy: () => 20 }).on('error', () => undefined);
    const fleet = new IgnisFleet(connect(), connect());
    await fleet.sub.subscribe('ws:broadcast');
    await fleet.sub.psubscribe('ws:room:*', 'ws:client:*', 'ws:user:*');
    return fleet;
  }

  stop(): void {
    this.pub.disconnect();
    this.sub.disconnect();
  }

  /** Any text on any channel. */
  say(channel: string, text: string): Promise<number> {
    return this.pub.publish(channel, text);
  }

  /** What a server publishes for a target, or an emitter, whose id is another. */
  publish(channel: string, envelope: Partial<IgnisEnvelope>): Promise<number> {
    return this.say(channel, JSON.stringify({ serverId: this.serverId, ...envelope }));
  }

  /** Publishes to everybody; whatever was published before has been heard before. */
  async mark(): Promise<string> {
    const event = `marker ${++this.#markers}`;
    await this.publish('ws:broadcast', { type: 'broadcast', event, data: null });
    return event;
  }

  /** What others have published since it was asked last. */
  async heard(): Promise<[channel: string, envelope: IgnisEnvelope][]> {
    const marker = `ws:user:marker ${++this.#markers}`;
    await this.publish(marker, { type: 'user', target: 'nobody', event: 'marker' });
    const isOver = (): boolean => this.#heard.some(([channel]) => channel === marker);
    while (!isOver()) await new Promise((resolve) => this.sub.once('pmessage', resolve));
    // As a server does, it takes nothing that it has published itself.
    return this.#heard.splice(0).filter(([, { serverId }]) => serverId !== this.serverId);
  }
}

/** What is none is dropped, as there. */
function read(text: string): IgnisEnvelope | null {
  try {
    const { serverId, event } = JSON.parse(text) as IgnisEnvelope;
    return typeof serverId === 'string' && typeof event === 'string' ? (JSON.parse(text) as IgnisEnvelope) : null;
  } catch {
    return null;
  }
}
