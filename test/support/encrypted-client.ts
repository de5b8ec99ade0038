import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import { WebCryptoPeer } from './web-crypto-peer.js';

type Message = Record<string, unknown>;

/** How a codec writes the frames that an encrypted client knows. */
const ENVELOPES = {
  'pxl.v1': {
    encrypted: (data: unknown) => ({ type: 'system', action: 'encrypted', data }),
    authenticate: (data: unknown) => ({ type: 'system', action: 'authenticate', data, id: 'auth' }),
    isEncrypted: ({ type, action }: Message) => type === 'system' && action === 'encrypted',
    isConnected: ({ type, action }: Message) => type === 'system' && action === 'connected',
  },
  'event.v1': {
    encrypted: (data: unknown) => ({ event: 'encrypted', data }),
    authenticate: (data: unknown) => ({ event: 'authenticate', data, id: 'auth' }),
    isEncrypted: ({ event }: Message) => event === 'encrypted',
    isConnected: ({ event }: Message) => event === 'connected',
  },
} as const;

export type CodecName = keyof typeof ENVELOPES;

export interface EncryptedClientOptions extends ClientOptions {
  codec?: CodecName;
  /** Brings the key by message with these data, not by the upgrade. */
  authenticate?: Message;
  /** Offers the key in the query, not in the header. */
  inQuery?: boolean;
  /** What it announces beside its key. With `lists` it reads them. */
  sealed?: string;
}

const PATIENCE = 15_000;

/** A raw ws client that encrypts with WebCrypto. What arrives is opened in its order; tests await the next message. */
export class EncryptedClient {
  /** What arrived in clear, in order. */
  readonly clear: Message[] = [];
  readonly messages: Message[] = [];
  /** The encrypted frames, as they arrived. */
  readonly sealed: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  clientId = '';
  /** Called with each opened message, beside the queue. */
  onMessage: (message: Message) => void = () => undefined;
  #opened = Promise.resolve();
  #sent = Promise.resolve();
  readonly #waiting = new Set<() => void>();
  #failure: unknown = null;

  private constructor(
    readonly socket: WebSocket,
    readonly peer: WebCryptoPeer,
    private readonly codec: CodecName,
    private readonly readsLists: boolean,
  ) {
    socket.on('message', (data) => {
      const text = (data as Buffer).toString();
      this.#opened = this.#opened.then(() => this.#take(text)).catch((error: unknown) => this.#fail(error));
    });
    socket.on('error', () => undefined);
    this.closed = once(socket, 'close').then(async ([code, reason]) => {
      await this.#opened;
      this.#fail(new Error(`Closed with ${code as number}.`));
      return { code: code as number, reason: (reason as Buffer).toString() };
    });
  }

  /** Connects and offers a key, without waiting for an agreement. */
  static async open(url: string, options: EncryptedClientOptions = {}): Promise<EncryptedClient> {
    const { codec = 'pxl.v1', authenticate, inQuery = false, sealed, ...rest } = options;
    const peer = await WebCryptoPeer.create();
    const target = new URL(url);
    const headers: Record<string, string> = { ...rest.headers };
    if (!authenticate && inQuery) {
      target.searchParams.set('publicKey', peer.publicKey);
      if (sealed) target.searchParams.set('sealed', sealed);
    } else if (!authenticate) {
      headers['x-pxl-public-key'] = peer.publicKey;
      if (sealed) headers['x-pxl-sealed'] = sealed;
    }
    const socket = new WebSocket(target, [codec], { perMessageDeflate: false, ...rest, headers });
    const client = new EncryptedClient(socket, peer, codec, sealed === 'lists');
    await once(socket, 'open');
    if (authenticate) {
      const data = { ...authenticate, publicKey: peer.publicKey, sealed };
      client.sendClear(ENVELOPES[codec].authenticate(data));
    }
    return client;
  }

  /** Connects; resolves once the keys are agreed on. */
  static async connect(url: string, options?: EncryptedClientOptions): Promise<EncryptedClient> {
    const client = await EncryptedClient.open(url, options);
    await client.#until(() => client.peer.isAgreed);
    return client;
  }

  /** Encrypts and sends; resolves once it is on its way. */
  send(message: unknown): Promise<void> {
    this.#sent = this.#sent.then(async () => this.socket.send(await this.seal(message)));
    return this.#sent;
  }

  /** The text of the next encrypted frame, which somebody else may send. */
  async seal(message: unknown): Promise<string> {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    return JSON.stringify(ENVELOPES[this.codec].encrypted(await this.peer.seal(text)));
  }

  sendClear(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next opened message; others than fit stay. */
  async next(fits: (message: Message) => boolean = () => true): Promise<Message> {
    let at = -1;
    await this.#until(() => (at = this.messages.findIndex(fits)) >= 0);
    return this.messages.splice(at, 1)[0]!;
  }

  /** Sends a request and resolves with what answers it. */
  async request(message: Message & { id: unknown }): Promise<Message> {
    await this.send(message);
    return this.next(({ id }) => id === message.id);
  }

  /** Resolves once so many messages are there, and takes them. */
  async take(count: number, patience?: number): Promise<Message[]> {
    await this.#until(() => this.messages.length >= count, patience);
    return this.messages.splice(0, count);
  }

  async #take(text: string): Promise<void> {
    const envelope = ENVELOPES[this.codec];
    const message = JSON.parse(text) as Message;
    if (envelope.isEncrypted(message) && this.peer.isAgreed) {
      this.sealed.push(text);
      const data = message.data as string;
      const texts = this.readsLists ? await this.peer.openList(data) : [await this.peer.open(data)];
      for (const opened of texts.map((one) => JSON.parse(one) as Message)) {
        this.messages.push(opened);
        this.onMessage(opened);
      }
    } else {
      this.clear.push(message);
      const data = message.data as { clientId?: string; id?: string; serverPublicKey?: string; salt?: string };
      if (envelope.isConnected(message) && data.serverPublicKey !== undefined && data.salt !== undefined) {
        this.clientId = data.clientId ?? data.id ?? '';
        await this.peer.agree({ serverPublicKey: data.serverPublicKey, salt: data.salt });
      }
    }
    this.#wake();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#wake();
  }

  async #until(isMet: () => boolean, patience = PATIENCE): Promise<void> {
    const deadline = Date.now() + patience;
    while (!isMet()) {
      if (this.#failure !== null) throw this.#failure as Error;
      if (Date.now() >= deadline)
        throw new Error(`It did not come; opened: ${JSON.stringify(this.messages.slice(0, 3))}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, deadline - Date.now());
        this.#waiting.add(wake);
      });
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
