import { Inject, Injectable } from '@nestjs/common';
import type { ClusterEvent } from '../../cluster/events/cluster-events.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Drain } from '../availability/drain.js';
import { EveryWorkerClients } from './client-verbs.js';
import { EveryWorkerRooms } from './room-verbs.js';
import { SendScopes } from './send-scopes.js';
import { ServerVerbs } from './server-verbs.js';

/** The server for a subscriber that runs on every worker: it sees all clients, and its verbs reach this worker's only. */
@Injectable()
export class EveryWorkerServer {
  readonly #responsible: ServerVerbs;
  readonly #bystander: ServerVerbs;

  constructor(
    clients: EveryWorkerClients,
    rooms: EveryWorkerRooms,
    scopes: SendScopes,
    drain: Drain,
    errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    const host = { errors, drain, options };
    this.#responsible = new ServerVerbs(clients, rooms, scopes.ofThisWorker(true), host);
    this.#bystander = new ServerVerbs(clients, rooms, scopes.ofThisWorker(false), host);
  }

  /** What its verbs tell subscribers is acted on once in the cluster: on the worker that is responsible for the event. */
  for({ isResponsible }: ClusterEvent): ServerVerbs {
    return isResponsible ? this.#responsible : this.#bystander;
  }
}
