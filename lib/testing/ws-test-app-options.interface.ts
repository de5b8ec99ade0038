import type { DynamicModule, INestApplication, LoggerService, LogLevel, ModuleMetadata, Type } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { TestingModuleBuilder } from '@nestjs/testing';

/** What {@link createWsTestApp} starts: a `module`, or a testing module of its parts (`imports`, `providers`, …), or both. */
export interface WsTestAppOptions extends ModuleMetadata {
  /** The application's own module. */
  module?: Type<unknown> | DynamicModule | undefined;
  /** Replaces parts before anything is made: `(builder) => builder.overrideProvider(Clock).useValue(clock)`. */
  override?: ((builder: TestingModuleBuilder) => TestingModuleBuilder) | undefined;
  /** Sets the application up as `main.ts` does, before it listens: `(app) => app.useGlobalPipes(...)`. */
  configure?: ((app: INestApplication) => unknown) | undefined;
  /** Default: Express. `new FastifyAdapter()` for Fastify. */
  httpAdapter?: AbstractHttpAdapter | undefined;
  /** Default: errors only, as Nest's testing module does. */
  logger?: LoggerService | LogLevel[] | false | undefined;
}
