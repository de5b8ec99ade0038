import type { EncryptionSession } from '../client-encryption.interface.js';
import type { ResolvedClientOptions } from '../options/client-options.js';

/**
 * How a client introduces itself: the url and subprotocols of the upgrade, and the credentials that it sends afterwards;
 * undefined when the upgrade contains everything.
 */
type Introduction = readonly [url: string, protocols: string[], credentials: object | undefined];

/** Puts the token and the offer of an encryption where the server expects them. */
export function introduce(
  options: ResolvedClientOptions,
  resume: string | undefined,
  token: string | null,
  session: EncryptionSession | undefined,
): Introduction {
  const { codec, tokenTo } = options;
  const url = new URL(options.url);
  if (resume) url.searchParams.set('resume', resume);
  // `pxl.refusals` asks for refusals by close code, which a page can read.
  const protocols = codec.isOther ? [] : [codec.name, 'pxl.refusals'];
  const { publicKey, sealed } = session ?? {};
  let credentials: object | undefined;
  // Another server of events always waits for these credentials.
  if (tokenTo === 'message' && (codec.isOther || token !== null)) credentials = { token, publicKey, sealed };
  else if (token !== null) {
    if (tokenTo === 'query') url.searchParams.set('token', token);
    else protocols.push(`bearer.${token}`);
  }
  if (publicKey && !credentials) {
    url.searchParams.set('publicKey', publicKey);
    if (sealed) url.searchParams.set('sealed', sealed);
  }
  return [url.href, protocols, credentials];
}
