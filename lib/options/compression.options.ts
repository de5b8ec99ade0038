import type { PerMessageDeflateOptions } from 'ws';
import { isGroup, type OptionChecks } from './checks/option-checks.js';

/**
 * What keeps the memory of many connections small. Without context takeover nothing has to be kept between two messages;
 * the buffers in which the results are read are small, since ws keeps one for each connection whose messages it reads.
 */
const DEFAULTS: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  threshold: 1_024,
  concurrencyLimit: 10,
  zlibInflateOptions: { chunkSize: 4_096 },
};

/** The options that ws has. */
const NAMES: readonly (keyof PerMessageDeflateOptions)[] = [
  'serverNoContextTakeover',
  'clientNoContextTakeover',
  'serverMaxWindowBits',
  'clientMaxWindowBits',
  'zlibDeflateOptions',
  'zlibInflateOptions',
  'threshold',
  'concurrencyLimit',
];

/** False, or the options of permessage-deflate: those given over the defaults. */
export function resolveCompression(options: OptionChecks): false | PerMessageDeflateOptions {
  const compression = options.raw('compression') ?? false;
  if (compression === false) return false;
  if (compression === true) return DEFAULTS;
  if (!isGroup(compression)) options.refuse('compression', 'true, false or the options of permessage-deflate');
  const group = options.group('compression');
  for (const name of NAMES) group.raw(name);
  group.finish();
  return { ...DEFAULTS, ...compression };
}
