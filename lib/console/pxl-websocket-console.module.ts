import { Module, type DynamicModule } from '@nestjs/common';
import { CONFIGURED, checkConfigured } from '../options/checks/configured.js';
import { CONSOLE_OPTIONS, ConsoleHost } from './console-host.js';
import { resolveConsole } from './console.options.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  OPTIONS_TYPE,
} from './pxl-websocket-console.module-definition.js';

/**
 * A page over all workers: how they are, who is connected, what happens to a client, and, where it is allowed, what is to be done
 * about it. Import it once, beside `PxlWebSocketModule`. It has a guard, or the application does not start.
 *
 * @example
 * PxlWebSocketConsoleModule.forRoot({ path: '/console', guard: AdminGuard, allow: ['disconnect'] })
 */
@Module({
  providers: [
    {
      provide: CONSOLE_OPTIONS,
      useFactory: (isConfigured: boolean | undefined, options: unknown) => {
        checkConfigured(isConfigured, PxlWebSocketConsoleModule.name);
        return resolveConsole(options);
      },
      inject: [
        { token: CONFIGURED, optional: true },
        { token: MODULE_OPTIONS_TOKEN, optional: true },
      ],
    },
    ConsoleHost,
  ],
})
export class PxlWebSocketConsoleModule extends ConfigurableModuleClass {
  /**
   * Registers the console with its options; `imports` are modules with what the guard needs, where it is no provider of the
   * application.
   */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return super.forRoot(options);
  }

  /** Registers it with options that resolve later: `useFactory`, `useClass` or `useExisting`. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}
