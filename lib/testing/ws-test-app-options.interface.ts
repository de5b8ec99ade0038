import type { DynamicModule, INestApplication, LoggerService, LogLevel, ModuleMetadata, Type } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { TestingModuleBuilder } from '@nestjs/testing';

/** What {@link createWsTestApp} starts: a `module`, or the parts of one (`imports`, `providers`, …), or both. */
export interface WsTestAppOptions extends ModuleMetadata {
  /** The application's own module. */
  module?: Type<unknown> | DynamicModule | undefined;
  /** Replaces providers before they are created: `(builder) => builder.overrideProvider(Clock).useValue(clock)`. */
  override?: ((builder: TestingModuleBuilder) => TestingModuleBuilder) | undefined;
  /** Sets the application up as `main.ts` does, before it listens: `(app) => app.useGlobalPipes(...)`. */
  configure?: ((app: INestApplication) => unknown) | undefined;
  /** The HTTP adapter. Default: Express. `new FastifyAdapter()` for Fastify. */
  httpAdapter?: AbstractHttpAdapter | undefined;
  /** The logger. Default: errors only, as in Nest's testing module. */
  logger?: LoggerService | LogLevel[] | false | undefined;
}
