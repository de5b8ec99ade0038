import { once } from 'node:events';
import { connect, type ClientHttp2Stream } from 'node:http2';
import { encodeFrame } from '../support/raw-client.js';
import { within } from './within.js';

/** Asks one thing over a WebSocket in a stream of HTTP/2 (RFC 8441). @returns the answer's data */
export async function askOverHttp2(port: number, question: string): Promise<unknown> {
  const session = connect(`https://localhost:${port}`, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  try {
    await once(session, 'remoteSettings');
    if (session.remoteSettings.enableConnectProtocol !== true) throw new Error('It offers no WebSockets over HTTP/2.');
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/ws',
      'sec-websocket-version': '13',
      'sec-websocket-protocol': 'pxl.v1',
      origin: `https://localhost:${port}`,
    });
    return await ask(stream, question);
  } finally {
    session.destroy();
  }
}

async function ask(stream: ClientHttp2Stream, question: string): Promise<unknown> {
  stream.on('error', () => undefined);
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  if (headers[':status'] !== 200) throw new Error(`The status is ${String(headers[':status'])}.`);
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  const message = { type: 'guest', action: 'echo', id: 'q', data: question };
  stream.write(encodeFrame({ payload: JSON.stringify(message) }));
  return within(3_000, 'an answer comes over HTTP/2', () => text.includes('"id":"q"') && text.includes(question));
}
