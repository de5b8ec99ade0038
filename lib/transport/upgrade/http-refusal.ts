import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CUT_AFTER } from '../../runtime/close-or-cut.js';
import type { Runtime } from '../../runtime/runtime.js';

/** The HTTP response that refuses an upgrade. It repeats nothing that the client has sent. */
export interface HttpRefusal {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds after which it is worth trying again: Retry-After, in whole seconds. */
  readonly after?: number;
}

/** Answers an upgrade with a complete HTTP response and ends the socket; within a second it is gone. */
export function refuseUpgrade(
  stream: Duplex,
  { status, body, headers = {}, after }: HttpRefusal,
  runtime: Runtime,
): void {
  if (stream.destroyed || stream.writableEnded) {
    stream.destroy();
    return;
  }
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(after === undefined ? [] : [`Retry-After: ${Math.ceil(after / 1_000)}`]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const timer = runtime.timeout(CUT_AFTER, () => stream.destroy());
  stream.once('close', () => timer.cancel());
  stream.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
  stream.resume(); // an unread stream would never report that the peer has ended it
}
