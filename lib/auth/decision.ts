import type { Identity } from './identity.js';
import type { RefusalReason } from './refusal-reason.js';

/** What one authenticator has decided. */
export type Decision =
  | { readonly kind: 'identity'; readonly identity: Identity }
  /** The next one is to be asked. */
  | { readonly kind: 'pass' }
  /** With `fault` the authenticator itself has to be mended: what it returned, without any value. */
  | { readonly kind: 'refusal'; readonly reason: RefusalReason; readonly fault?: string };

export const PASS: Decision = { kind: 'pass' };

export function refusal(reason: RefusalReason): Decision {
  return { kind: 'refusal', reason };
}
