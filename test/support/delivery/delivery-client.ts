import { once } from 'node:events';
import { WebSocket } from 'ws';
import { EncryptedClient, type CodecName } from '../encrypted-client.js';
import { DeliveryLedger } from './delivery-ledger.js';

export const KINDS = ['pxl.v1', 'event.v1', 'compressed', 'encrypted', 'encrypted event.v1'] as const;
export type ClientKind = (typeof KINDS)[number];

/** What a frame of a story says, in either codec. */
interface StoryFrame {
  readonly data?: unknown;
  readonly response?: unknown;
}

interface Said {
  n?: number;
  text?: string;
  length?: number;
  answer?: number;
  behind?: number;
}

/** A client of a story, which writes down what it gets. */
export class DeliveryClient {
  readonly ledger: DeliveryLedger;
  clientId = '';
  #socket!: WebSocket;
  #encrypted: EncryptedClient | null = null;

  constructor(
    readonly name: string,
    readonly kind: ClientKind,
    /** The worker to which it is connected. */
    readonly worker: number,
  ) {
    this.ledger = new DeliveryLedger(`${name} (${kind})`);
    this.ledger.isPrompt = kind === 'pxl.v1' || kind === 'event.v1';
  }

  get isEncrypted(): boolean {
    return this.kind.startsWith('encrypted');
  }

  async connect(url: string): Promise<void> {
    if (this.isEncrypted) await this.#connectEncrypted(url);
    else await this.#connectPlain(url);
  }

  /** Sends a request, or a whisper. */
  send(type: string, action: string, data: unknown, id?: string): void {
    const message = this.#codec === 'pxl.v1' ? { type, action, data, id } : { event: `${type}:${action}`, data, id };
    if (this.#encrypted) void this.#encrypted.send(message);
    else this.#socket.send(JSON.stringify(message));
  }

  pause(): void {
    this.ledger.isPrompt = false;
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  async end(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.resume();
    this.#socket.terminate();
    await once(this.#socket, 'close');
  }

  get #codec(): CodecName {
    return this.kind.endsWith('event.v1') ? 'event.v1' : 'pxl.v1';
  }

  async #connectPlain(url: string): Promise<void> {
    const socket = new WebSocket(url, [this.#codec], { perMessageDeflate: this.kind === 'compressed' });
    this.#socket = socket;
    const welcome = once(socket, 'message');
    socket.on('error', () => undefined);
    socket.on('close', (code) => this.ledger.ended(code));
    socket.on('ping', (data) => this.#take({ data: JSON.parse(data.toString()) as unknown }));
    this.#welcomed(JSON.parse(String((await welcome)[0])) as StoryFrame);
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as StoryFrame));
  }

  async #connectEncrypted(url: string): Promise<void> {
    // Those of `event.v1` get single frames.
    const sealed = this.#codec === 'pxl.v1' ? 'lists' : undefined;
    const client = await EncryptedClient.connect(url, { codec: this.#codec, sealed });
    this.#encrypted = client;
    this.#socket = client.socket;
    this.clientId = client.clientId;
    void client.closed.then(({ code }) => this.ledger.ended(code));
    client.onMessage = (message) => this.#take(message);
  }

  #welcomed({ data }: StoryFrame): void {
    const { clientId, id } = data as { clientId?: string; id?: string };
    this.clientId = clientId ?? id ?? '';
  }

  #take({ data, response }: StoryFrame): void {
    const said = (response ?? data) as Said | undefined;
    if (said?.n !== undefined) this.ledger.got(said.n, performance.now(), said.text?.length === said.length);
    else if (said?.answer !== undefined) this.ledger.answered(said.answer, said.behind!);
  }
}
