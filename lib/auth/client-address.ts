import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4 } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * Finds the address of a client. Behind proxies it stands in `X-Forwarded-For`, which any client can write. So only what
 * trusted proxies have added counts, read from right to left up to the first address that is not trusted.
 */
@Injectable()
export class ClientAddress {
  readonly #isTrusted: (address: string, hop: number) => boolean;

  constructor(@Inject(PXL_WS_OPTIONS) { trustProxy }: ResolvedOptions) {
    if (typeof trustProxy === 'boolean') {
      this.#isTrusted = () => trustProxy;
    } else if (typeof trustProxy === 'number') {
      this.#isTrusted = (_address, hop) => hop < trustProxy;
    } else {
      const proxies = blockListOf(trustProxy);
      this.#isTrusted = (address) => proxies.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
    }
  }

  /** The address without a port, IPv4 in dotted form; empty when the socket is gone. */
  of({ headers, socket }: IncomingMessage): string {
    let client = normalize(socket.remoteAddress ?? '') ?? '';
    const forwarded = headers['x-forwarded-for'];
    if (client === '' || forwarded === undefined) return client;
    const hops = (Array.isArray(forwarded) ? forwarded.join(',') : forwarded).split(',').reverse();
    for (const [hop, text] of hops.entries()) {
      if (!this.#isTrusted(client, hop)) break;
      const next = normalize(text.trim());
      if (next === undefined) break; // a trusted proxy has written something that is no address
      client = next;
    }
    return client;
  }
}

/** The network that the limit per address counts as one client: of IPv6 a /64, from which one user can choose. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...new Array<string>(zeros).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** @throws TypeError or RangeError for what is neither an address nor a range in CIDR notation */
export function blockListOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const type = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (prefix === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(prefix), type);
  }
  return list;
}

function normalize(text: string): string | undefined {
  // Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
  const bare = /^\[(.+)\](?::\d+)?$/.exec(text)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)?.[1] ?? text;
  const address = (MAPPED_IPV4.exec(bare)?.[1] ?? bare).replace(/%.*$/, '');
  return isIP(address) ? address : undefined;
}
