import type { WsCredentials, WsIdentity } from 'nestjs-pxl-websocket';

// Neither control characters nor invisible ones, which would make two different names look the same.
const VISIBLE_NAME = /^[^\p{C}\p{Zl}\p{Zp}]{1,24}$/u;

/**
 * Takes everybody at their word: this demo has no passwords, and whoever says a name is that person. An application
 * would verify a token here; a browser can send one in a cookie or as a WebSocket subprotocol.
 */
export function authenticateByName({ request }: WsCredentials): WsIdentity | null {
  const { searchParams } = new URL(request.url, 'http://localhost');
  const name = searchParams.get('name')?.trim() ?? '';
  return VISIBLE_NAME.test(name) ? { userId: name, payload: { name } } : null;
}
