import type { ResolvedClientOptions } from '../options/client-options.js';

/**
 * What a client says about itself when it comes: by the upgrade, and once the connection stands; undefined where the upgrade
 * said everything.
 */
type Introduction = readonly [url: string, protocols: string[], credentials: object | undefined];

/** Puts the token, and the public key of an encryption, where the server looks for them. */
export function introduce(options: ResolvedClientOptions, token: string | null, publicKey?: string): Introduction {
  const { codec, tokenTo } = options;
  const url = new URL(options.url);
  // Beside the codec: a refusal is to be told by a close code, which a page can read.
  const protocols = codec.isOther ? [] : [codec.name, 'pxl.refusals'];
  let credentials: object | undefined;
  // Another server of events waits for these in any case.
  if (tokenTo === 'message' && (codec.isOther || token !== null)) credentials = { token, publicKey };
  else if (token !== null) {
    if (tokenTo === 'query') url.searchParams.set('token', token);
    else protocols.push(`bearer.${token}`);
  }
  if (publicKey && !credentials) url.searchParams.set('publicKey', publicKey);
  return [url.href, protocols, credentials];
}
