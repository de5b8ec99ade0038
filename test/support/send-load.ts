import type { ClientManager, PxlWebSocketServer, WebSocketService } from 'nestjs-pxl-websocket';

/** What became of one message of a load. */
export interface SendResult {
  readonly number: number;
  /** The milliseconds until the send settled. */
  readonly ms: number;
  /** What it was rejected with; undefined: it was not. */
  readonly code: string | undefined;
}

/** The data of a load's message. */
export interface LoadData {
  readonly number: number;
  /** ms since 1970 */
  readonly sentAt: number;
}

const TURN = 5;

/**
 * Sends numbered messages to a room at a steady rate, and writes down what became of each. Beside them go calls that reach
 * nobody and return nothing, so that their failures are for the log.
 */
export class SendLoad {
  readonly #results: Promise<SendResult>[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly service: WebSocketService,
    private readonly server: PxlWebSocketServer,
    private readonly clients: ClientManager,
  ) {}

  start(roomName: string, perSecond: number): void {
    const begin = performance.now();
    this.#timer = setInterval(() => {
      const due = ((performance.now() - begin) * perSecond) / 1_000;
      while (this.#results.length < due) this.#results.push(this.#send(roomName, this.#results.length));
    }, TURN);
  }

  /** Ends it; resolves once every send has settled. */
  async stop(): Promise<SendResult[]> {
    clearInterval(this.#timer ?? undefined);
    return Promise.all(this.#results.splice(0));
  }

  async #send(roomName: string, number: number): Promise<SendResult> {
    this.#callUnheard(number);
    const begin = performance.now();
    const data: LoadData = { number, sentAt: Date.now() };
    const code = await this.service
      .sendToRooms([roomName], { type: 'load', action: 'send', data })
      .then(() => undefined)
      .catch((error: unknown) => String((error as { code?: unknown }).code));
    return { number, ms: performance.now() - begin, code };
  }

  #callUnheard(number: number): void {
    this.server.broadcastToRoom({ roomName: 'nowhere', data: number });
    this.server.sendCustomMessage({ data: number });
    this.clients.updateClient({ clientId: 'nobody', key: 'number', data: number });
  }
}
