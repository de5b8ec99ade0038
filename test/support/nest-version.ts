import { createRequire } from 'node:module';

const { version } = createRequire(import.meta.url)('@nestjs/core/package.json') as { version: string };

/** The major version of Nest that the specs run on: 12, or 11 with `PXL_NEST=11.2`. */
export const NEST_MAJOR = Number(version.split('.')[0]);
