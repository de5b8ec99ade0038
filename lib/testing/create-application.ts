import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { WsTestAppOptions } from './ws-test-app-options.interface.js';

/** Creates the application of a test; it is neither initialized nor listening. */
export async function createApplication(options: WsTestAppOptions): Promise<INestApplication> {
  const { module, override, configure, httpAdapter, logger, imports = [], ...metadata } = options;
  const builder = Test.createTestingModule({ ...metadata, imports: module ? [...imports, module] : imports });
  const testing = await (override?.(builder) ?? builder).compile();
  const settings = logger === undefined ? {} : { logger };
  const app = httpAdapter
    ? testing.createNestApplication(httpAdapter, settings)
    : testing.createNestApplication(settings);
  try {
    await configure?.(app);
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}
