import { join } from 'node:path';

/** @param source a program of the tests or of a sample, from the project's root. @returns its bundle, which Node runs */
export function bundleOf(source: string): string {
  return join(process.env.PXL_TEST_PROGRAMS!, source.replace(/\.ts$/, '.mjs'));
}
