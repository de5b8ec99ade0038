import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';

/** A connection as these servers see it. */
export interface SeedConnection {
  readonly socket: WebSocket;
  readonly clientId: string;
  /** What the client offered as subprotocols; undefined for nothing. */
  readonly offered: string | undefined;
  readonly token: string | null;
  /** Every message that it has sent, as it wrote it. */
  readonly heard: unknown[];
  readonly closed: Promise<number>;
}

type Message = Record<string, unknown>;

/** What both have in common: a plain WebSocket server that names no subprotocol, and rooms. */
abstract class SeedServer {
  readonly connections: SeedConnection[] = [];
  readonly rooms = new Map<string, Set<SeedConnection>>();
  readonly #http: Server = createServer();
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => false });

  constructor() {
    this.#http.on('upgrade', (request, socket, head) => {
      const token = new URL(request.url ?? '', 'ws://host').searchParams.get('token');
      if (!this.admits(token)) {
        socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n');
        return;
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        const connection = {
          socket: ws,
          clientId: `c${this.connections.length + 1}`,
          offered: request.headers['sec-websocket-protocol'],
          token,
          heard: [],
          closed: new Promise<number>((resolve) => ws.once('close', resolve)),
        } satisfies SeedConnection;
        this.#take(connection);
      });
    });
  }

  async listen(): Promise<this> {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
    return this;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/ws`;
  }

  send({ socket }: SeedConnection, message: Message): void {
    socket.send(JSON.stringify(message));
  }

  sendToRoom(roomName: string, message: Message): void {
    for (const member of this.rooms.get(roomName) ?? []) this.send(member, message);
  }

  /** The newest connection. */
  get last(): SeedConnection {
    return this.connections.at(-1)!;
  }

  async close(): Promise<void> {
    for (const { socket } of this.connections) socket.terminate();
    this.#http.close();
    await once(this.#http, 'close');
  }

  protected abstract admits(token: string | null): boolean;
  protected abstract hear(connection: SeedConnection, message: Message): void;
  protected abstract met(connection: SeedConnection): void;

  protected enter(connection: SeedConnection, roomName: string): void {
    this.rooms.set(roomName, (this.rooms.get(roomName) ?? new Set()).add(connection));
  }

  #take(connection: SeedConnection): void {
    const { socket, heard } = connection;
    this.connections.push(connection);
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      const message = JSON.parse((data as Buffer).toString()) as Message;
      heard.push(message);
      this.hear(connection, message);
    });
    socket.on('close', () => this.rooms.forEach((members) => members.delete(connection)));
    this.met(connection);
  }
}

/**
 * A server of the PXL framework, as its documents tell: nobody is welcomed, a message is `{ type, action, data }`, what a
 * controller returns is sent back under the names of the message, and nothing has an id.
 */
export class PxlFrameworkServer extends SeedServer {
  readonly tokens = new Set<string>();
  /** By `type:action`. */
  readonly controllers = new Map<string, (data: never) => unknown>();

  protected override admits(token: string | null): boolean {
    return token === null || this.tokens.has(token);
  }

  /** Nobody is welcomed. */
  protected override met(): void {}

  protected override hear(connection: SeedConnection, { type, action, data }: Message): void {
    const { roomName } = (data ?? {}) as { roomName: string };
    const reply = (response: unknown): void => this.send(connection, { type, action, response });
    if (type === 'system' && action === 'joinRoom') {
      this.enter(connection, roomName);
      reply({ success: true, data: { roomName } });
    } else if (type === 'system' && action === 'leaveRoom') {
      this.rooms.get(roomName)?.delete(connection);
      this.send(connection, { type: 'user', action: 'leftRoom', data: { roomName } });
      reply(undefined);
    } else {
      const controller = this.controllers.get(`${String(type)}:${String(action)}`);
      if (controller) void Promise.resolve(controller(data as never)).then(reply);
    }
  }
}

/**
 * A server of Ignis, as its documents tell: a message is `{ event, data }`; a client says who it is by `authenticate`, which
 * `connected` answers, or an error and 4003; `join`, `leave` and `heartbeat` are not answered; the rest is the application's.
 */
export class IgnisFrameworkServer extends SeedServer {
  authenticate: (data: Message) => { userId?: string } | null = () => ({});
  authTimeout = 5_000;
  /** It hears nothing of what clients say. */
  isDeaf = false;
  /** The `messageHandler`. */
  handle: (connection: SeedConnection, message: Message) => void = () => undefined;
  readonly #timers = new Map<SeedConnection, NodeJS.Timeout>();
  readonly #known = new Set<SeedConnection>();

  protected override admits(): boolean {
    return true;
  }

  protected override met(connection: SeedConnection): void {
    const late = (): void => connection.socket.close(4001, 'Authentication timeout');
    const timer = setTimeout(late, this.authTimeout);
    this.#timers.set(connection, timer);
    connection.socket.on('close', () => clearTimeout(timer));
  }

  protected override hear(connection: SeedConnection, message: Message): void {
    const { event, data } = message;
    if (event === 'heartbeat' || this.isDeaf) return;
    if (event === 'authenticate') this.#authenticate(connection, data as Message);
    else if (!this.#known.has(connection)) this.#refuse(connection, 'Not authenticated');
    else if (event === 'join') for (const room of (data as { rooms: string[] }).rooms) this.enter(connection, room);
    else if (event === 'leave')
      for (const room of (data as { rooms: string[] }).rooms) this.rooms.get(room)?.delete(connection);
    else this.handle(connection, message);
  }

  #authenticate(connection: SeedConnection, data: Message): void {
    clearTimeout(this.#timers.get(connection));
    const user = this.authenticate(data);
    if (user) {
      this.#known.add(connection);
      const { clientId: id } = connection;
      this.send(connection, { event: 'connected', data: { id, userId: user.userId, time: Date.now() } });
    } else {
      this.#refuse(connection, 'Authentication failed');
      connection.socket.close(4003, 'Authentication failed');
    }
  }

  #refuse(connection: SeedConnection, message: string): void {
    this.send(connection, { event: 'error', data: { message } });
  }
}
