import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { ClusterEvent } from '../cluster/events/cluster-events.js';
import type { WsRedisClient } from '../options/redis.options.js';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';
import { EveryWorkerServer } from '../server/facade/every-worker-server.js';
import { PxlWebSocketServer } from '../server/facade/pxl-websocket-server.js';
import { HANDLER_HOST } from './handler-host.js';
import type { HandlerRun } from './handler-run.js';
import type { WebSocketSubscriberHandlerContext } from './subscriber.interface.js';

/** Makes the context that a handler gets with an event. */
@Injectable()
export class HandlerContexts {
  constructor(
    private readonly server: PxlWebSocketServer,
    private readonly everyWorkerServer: EveryWorkerServer,
    private readonly moduleRef: ModuleRef,
    @Inject(PXL_WS_REDIS) private readonly redis: WsRedisClient | null,
  ) {}

  of(event: ClusterEvent, run: HandlerRun): WebSocketSubscriberHandlerContext {
    const { channel, message } = event;
    const { redis, moduleRef } = this;
    const isEverywhere = run.subscriber.definition.run === 'everyWorker';
    const webSocketServer = isEverywhere ? this.everyWorkerServer.for(event) : this.server;
    return { channel, message, webSocketServer, redis, redisInstance: redis, moduleRef, [HANDLER_HOST]: run };
  }
}
