import { TOKEN_NAME } from '../../auth/tokens/token-extractor.js';
import { KEY_PARAMETER, SEALED_PARAMETER } from '../../encryption/key-offer.js';
import type { ResolvedOptions } from '../../pxl-websocket.options.js';
import { RESUME_PARAMETER } from './client-returns.js';

/**
 * The names in the query of an endpoint's upgrades that the library reads. They are credentials, or of no use to the
 * application, so that its handlers do not see them beside its own.
 */
export function ownNamesOf({ auth, outbound, rooms }: ResolvedOptions): ReadonlySet<string> {
  const names = new Set<string>();
  const isAsked = auth.jwt !== undefined || auth.authenticate.length > 0;
  if (isAsked && auth.tokenFrom.includes('query')) names.add(TOKEN_NAME);
  if (outbound.encryption) names.add(KEY_PARAMETER).add(SEALED_PARAMETER);
  if (rooms.presence) names.add(RESUME_PARAMETER);
  return names;
}
