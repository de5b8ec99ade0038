import { createRequire } from 'node:module';

/** The version of Nest that the specs run on: 12, or another with `PXL_NEST=11.2`. */
export const { version: NEST_VERSION } = createRequire(import.meta.url)('@nestjs/core/package.json') as {
  version: string;
};

export const NEST_MAJOR = Number(NEST_VERSION.split('.')[0]);
