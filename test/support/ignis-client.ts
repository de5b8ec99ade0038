import { WebSocket, type ClientOptions } from 'ws';
import type { WsTestClose } from 'nestjs-pxl-websocket/testing';
import { TestClient } from './test-client.js';

/** A message as the documents of Ignis have it. */
export interface IgnisMessage {
  event: string;
  data?: unknown;
  id?: string;
}

/** A client that knows the documents of Ignis and nothing else: its events over a plain WebSocket. */
export class IgnisClient {
  #lastId = 0;

  private constructor(private readonly client: TestClient) {}

  /** Opens a connection; nothing is said yet. */
  static async open(url: string, options: ClientOptions & { protocols?: string[] } = {}): Promise<IgnisClient> {
    return new IgnisClient(await TestClient.open(url, options));
  }

  /** Opens a connection and authenticates. */
  static async connect(url: string, data: unknown): Promise<IgnisClient> {
    const client = await IgnisClient.open(url);
    client.emit('authenticate', data);
    client.id = ((await client.next('connected')).data as { id: string }).id;
    return client;
  }

  /** The id that `connected` told; empty before `connect`. */
  id = '';

  get socket(): WebSocket {
    return this.client.socket;
  }

  get closed(): Promise<WsTestClose> {
    return this.client.closed;
  }

  /** Everything that has arrived and nobody has taken. */
  get pending(): readonly unknown[] {
    return this.client.pending;
  }

  emit(event: string, data?: unknown, id?: string): void {
    this.client.send({ event, data, id });
  }

  /** Sends any text at all. */
  say(text: string): void {
    this.client.send(text);
  }

  /** The next message, or the next one of that event; others stay in the queue. */
  async next(event?: string): Promise<IgnisMessage> {
    return (await this.client.take((message) => event === undefined || message.event === event)) as IgnisMessage;
  }

  /** Sends a message with an id and resolves with what carries the same one. */
  async ask(event: string, data?: unknown): Promise<IgnisMessage> {
    const id = `i${++this.#lastId}`;
    this.emit(event, data, id);
    return (await this.client.take((message) => message.id === id)) as IgnisMessage;
  }
}
