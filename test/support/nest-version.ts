import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The version of Nest that the specs run on: 12, or another with `PXL_NEST=11.2`. */
const file = fileURLToPath(import.meta.resolve('@nestjs/core/package.json'));
export const { version: NEST_VERSION } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };

export const NEST_MAJOR = Number(NEST_VERSION.split('.')[0]);
