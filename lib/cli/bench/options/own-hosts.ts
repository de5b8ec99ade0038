import { lookup } from 'node:dns/promises';
import { isIP, BlockList } from 'node:net';

/** An address of the server, which all clients of a run use: names are asked for once. */
export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
/** Where names that mean this machine lead to, whatever a resolver or a file of hosts says of them (RFC 6761, 6.3). */
const OWN_ADDRESSES: readonly HostAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * Whether a host of a URL is this machine and cannot be another one: an address of the loopback interface, `localhost`, or a name
 * under it. Another name is not, though it may lead here now: who answers for it may change that. Neither is `0.0.0.0`, which is
 * the address of no host.
 */
export function isOwnHost(host: string): boolean {
  const family = isIP(bare(host));
  if (family !== 0) return LOOPBACK.check(bare(host), family === 4 ? 'ipv4' : 'ipv6');
  return isLocalName(host);
}

/** The addresses of a host, in the order in which they are to be tried. */
export async function addressesOf(host: string): Promise<readonly HostAddress[]> {
  if (isLocalName(host)) return OWN_ADDRESSES;
  const found = await lookup(bare(host), { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

function isLocalName(host: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(host);
}

/** An IPv6 address without its brackets. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
