import { ConfigurableModuleBuilder, type ModuleMetadata } from '@nestjs/common';
import { CONFIGURED_PROVIDER } from '../options/checks/configured.js';
import type { PxlWebSocketConsoleOptions } from './console.options.js';

/** `forRoot` and `forRootAsync`, and the token of the options as they were given. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<PxlWebSocketConsoleOptions>()
    .setClassMethodName('forRoot')
    .setExtras<Pick<ModuleMetadata, 'imports'>>({ imports: [] }, (definition, { imports = [] }) => ({
      ...definition,
      imports: [...(definition.imports ?? []), ...imports],
      providers: [...(definition.providers ?? []), CONFIGURED_PROVIDER],
    }))
    .build();
