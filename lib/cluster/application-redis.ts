import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { ModuleLogger } from '../errors/module-logger.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { isCluster } from '../redis/link/redis-client.js';
import { unavailable } from '../redis/link/redis-failures.js';
import { PXL_WS_REDIS } from '../redis/link/redis-client.js';

/**
 * Injects a connection to the module's Redis for the application's own commands: the instance that was given as the option
 * `redis`, else one that connects with its first command and is closed with the application. While Redis is away, commands
 * on the latter reject within 1.2 s, unless the option has a `commandTimeout` of its own; so do commands that block for
 * longer: they need a connection of their own (`duplicate({ commandTimeout: undefined })`). Null where the module has no
 * Redis (a property is left undefined by Nest then). Messages travel on other connections.
 */
export function InjectWsRedis(): ParameterDecorator & PropertyDecorator {
  return Inject(PXL_WS_REDIS);
}

/** Holds the application's connection; the one that it brought itself stays its own to close. */
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
    // It is tried again several times a second: said once, until it is there again.
    this.client.on('error', ({ message }: Error) => {
      if (!isDown) logger.warn(`The application's connection to Redis: ${message}`);
      isDown = true;
    });
    this.client.on('ready', () => (isDown = false));
    if (isCluster(this.client)) limitWaits(this.client);
  }

  onApplicationShutdown(): void {
    if (this.#isOurs) this.client?.disconnect();
  }
}

/** A cluster holds commands back before it knows its nodes, without any limit of time of its own. */
function limitWaits(cluster: Cluster): void {
  const limit = cluster.options.redisOptions?.commandTimeout;
  if (limit === undefined) return;
  const send = cluster.sendCommand.bind(cluster);
  cluster.sendCommand = (command, stream, node) => {
    // What would wait for the next connection, and be rejected meanwhile, must not be carried out after all.
    if (cluster.status === 'reconnecting' || cluster.status === 'close') command.reject(unavailable(null));
    if (command.isSettled) return command.promise;
    command.setTimeout(limit);
    return send(command, stream, node);
  };
}
