import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';

/**
 * A handle of libuv, as far as Node shows it. A socket counts a write as waiting until its very last byte has gone, be it
 * a megabyte; only the handle tells how much of it the system has taken.
 */
interface Handle {
  /** Bytes that were handed to it. */
  readonly bytesWritten?: number;
  /** Bytes of those that the system has not taken yet. */
  readonly writeQueueSize?: number;
  /** What a TLS handle writes to. Its own queue size stays at a write's full size. */
  readonly _parent?: Handle;
}

/** What a network socket is beside its documented properties. The only place that reads them. */
type NetworkSocket = Duplex & { readonly _handle?: Handle | null; readonly bytesWritten?: number };

interface Queue {
  readonly handed: number;
  readonly waiting: number;
}

/** Whether this runtime shows the progress of a write, with TLS and without. Bun and Deno do not. */
export function showsWriteProgress(): boolean {
  try {
    // Without a socket it makes a TCP handle of its own, which never connects.
    const socket = Reflect.construct(TLSSocket, [undefined, {}]) as NetworkSocket;
    const isShown = queueOf(socket) !== undefined;
    socket.destroy();
    return isShown;
  } catch {
    return false;
  }
}

/**
 * Bytes that have left through a socket. It has an origin of its own: that it has risen is what it tells.
 *
 * @param buffered what ws says is waiting there
 */
export function sentBytesOf(stream: NetworkSocket | null | undefined, buffered: number): number {
  const queue = queueOf(stream);
  if (queue) return queue.handed - queue.waiting;
  // Whole writes then: on Deno those that were called back. On Bun nothing is counted but what waits, which shrinks.
  return (stream?.bytesWritten ?? 0) - buffered;
}

/** The same for those of its bytes that have not left. */
export function unsentBytesOf(stream: NetworkSocket | null | undefined, buffered: number): number {
  const queue = queueOf(stream);
  if (!stream || !queue) return buffered;
  const notHanded = (stream.bytesWritten ?? 0) - (stream._handle?.bytesWritten ?? 0);
  return buffered - stream.writableLength + notHanded + queue.waiting;
}

/**
 * Where progress is not shown, has each buffer written by itself: one write of all that waits would be called back only
 * when megabytes are out (on Deno 2.9 a steady reader was then taken for a stuck one).
 */
export function writeOneByOneUnlessShown(stream: NetworkSocket): void {
  if (!queueOf(stream)) Object.assign(stream, { _writev: null });
}

/** The network socket of a WebSocket that was not made here. */
export function networkSocketOf(ws: WebSocket & { readonly _socket?: Duplex | null }): Duplex | null {
  return ws._socket ?? null;
}

function queueOf(stream: NetworkSocket | null | undefined): Queue | undefined {
  const handle = stream?._handle?._parent ?? stream?._handle;
  if (handle?.bytesWritten === undefined || handle.writeQueueSize === undefined) return undefined;
  return { handed: handle.bytesWritten, waiting: handle.writeQueueSize };
}
