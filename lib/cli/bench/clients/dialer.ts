import type { LookupFunction } from 'node:net';
import { WebSocket } from 'ws';
import type { BenchOptions } from '../options/bench-options.js';
import type { HostAddress } from '../options/own-hosts.js';

/** The largest message that is read, bytes. */
const MAX_PAYLOAD = 64 * 2 ** 20;

/**
 * Opens connections, as plain ones of ws: our own client would keep rooms, requests and a queue for each, and a load tool has to cost
 * little. No proxy of the environment is asked, and no redirect followed: both would lead elsewhere.
 */
export class Dialer {
  readonly #options: BenchOptions;
  readonly #lookup: LookupFunction;

  /** @param address where all of them go, whatever the name of the host means by then */
  constructor(options: BenchOptions, { address, family }: HostAddress) {
    this.#options = options;
    this.#lookup = (_host, { all }, callback) => {
      // Not at once: Node would connect before anybody listens for its error.
      process.nextTick(() => {
        if (all === true) callback(null, [{ address, family }]);
        else callback(null, address, family);
      });
    };
  }

  /** The token of a client; undefined where there are none. */
  tokenOf(client: number): string | undefined {
    const { tokens } = this.#options;
    return tokens[client % tokens.length]?.replaceAll('{i}', String(client));
  }

  dial(client: number): WebSocket {
    const { headers, localAddresses, origin, protocol, timeout, tokenTo, trustsAnyCertificate } = this.#options;
    const token = this.tokenOf(client);
    // The braces of a path are escaped by URL, those of a query are not.
    const url = new URL(this.#options.url.replaceAll(/\{i\}|%7Bi%7D/g, String(client)));
    const sent: Record<string, string> = {};
    for (const [name, value] of headers) sent[name] = value.replaceAll('{i}', String(client));
    const protocols = [`${protocol}.v1`];
    if (token !== undefined && tokenTo === 'header') sent.Authorization = `Bearer ${token}`;
    if (token !== undefined && tokenTo === 'query') url.searchParams.set('token', token);
    if (token !== undefined && tokenTo === 'protocol') protocols.push(`bearer.${token}`);
    const localAddress = localAddresses[client % localAddresses.length];
    return new WebSocket(url, protocols, {
      headers: sent,
      handshakeTimeout: timeout,
      lookup: this.#lookup,
      maxPayload: MAX_PAYLOAD,
      perMessageDeflate: false,
      rejectUnauthorized: !trustsAnyCertificate,
      skipUTF8Validation: true,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(origin === undefined ? {} : { origin }),
    });
  }
}
