import type { OptionChecks } from './option-checks.js';

/** Characters of a secret, at least: fewer can be guessed by whoever records what is signed with it. */
const SHORTEST = 32;
const ALLOWED = `a text of at least ${SHORTEST} characters, or a list of two of them, of which one may be false`;

/** Undefined: nothing is signed. Else the first one signs, and each of them is believed; false is no signature. */
export type ResolvedSecrets = readonly [string | false, ...(string | false)[]] | undefined;

/**
 * The option `secret` of the group `cluster`.
 *
 * @throws PxlWebSocketOptionsError in one sentence that does not hold what was given
 */
export function resolveSecrets(cluster: OptionChecks): ResolvedSecrets {
  const given = cluster.raw('secret');
  if (given === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  const [first, ...others] = list;
  if (!isSecret(first) || !others.every(isSecret) || others.length > 1) return cluster.refuse('secret', ALLOWED);
  const texts = [first, ...others].filter((secret) => secret !== false);
  if (texts.length === 0) return cluster.refuse('secret', ALLOWED);
  const shortest = Math.min(...texts.map((secret) => secret.length));
  if (shortest < SHORTEST) cluster.refuse('secret', ALLOWED, `one of ${shortest} characters`);
  return Object.freeze([first, ...others] as const);
}

function isSecret(value: unknown): value is string | false {
  return typeof value === 'string' || value === false;
}
