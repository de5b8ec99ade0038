import { Inject, Injectable } from '@nestjs/common';
import { restartClose } from '../../clients/close-reason.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { WsError } from '../../errors/ws.error.js';
import { toErrorPayload } from '../../errors/exception-mapper.js';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Runtime } from '../../runtime/runtime.js';
import { Traffic } from '../../runtime/traffic.js';
import { OPEN } from '../../runtime/socket-state.js';
import { ConnectionHandler } from '../../transport/connection/connection.handler.js';
import { readsCloseReasons } from '../../transport/upgrade/close-refusal.js';
import { ClusterMembership } from './cluster-membership.js';
import { ClusterStatus } from './cluster-status.js';
import { Intake } from './intake.js';

/** How many close frames are written in one turn of the event loop. */
const BATCH = 256;
/**
 * The part of `shutdown.timeout` after which connections are cut. The rest is for their disconnect hooks, and for the close
 * frames of clients whose handlers have not finished by then.
 */
const CUT_AT = 0.9;

/** The part of `shutdown.timeout` at most over which clients are closed that do not read when to come back. */
const SPREAD_IN = 0.5;
/** Milliseconds between two of them at most, since few are no crowd; and between two looks at how many are due. */
const STEP = 20;

/**
 * Ends all connections gracefully: takes no new ones, lets running handlers finish and answer, then closes with 1001, or
 * with 1012 when other workers go on. Takes `shutdown.timeout` at most after `shutdown.delay`, and happens once.
 */
@Injectable()
export class Drain {
  #announced: Promise<void> | null = null;
  #done: Promise<void> | null = null;

  constructor(
    private readonly membership: ClusterMembership,
    private readonly cluster: ClusterStatus,
    private readonly intake: Intake,
    private readonly connections: ConnectionHandler,
    private readonly traffic: Traffic,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  run(): Promise<void> {
    return (this.#done ??= this.announce().then(() => this.#drain()));
  }

  /** Resolves after `shutdown.delay`, in which this worker is not ready and does everything else. Happens once. */
  announce(): Promise<void> {
    return (this.#announced ??= this.#announce());
  }

  async #announce(): Promise<void> {
    const { delay } = this.options.shutdown;
    // Nobody sends clients to a worker that has taken none yet.
    if (delay === 0 || !this.intake.isOpen) return;
    this.intake.announceEnd();
    await this.#wait(delay);
  }

  async #drain(): Promise<void> {
    const { timeout } = this.options.shutdown;
    this.intake.closeDoor();
    const cut = this.#emptyOrAfter(timeout * CUT_AT);
    const end = this.#emptyOrAfter(timeout);
    await this.#releaseUnaware();
    void this.membership.leave();
    this.intake.close();
    // Not the registry's: clients that were removed from it may still be closing.
    const clients = [...this.connections.open];
    for (let at = 0; at < clients.length; at += BATCH) {
      for (const client of clients.slice(at, at + BATCH)) this.#release(client);
      await new Promise<void>((resolve) => this.runtime.afterIo(resolve));
    }
    await cut;
    for (const client of clients) {
      if (client.readyState === OPEN) this.#close(client);
      else client.ws.terminate(); // it never answered the close frame
    }
    await end;
    for (const client of clients) client.ws.terminate();
  }

  /**
   * While other workers go on: releases the clients that do not read when to come back one after the other, since they do so
   * at once. For those who wait for it everything goes on, sends of other workers included.
   */
  async #releaseUnaware(): Promise<void> {
    if (!this.cluster.othersGoOn) return;
    const clients = [...this.connections.open].filter(({ request }) => !readsCloseReasons(request));
    const { reconnectSpread, timeout } = this.options.shutdown;
    const pace = Math.min(STEP, Math.min(reconnectSpread, timeout * SPREAD_IN) / clients.length);
    const begun = this.runtime.monotonic();
    for (const [at, client] of clients.entries()) {
      while (this.runtime.monotonic() - begun < at * pace) await this.#wait(STEP);
      this.#release(client);
    }
  }

  /** Closes a client once its running handlers have answered; messages that still wait are refused, and may be sent again. */
  #release(client: ClientSession): void {
    if (client.isIdle) {
      this.#close(client);
      return;
    }
    const refusal = toErrorPayload(new WsError('UNAVAILABLE', 'The server is shutting down.'));
    for (const message of client.inbound.clear()) {
      this.traffic.errors.count(refusal.code);
      client.sendText(client.codec.encodeError(refusal, message));
    }
    void client.inbound.whenIdle().then(() => this.#close(client));
  }

  /** When other workers go on, each client is told to reconnect after a random time, so that they do not come all at once. */
  #close(client: ClientSession): void {
    const { reconnectSpread } = this.options.shutdown;
    const spread = readsCloseReasons(client.request) ? reconnectSpread : 0;
    const after = Math.floor(this.runtime.random() * spread);
    const { code, reason } = this.cluster.othersGoOn ? restartClose(after) : CLOSE_CODES.GOING_AWAY;
    client.ws.close(code, reason);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.runtime.deadline(ms, resolve));
  }

  /** Resolves once every connection has ended; after `ms` at the latest. */
  #emptyOrAfter(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.runtime.deadline(ms, () => resolve());
      void this.connections.whenEmpty().then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}
