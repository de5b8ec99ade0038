import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { pipe } from './link.js';
import type { WorkerProcess } from './worker-process.js';

interface Visitor {
  /** Where its last connection has led to. */
  worker: WorkerProcess | undefined;
  isCut: boolean;
  readonly sockets: Set<Socket>;
}

/** The load balancer: leads each connection to a worker that is ready. It can cut the network of one visitor. */
export class Entrance {
  readonly #visitors = new Map<string, Visitor>();
  #turn = 0;

  constructor(private readonly workers: readonly WorkerProcess[]) {}

  /** Takes a request for a WebSocket, and hands it on as it came. */
  take(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const id = new URL(request.url ?? '/', 'http://localhost').searchParams.get('visitor') ?? '';
    const visitor = this.visitor(id);
    const worker = this.#workerFor(visitor);
    if (visitor.isCut || worker?.port === undefined) return void socket.destroy();
    visitor.worker = worker;
    visitor.sockets.add(socket);
    socket.once('close', () => visitor.sockets.delete(socket));
    const other = connect(worker.port, '127.0.0.1');
    other.write(`${headOf(request)}\r\n\r\n`);
    other.write(head);
    pipe(socket, other);
  }

  visitor(id: string): Visitor {
    let visitor = this.#visitors.get(id);
    if (!visitor) this.#visitors.set(id, (visitor = { worker: undefined, isCut: false, sockets: new Set() }));
    return visitor;
  }

  /** Ends a visitor's connections, and until `isOver` each new one. */
  async cut(id: string, isOver: Promise<unknown>): Promise<void> {
    const visitor = this.visitor(id);
    if (visitor.isCut) return;
    visitor.isCut = true;
    for (const socket of visitor.sockets) socket.destroy();
    await isOver;
    visitor.isCut = false;
  }

  /** The same worker again where it is ready, else another one, in turn. */
  #workerFor({ worker }: Visitor): WorkerProcess | undefined {
    const ready = this.workers.filter(({ state }) => state === 'ready');
    return worker?.state === 'ready' ? worker : ready[this.#turn++ % ready.length];
  }
}

function headOf({ method, url, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/1.1`];
  for (let index = 0; index < rawHeaders.length; index += 2)
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  return lines.join('\r\n');
}
