import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { ModuleLogger } from '../errors/module-logger.js';
import { CONFIGURED, checkConfigured } from '../options/checks/configured.js';
import { ConfigurableEmitterModule, EMITTER_OPTIONS } from './pxl-websocket-emitter.module-definition.js';
import { WebSocketEmitter, type WebSocketEmitterOptions } from './websocket-emitter.js';

/**
 * A {@link WebSocketEmitter} to inject, for a Nest application that has no sockets: `forRoot({ redis, prefix })` or
 * `forRootAsync(...)`. It is closed with the application. Beside `PxlWebSocketModule` inject `WebSocketService` instead.
 */
@Module({
  providers: [
    {
      provide: WebSocketEmitter,
      useFactory: (isConfigured: boolean | undefined, options: WebSocketEmitterOptions) => {
        checkConfigured(isConfigured, PxlWebSocketEmitterModule.name);
        const logger = new ModuleLogger();
        // Of a factory that has returned nothing the emitter says what is missing.
        const given: WebSocketEmitterOptions = { ...options };
        return new WebSocketEmitter({ ...given, log: given.log ?? ((level, line) => logger[level](line)) });
      },
      inject: [
        { token: CONFIGURED, optional: true },
        { token: EMITTER_OPTIONS, optional: true },
      ],
    },
  ],
  exports: [WebSocketEmitter],
})
export class PxlWebSocketEmitterModule extends ConfigurableEmitterModule implements OnApplicationShutdown {
  constructor(@Inject(WebSocketEmitter) private readonly emitter: WebSocketEmitter) {
    super();
  }

  onApplicationShutdown(): Promise<void> {
    return this.emitter.shutdown();
  }
}
