import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { ClientAddress, networkOf } from '../../lib/auth/client-address.js';
import { resolveOptions } from '../../lib/pxl-websocket.module-options.js';

function addressOf(peer: string, forwarded: string | undefined, trustProxy: boolean | number | string[]): string {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: peer });
  const request = new IncomingMessage(socket);
  if (forwarded !== undefined) request.headers['x-forwarded-for'] = forwarded;
  return new ClientAddress(resolveOptions({ trustProxy })).of(request);
}

describe('the address of a client', () => {
  it.each<[string, string, string | undefined, boolean | number | string[], string]>([
    ['is the peer by default', '10.0.0.1', '1.1.1.1', false, '10.0.0.1'],
    ['is the peer where nothing was forwarded', '10.0.0.1', undefined, true, '10.0.0.1'],
    ['is IPv4 in its own form', '::ffff:10.0.0.1', undefined, false, '10.0.0.1'],
    ['is the leftmost where everybody is trusted', '10.0.0.1', '1.1.1.1, 2.2.2.2', true, '1.1.1.1'],
    ['is behind so many proxies', '10.0.0.1', '6.6.6.6, 1.1.1.1, 10.0.0.2', 2, '1.1.1.1'],
    ['is no further than what was forwarded', '10.0.0.1', '1.1.1.1', 5, '1.1.1.1'],
    [
      'is the first that is not trusted, from the right',
      '10.0.0.1',
      '6.6.6.6, 1.1.1.1, 10.0.0.2',
      ['10.0.0.0/8'],
      '1.1.1.1',
    ],
    ['is the peer when that is not trusted', '9.9.9.9', '1.1.1.1', ['10.0.0.0/8'], '9.9.9.9'],
    [
      'is the last one trusted, when what is before is no address',
      '10.0.0.1',
      'unknown, 10.0.0.2',
      ['10.0.0.0/8'],
      '10.0.0.2',
    ],
    ['is without a port', '10.0.0.1', '1.1.1.1:4711', true, '1.1.1.1'],
    ['is without brackets and a port', '10.0.0.1', '[2001:db8::1]:4711', true, '2001:db8::1'],
    ['is found behind an IPv6 proxy', 'fd00::1', '1.1.1.1', ['fd00::/8'], '1.1.1.1'],
  ])('%s', (_what, peer, forwarded, trustProxy, address) => {
    expect(addressOf(peer, forwarded, trustProxy)).toBe(address);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['', ''],
  ])('%s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
