import { Inject, Injectable } from '@nestjs/common';
import { ClientManager } from '../clients/client-manager.js';
import type { WsClient } from '../clients/ws-client.js';
import { WsError } from '../errors/ws.error.js';
import { toErrorPayload } from '../errors/exception-mapper.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { MessageDispatcher } from '../routing/message.dispatcher.js';
import { Runtime } from '../runtime/runtime.js';
import { ConnectionHandler } from './connection.handler.js';
import { Heartbeat } from './heartbeat.js';
import { UpgradeHandler } from './upgrade.handler.js';

/** How many close frames are written in one turn of the event loop. */
const BATCH = 256;

/**
 * The graceful end of all connections: no new ones, running handlers finish and answer, then everybody reads 1001.
 * Takes `shutdown.timeout` at most, and happens once.
 */
@Injectable()
export class Drain {
  #done: Promise<void> | null = null;

  constructor(
    private readonly upgrades: UpgradeHandler,
    private readonly connections: ConnectionHandler,
    private readonly clientManager: ClientManager,
    private readonly dispatcher: MessageDispatcher,
    private readonly heartbeat: Heartbeat,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  run(): Promise<void> {
    return (this.#done ??= this.#drain());
  }

  async #drain(): Promise<void> {
    this.upgrades.close();
    this.dispatcher.stop();
    this.heartbeat.stop();
    const clients = [...this.clientManager.local.values()];
    const deadline = new Promise<void>((resolve) => {
      const timer = this.runtime.timeout(this.options.shutdown.timeout, () => resolve());
      void this.connections.whenEmpty().then(() => timer.cancel());
    });
    for (let at = 0; at < clients.length; at += BATCH) {
      for (const client of clients.slice(at, at + BATCH)) this.#release(client, deadline);
      await new Promise<void>((resolve) => this.runtime.afterIo(resolve));
    }
    await Promise.race([this.connections.whenEmpty(), deadline]);
    // Those that never answered the close frame, and those whose handlers never finished.
    for (const client of clients) client.ws.terminate();
  }

  /** Closes a client once its running handlers have answered; what still waits is told to come again. */
  #release(client: WsClient, deadline: Promise<void>): void {
    const close = (): void => client.ws.close(CLOSE_CODES.GOING_AWAY.code, CLOSE_CODES.GOING_AWAY.reason);
    if (client.isIdle) {
      close();
      return;
    }
    const refusal = toErrorPayload(new WsError('UNAVAILABLE', 'The server is shutting down.'));
    for (const message of client.inbound.clear()) client.sendText(client.codec.encodeError(refusal, message));
    void Promise.race([client.inbound.whenIdle(), deadline]).then(close);
  }
}
