/**
 * What this library uses of Nest's inside. No entry that Nest 11 and Nest 12 both have exports it, but both keep it in the
 * same files: 11 has no `exports` in its package.json, 12 has `"./*.js"`. So a path names the very class that Nest itself
 * uses. Any release may move one; imports are static, so Node then names the missing one when the application starts.
 */
export {
  CUSTOM_ROUTE_ARGS_METADATA,
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
export type { ExceptionFilterMetadata } from '@nestjs/common/interfaces/exceptions/exception-filter-metadata.interface.js';
export { selectExceptionFilterMetadata } from '@nestjs/common/utils/select-exception-filter-metadata.util.js';
export { BaseExceptionFilterContext } from '@nestjs/core/exceptions/base-exception-filter-context.js';
export { GuardsConsumer } from '@nestjs/core/guards/guards-consumer.js';
export { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js';
export { ContextUtils, type ParamProperties } from '@nestjs/core/helpers/context-utils.js';
export { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
export { STATIC_CONTEXT } from '@nestjs/core/injector/constants.js';
export { Injector } from '@nestjs/core/injector/injector.js';
export type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
export { InterceptorsConsumer } from '@nestjs/core/interceptors/interceptors-consumer.js';
export { InterceptorsContextCreator } from '@nestjs/core/interceptors/interceptors-context-creator.js';
export { ParamsTokenFactory } from '@nestjs/core/pipes/params-token-factory.js';
export { PipesContextCreator } from '@nestjs/core/pipes/pipes-context-creator.js';
