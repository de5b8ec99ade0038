import type { Identity } from './identity.js';
import type { RefusalReason } from './refusal-reason.js';

/** What one authenticator has decided. */
export type Decision =
  | { readonly kind: 'identity'; readonly identity: Identity }
  /** The next one is to be asked. */
  | { readonly kind: 'pass' }
  /** `fault` describes what a faulty authenticator has returned, without its values. */
  | { readonly kind: 'refusal'; readonly reason: RefusalReason; readonly fault?: string };

export const PASS: Decision = { kind: 'pass' };

export function refusal(reason: RefusalReason): Decision {
  return { kind: 'refusal', reason };
}
