import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import { ENGINE } from '../../runtime/engine.js';

/**
 * A handle of libuv, as far as Node shows it. A network socket counts the whole of a write as waiting until its last byte
 * has left; only the handle tells how much of it the system has taken.
 */
interface Handle {
  /** Bytes that were handed to the handle. */
  readonly bytesWritten?: number;
  /** Bytes of those that the system has not taken yet. */
  readonly writeQueueSize?: number;
  /** The handle below a TLS handle, whose own queue size stays at a write's full size. */
  readonly _parent?: Handle;
}

/** A network socket with properties that Node does not document. Only this file reads them. */
type NetworkSocket = Duplex & { readonly _handle?: Handle | null; readonly bytesWritten?: number };

interface Queue {
  readonly handed: number;
  readonly waiting: number;
}

/** Whether this runtime shows the progress of a write, with TLS and without: Bun by its `ws`, Deno not at all. */
export function showsWriteProgress(): boolean {
  if (ENGINE === 'bun') return true;
  try {
    // Given no socket, TLSSocket makes a TCP handle of its own, which never connects.
    const socket = Reflect.construct(TLSSocket, [undefined, {}]) as NetworkSocket;
    const isShown = queueOf(socket) !== undefined;
    socket.destroy();
    return isShown;
  } catch {
    return false;
  }
}

/**
 * A number that rises with every byte that leaves through a socket. It does not begin at zero: only its change tells.
 *
 * @param buffered what ws says is waiting there
 */
export function sentBytesOf(stream: NetworkSocket | null | undefined, buffered: number): number {
  const queue = queueOf(stream);
  if (queue) return queue.handed - queue.waiting;
  // Only whole writes are seen then, as on Deno: those that were called back.
  return (stream?.bytesWritten ?? 0) - buffered;
}

/** The bytes of a socket that have not left. */
export function unsentBytesOf(stream: NetworkSocket | null | undefined, buffered: number): number {
  const queue = queueOf(stream);
  if (!stream || !queue) return buffered;
  const notHanded = (stream.bytesWritten ?? 0) - (stream._handle?.bytesWritten ?? 0);
  return buffered - stream.writableLength + notHanded + queue.waiting;
}

/**
 * Has a socket write each buffer by itself where the runtime does not show the progress of a write: one write of all that
 * waits would be called back only after megabytes (on Deno 2.9 a steady reader was then taken for a stuck one).
 */
export function writeOneByOneUnlessShown(stream: NetworkSocket): void {
  if (!queueOf(stream)) Object.assign(stream, { _writev: null });
}

/** The network socket of a WebSocket that another server has accepted. */
export function networkSocketOf(ws: WebSocket & { readonly _socket?: Duplex | null }): Duplex | null {
  return ws._socket ?? null;
}

function queueOf(stream: NetworkSocket | null | undefined): Queue | undefined {
  const handle = stream?._handle?._parent ?? stream?._handle;
  if (handle?.bytesWritten === undefined || handle.writeQueueSize === undefined) return undefined;
  return { handed: handle.bytesWritten, waiting: handle.writeQueueSize };
}
