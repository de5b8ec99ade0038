import { Inject, Module, Optional, type DynamicModule } from '@nestjs/common';
import { CONFIGURED, checkConfigured } from '../options/checks/configured.js';
import { ClientsModule } from './clients.module.js';
import { ASYNC_OPTIONS_TYPE, ConfigurableModuleClass, OPTIONS_TYPE } from './pxl-websocket-client.module-definition.js';

/**
 * Makes this application a client of another server. It provides an injectable `WebSocketClient`, which connects when the
 * application has started and disconnects when it is closed, and `@WebSocketClientController()` classes handle what the
 * server sends. Import it once for each client; every client but the first needs a `name`.
 */
@Module({ imports: [ClientsModule] })
export class PxlWebSocketClientModule extends ConfigurableModuleClass {
  constructor(@Optional() @Inject(CONFIGURED) isConfigured?: boolean) {
    super();
    checkConfigured(isConfigured, PxlWebSocketClientModule.name);
  }

  /** Registers a client with its options. */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return super.forRoot(options);
  }

  /** Registers a client with options that resolve later; `name` and `isGlobal` stand beside `useFactory`. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}
