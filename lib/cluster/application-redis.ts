import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Cluster, Redis } from 'ioredis';
import { ModuleLogger } from '../errors/module-logger.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';

/** The token of the connection to Redis that applications may use: see {@link InjectWsRedis}. */
export const PXL_WS_REDIS = Symbol('PXL_WS_REDIS');

/**
 * Injects a connection to the module's Redis for the application's own commands, with ioredis' usual behaviour: the
 * instance that was given as the option `redis`, else one that connects with its first command and is closed with the
 * application. Null where the module has no Redis (a property is left undefined by Nest then). Messages travel on other
 * connections.
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
    this.client.on('error', (error: Error) => logger.warn(`The application's connection to Redis: ${error.message}`));
  }

  onApplicationShutdown(): void {
    if (this.#isOurs) this.client?.disconnect();
  }
}
