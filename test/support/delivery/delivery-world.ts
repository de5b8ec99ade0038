import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { ClientManager, WebSocketService, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { sessionOf } from '../../../lib/clients/session/client-outbox.interface.js';
import type { ClientSession } from '../../../lib/clients/session/client-session.js';
import { RedisServer } from '../redis-server.js';
import { createApp } from '../test-app.js';

/** Milliseconds up to which windows grow. */
export const MAX_WINDOW = 60;

/** What a room does is in its name: `… w20` has a window of 20 ms, `… kept w20` a history too. */
export function roomOf(story: string, window: number, isKept = false): string {
  return `${story}${isKept ? ' kept' : ''} w${window}`;
}

export function windowOf(roomName: string): number {
  return Number(/ w(\d+)$/.exec(roomName)?.[1] ?? 0);
}

export function isKept(roomName: string): boolean {
  return roomName.includes(' kept ');
}

/** Answers with what the asker had been sent before. */
@WebSocketGateway()
class StoryGateway {
  /** By the ids of clients: the number of what each was sent last. */
  readonly lastSent = new Map<string, () => number>();

  @WsRoute('story', 'ask')
  ask(@ConnectedSocket() client: WsClient, @MessageBody('n') n: number): { answer: number; behind: number } {
    return { answer: n, behind: this.lastSent.get(client.clientId)?.() ?? 0 };
  }
}

/** Some texts pass at once, others take a while. */
async function transform({ event, data }: { event: string; data: unknown }): Promise<{ event: string; data: unknown }> {
  const { n } = (data ?? {}) as { n?: number };
  if (n !== undefined && n % 3 > 0) await setTimeout(n % 3);
  return { event, data };
}

/** A worker within this process, at a Unix socket: its buffers are small, so that a slow reader is one soon. */
export interface DeliveryWorker {
  readonly app: INestApplication;
  readonly service: WebSocketService;
  readonly url: string;
}

export type WorldKind = 'one worker' | 'two workers' | 'a transformer';

/** One worker, or two with a Redis, on which stories of delivery are told side by side. */
export class DeliveryWorld {
  readonly workers: DeliveryWorker[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'pxl-delivery-'));
  readonly #redis: RedisServer | null;

  private constructor(
    redis: RedisServer | null,
    /** Whether each text passes a transformer first, which takes its time. */
    readonly isTransformed: boolean,
  ) {
    this.#redis = redis;
  }

  static async start(kind: WorldKind): Promise<DeliveryWorld> {
    const redis = kind === 'two workers' ? await RedisServer.start() : null;
    const world = new DeliveryWorld(redis, kind === 'a transformer');
    for (let at = 0; at < (redis ? 2 : 1); at++) world.workers.push(await world.#startWorker(at));
    return world;
  }

  /** A client's side on its worker. */
  sessionOf(at: number, clientId: string): ClientSession | undefined {
    const { app } = this.workers[at]!;
    return sessionOf(app.get(ClientManager).getClient({ clientId, requireWs: true })?.ws);
  }

  /** Has requests of a client answered with the number of what it was sent last. */
  tellLastSent(at: number, clientId: string, lastSent: () => number): void {
    this.workers[at]!.app.get(StoryGateway).lastSent.set(clientId, lastSent);
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map(({ app }) => app.close()));
    await this.#redis?.stop();
    rmSync(this.#folder, { recursive: true });
  }

  async #startWorker(at: number): Promise<DeliveryWorker> {
    const app = await createApp({
      options: {
        redis: this.#redis ? `redis://127.0.0.1:${this.#redis.port}` : undefined,
        rooms: { open: true, whisper: true, history: (name) => (isKept(name) ? { size: 500, ttl: 60_000 } : null) },
        delivery: { window: windowOf, maxWindow: MAX_WINDOW },
        compression: { threshold: 64 },
        encryption: true,
        outboundTransformer: this.isTransformed ? transform : undefined,
        heartbeat: false,
      },
      providers: [StoryGateway],
    });
    const path = join(this.#folder, String(at));
    await app.listen(path);
    return { app, service: app.get(WebSocketService), url: `ws+unix://${path}:/ws` };
  }
}
