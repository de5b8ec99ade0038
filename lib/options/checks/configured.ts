import type { Provider } from '@nestjs/common';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';

/** There in a module that was imported with its options, and only there. */
export const CONFIGURED = Symbol('PXL_WS_CONFIGURED');

export const CONFIGURED_PROVIDER: Provider = { provide: CONFIGURED, useValue: true };

/**
 * What a factory of the module injects beside its options, which could be undefined by a mistake of another kind.
 *
 * @throws PxlWebSocketSetupError for the bare class among the imports of a module, whose message by Nest would name a symbol
 */
export function checkConfigured(isConfigured: boolean | undefined, module: string): void {
  if (isConfigured) return;
  throw new PxlWebSocketSetupError(
    `${module} was imported without options: import ${module}.forRoot(...) or .forRootAsync(...), once, in the root ` +
      'module; it is global, so no other module has to import it.',
  );
}
