import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { ModuleLogger } from '../errors/module-logger.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { isCluster } from '../redis/link/redis-client.js';
import { isTimeout, unavailable } from '../redis/link/redis-failures.js';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';

/**
 * Injects a connection to the module's Redis for the application's own commands: the instance given as the option `redis`, or
 * else one that connects with its first command and is closed with the application. While Redis is away, commands on the
 * latter reject within 1.2 s, unless the option sets a `commandTimeout`. So do commands that block for longer: they need a
 * connection of their own (`duplicate({ commandTimeout: undefined })`). Null when the module has no Redis; Nest leaves an
 * injected property undefined then. The library itself uses other connections.
 */
export function InjectWsRedis(): ParameterDecorator & PropertyDecorator {
  return Inject(PXL_WS_REDIS);
}

/** Holds the application's connection, and closes it unless the application has given it. */
@Injectable()
export class ApplicationRedis implements OnApplicationShutdown {
  readonly client: Redis | Cluster | null;
  readonly #isOurs: boolean;

  constructor(@Inject(PXL_WS_OPTIONS) { redis, enabled }: ResolvedOptions) {
    this.client = (enabled ? redis?.template : null) ?? null;
    this.#isOurs = redis?.isGiven === false;
    if (!this.client || !this.#isOurs) return;
    const logger = new ModuleLogger();
    let isDown = false;
    // ioredis reports an error several times a second; the log gets one line per outage.
    this.client.on('error', ({ message }: Error) => {
      if (!isDown) logger.warn(`The application's connection to Redis: ${message}`);
      isDown = true;
    });
    this.client.on('ready', () => (isDown = false));
    if (isCluster(this.client)) {
      limitWaits(this.client);
      this.client.on('+node', dropOverdue);
    } else {
      dropOverdue(this.client);
    }
  }

  onApplicationShutdown(): void {
    if (this.#isOurs) this.client?.disconnect();
  }
}

/** Before a Cluster of ioredis knows its nodes it queues commands without a time limit: this adds one. */
function limitWaits(cluster: Cluster): void {
  const limit = cluster.options.redisOptions?.commandTimeout;
  if (limit === undefined) return;
  const send = cluster.sendCommand.bind(cluster);
  cluster.sendCommand = (command, stream, node) => {
    // A command that waits for the next connection could be executed after it was rejected.
    if (cluster.status === 'reconnecting' || cluster.status === 'close') command.reject(unavailable(null));
    if (command.isSettled) return command.promise;
    command.setTimeout(limit);
    return send(command, stream, node);
  };
}

/**
 * What waits for a connection to become ready, which may load its data first, would be executed then, also what was rejected
 * meanwhile. With the connection ioredis drops all that waits for it.
 */
function dropOverdue(connection: Redis): void {
  const send = connection.sendCommand.bind(connection);
  connection.sendCommand = (command, stream) => {
    const { reject } = command;
    if (connection.status !== 'ready') {
      command.reject = (error: Error): void => {
        reject(error);
        if (isTimeout(error) && connection.status === 'connect') connection.disconnect(true);
      };
    }
    return send(command, stream);
  };
}
