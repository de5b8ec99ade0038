import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runSpec } from '../programs.mjs';

/**
 * The specs of what the library has from Nest: its pipeline, its modules, its shutdown, its adapters; and the samples. Not
 * coming-from-platform-ws: it shows what the adapter of Nest 12 does.
 */
const OF_NEST =
  /^(?:application-kinds|async-context|client-controllers|client-module|connection-guards|connection-life|connection-pipes|endpoint.*|events|filters|foreign-upgrades|health|hooks|module|pipeline|request-scope|routing|sample-.*|server-calls|shutdown|streams|subscribe-message|subscribers.*|testing|validation)\.spec\.ts$/;

const specs = readdirSync(join(ROOT, 'test/e2e'))
  .filter((file) => OF_NEST.test(file))
  .map((file) => `test/e2e/${file}`);

/** Each folder of `test/nest` has the packages of one version; the specs of every day run on the newest. */
export const entries = readdirSync(join(ROOT, 'test/nest')).map((version) => ({
  name: `Nest ${version}`,
  run: async () => {
    await runSpec(specs, { PXL_NEST: version });
    return `${specs.length} specs`;
  },
}));
