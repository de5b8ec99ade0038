import { RedisRoomStore, type RedisRoomStoreOptions } from '../../lib/cluster/bus/redis.room-store.js';
import { ClusterChannels } from '../../lib/cluster/bus/cluster-channels.js';
import { readWsEnvelope } from '../../lib/cluster/bus/envelope-text.js';
import type { WsAppend, WsAppended, WsHistoryPage, WsHistoryRange, WsPosition } from 'nestjs-pxl-websocket';
import type { WsRetention } from '../../lib/options/rooms/history.options.js';
import { Runtime } from '../../lib/runtime/runtime.js';
import { TestLink, type TestLinkOptions } from './redis-link.js';

export const RETENTION: WsRetention = { size: 100, ttl: 60_000, metaTtl: 3_600_000 };

/** How a test's store differs from a usual one. */
export interface TestRoomStoreOptions extends TestLinkOptions, Partial<RedisRoomStoreOptions> {
  sharded?: boolean;
}

/** The store of one process over a link of its own, which also notes what comes with a number. */
export class TestRoomStore {
  readonly testLink: TestLink;
  readonly store: RedisRoomStore;
  readonly channels: ClusterChannels;
  /** What came with a number, as `<offset> <text>`, each time. */
  readonly heard: string[] = [];

  constructor({ origin = 'worker01', seesFailover = true, sharded = false, ...options }: TestRoomStoreOptions) {
    const runtime = options.runtime ?? new Runtime();
    this.testLink = new TestLink({ ...options, runtime });
    this.testLink.hear = (_channel, payload) => {
      const { envelope } = readWsEnvelope(payload.toString()) ?? {};
      if (envelope?.number) this.heard.push(`${envelope.number.offset} ${envelope.content.text}`);
    };
    this.channels = new ClusterChannels(options.prefix ?? 'pxl', sharded);
    this.store = new RedisRoomStore(this.testLink.link, this.channels, { origin, seesFailover }, runtime);
  }

  static async ready(options: TestRoomStoreOptions): Promise<TestRoomStore> {
    const store = new TestRoomStore(options);
    await store.testLink.ready();
    return store;
  }

  append(roomName: string, text: string, rest: Partial<WsAppend> = {}): Promise<WsAppended> {
    return this.store.append({ roomName, text, exclude: [], retention: RETENTION, ...rest });
  }

  read(roomName: string, range: Partial<WsHistoryRange> = {}, retention = RETENTION): Promise<WsHistoryPage> {
    return this.store.read(roomName, { limit: 10_000, ...range }, retention);
  }

  /** The texts of all that the room keeps. */
  async kept(roomName: string, retention = RETENTION): Promise<string[]> {
    return (await this.read(roomName, {}, retention)).entries.map(({ text }) => text);
  }

  top(roomName: string): Promise<WsPosition> {
    return this.store.top(roomName, RETENTION);
  }

  /** The key of a room. */
  key(roomName: string): string {
    return this.channels.history(roomName).key;
  }

  /** Hears a room from now on. */
  async hear(roomName: string): Promise<void> {
    const { subscriptions } = this.testLink.link;
    await Promise.all(
      [this.channels.room(roomName), this.channels.everybody].map(async (name) => subscriptions.acquire(name)),
    );
  }

  stop(): Promise<void> {
    return this.testLink.link.stop();
  }
}
