import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';

/** A message as the server wrote it. */
export interface Received {
  type?: string;
  action?: string;
  event?: string;
  id?: string | number;
  data?: unknown;
  response?: unknown;
  done?: boolean;
  callId?: number;
}

/** How a connection ended. */
export interface Closed {
  code: number;
  reason: string;
}

/** How long a test waits for what it expects, before it fails with what it got instead. */
const PATIENCE = 5_000;

/** A WebSocket with a queue: tests await the next message instead of sleeping. */
export class TestClient {
  readonly #messages: Received[] = [];
  readonly #waiting = new Set<() => void>();
  readonly closed: Promise<Closed>;
  #end: Closed | null = null;
  #lastId = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      this.#messages.push(JSON.parse((data as Buffer).toString()) as Received);
      this.#wake();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#end = { code, reason: reason.toString() };
        resolve(this.#end);
        this.#wake();
      });
    });
  }

  /** Opens a connection; resolves at the 101, rejects with `Unexpected server response: <status>`. */
  static async open(url: string, options: ClientOptions & { protocols?: string[] } = {}): Promise<TestClient> {
    const { protocols = [], ...rest } = options;
    const client = new TestClient(new WebSocket(url, protocols, rest));
    await once(client.socket, 'open');
    return client;
  }

  /** Opens a connection and takes its welcome off the queue. */
  static async connect(url: string, options: ClientOptions & { protocols?: string[] } = {}): Promise<TestClient> {
    const client = await TestClient.open(url, options);
    client.clientId = ((await client.next('system', 'connected')).data as { clientId: string }).clientId;
    return client;
  }

  /** The id that the welcome told; empty before `connect`. */
  clientId = '';

  /** Everything that has arrived and nobody has taken. */
  get pending(): readonly Received[] {
    return this.#messages;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Sends a request and resolves with its reply or error frame. */
  async call(type: string, action: string, data?: unknown): Promise<Received> {
    const id = `t${++this.#lastId}`;
    this.send({ type, action, data, id });
    return this.take((message: Received | null) => message?.id === id); // a push may be null
  }

  /** Sends a request and resolves with its response; rejects with `CODE: sentence` when it is refused. */
  async request(type: string, action: string, data?: unknown): Promise<unknown> {
    const reply = await this.call(type, action, data);
    if (reply.type !== 'error') return reply.response;
    const { code, error } = reply.data as { code: string; error: string };
    throw new Error(`${code}: ${error}`);
  }

  /** The next message, or the next one of that type and action; others stay in the queue. */
  next(type?: string, action?: string): Promise<Received> {
    return this.take(
      (message) => (type === undefined || message.type === type) && (action === undefined || message.action === action),
    );
  }

  /** The next message that fits; others stay in the queue. */
  async take(fits: (message: Received) => boolean): Promise<Received> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const at = this.#messages.findIndex(fits);
      if (at >= 0) return this.#messages.splice(at, 1)[0]!;
      if (this.#end) throw new Error(`Closed with ${this.#end.code} before the message came; ${this.#describe()}`);
      await this.#change(deadline);
    }
  }

  /** Fails when a message arrives within `ms`. */
  async expectNothing(ms = 100): Promise<void> {
    const deadline = Date.now() + ms;
    while (Date.now() < deadline && this.#messages.length === 0) await this.#change(deadline, false);
    if (this.#messages.length > 0) throw new Error(`Expected nothing, got ${this.#describe()}`);
  }

  /** Closes the connection and resolves once it is closed. */
  async close(code = 1000): Promise<Closed> {
    this.socket.close(code);
    return this.closed;
  }

  #change(deadline: number, complain = true): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(
        () => {
          this.#waiting.delete(wake);
          if (complain) reject(new Error(`The message did not come; ${this.#describe()}`));
          else resolve();
        },
        Math.max(0, deadline - Date.now()),
      );
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #describe(): string {
    return `queued: ${JSON.stringify(this.#messages).slice(0, 500)}`;
  }
}
