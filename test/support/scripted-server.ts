import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

/** How long a test waits for what it expects, before it fails with what it got instead. */
const PATIENCE = 15_000;

/** A message as a client wrote it. */
export interface Heard {
  type?: string;
  action?: string;
  event?: string;
  id?: number;
  data?: unknown;
}

/** What a client that connects meets. */
export type Script = (connection: ScriptedConnection) => void;

/** A server that does what a test says, right or wrong: the other side of a client under test. */
export class ScriptedServer {
  readonly connections: ScriptedConnection[] = [];
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  private constructor(
    private readonly server: WebSocketServer,
    /** What the next client meets; may be changed at any time. */
    public script: Script,
  ) {
    server.on('connection', (socket, request) => {
      const connection = new ScriptedConnection(socket, request);
      this.connections.push(connection);
      this.script(connection);
      for (const wake of this.#waiting) wake();
    });
  }

  static async start(script: Script = (connection) => connection.welcome(), port = 0): Promise<ScriptedServer> {
    const handleProtocols = (offered: Set<string>): string | false =>
      [...offered].find((name) => name === 'pxl.v1' || name === 'event.v1') ?? false;
    const server = new WebSocketServer({ port, host: '127.0.0.1', handleProtocols, maxPayload: 64 * 1_048_576 });
    await once(server, 'listening');
    return new ScriptedServer(server, script);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  /** The next connection that no test has taken yet. */
  async next(): Promise<ScriptedConnection> {
    await waitUntil(
      () => this.connections.length > this.#taken,
      this.#waiting,
      () => 'nobody connected',
    );
    return this.connections[this.#taken++]!;
  }

  /** Fails when somebody connects within `ms`, beside those that a test has taken. */
  async expectNobody(ms = 100): Promise<void> {
    const before = this.connections.length;
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (this.connections.length > before) throw new Error('Expected nobody, but somebody connected.');
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.terminate();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** One client of a {@link ScriptedServer}. */
export class ScriptedConnection {
  readonly heard: Heard[] = [];
  readonly closed: Promise<number>;
  readonly #waiting = new Set<() => void>();

  constructor(
    readonly socket: WebSocket,
    readonly request: IncomingMessage,
  ) {
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      this.heard.push(JSON.parse((data as Buffer).toString()) as Heard);
      for (const wake of this.#waiting) wake();
    });
  }

  /** Sends a value as JSON, a text as it is. */
  send(value: unknown): void {
    this.socket.send(typeof value === 'string' ? value : JSON.stringify(value));
  }

  /** Greets the client in the words of `pxl.v1`. */
  welcome(data: Record<string, unknown> = {}): void {
    this.send({
      type: 'system',
      action: 'connected',
      data: { clientId: 'c', protocol: 'pxl.v1', heartbeat: null, ...data },
    });
  }

  /** Answers a request in the words of `pxl.v1`. */
  reply({ type, action, id }: Heard, response: unknown): void {
    this.send({ type, action, id, response });
  }

  /** Refuses a request in the words of `pxl.v1`. */
  refuse({ id }: Heard, code: string, more: Record<string, unknown> = {}): void {
    this.send({ type: 'error', action: 'message', id, data: { error: 'No.', code, retryable: false, ...more } });
  }

  /** The next message of the client, or the next one with that action or event; others stay. */
  async next(name?: string): Promise<Heard> {
    const find = (): number =>
      this.heard.findIndex(({ action, event }) => name === undefined || action === name || event === name);
    await waitUntil(
      () => find() >= 0,
      this.#waiting,
      () => `heard ${JSON.stringify(this.heard).slice(0, 500)}`,
    );
    return this.heard.splice(find(), 1)[0]!;
  }
}

function waitUntil(isMet: () => boolean, waiting: Set<() => void>, describe: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = (): void => {
      if (!isMet()) return;
      end();
      resolve();
    };
    const end = (): void => {
      clearTimeout(timer);
      waiting.delete(wake);
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`It did not come: ${describe()}`));
    }, PATIENCE);
    waiting.add(wake);
    wake();
  });
}
