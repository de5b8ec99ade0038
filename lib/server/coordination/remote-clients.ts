import { Inject, Injectable } from '@nestjs/common';
import { setMetadata } from '../../clients/client-metadata.js';
import { ClientMirror } from '../../clients/client-mirror.js';
import type { RemoteControl } from '../../clients/remote-control.interface.js';
import { ClusterCalls } from '../../cluster/calls/cluster-calls.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { RefusalCounters } from '../../limits/refusal-counters.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import type { AddClientToRoomOptions } from '../../rooms/join-options.js';
import type { RoomListener } from '../../rooms/membership.js';
import { isBusDown } from '../../rooms/memberships.js';
import type { ClusterCommand } from './cluster-command.js';
import { ClusterCommands } from './cluster-commands.js';

/** The verbs of the managers for clients of other workers. They return at once; a failure on the way is reported. */
@Injectable()
export class RemoteClients implements RemoteControl, RoomListener {
  constructor(
    private readonly commands: ClusterCommands,
    private readonly calls: ClusterCalls,
    private readonly mirror: ClientMirror,
    private readonly errors: ErrorReporter,
    private readonly counters: RefusalCounters,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  disconnect(clientId: string, code: number, reason: string): void {
    this.#command(clientId, { name: 'disconnect', code, reason });
  }

  /** The client's own worker changes the metadata; here the value is only checked, against what the mirror knows of the rest. */
  update(clientId: string, key: string, data: unknown): void {
    const metadata = { ...this.mirror.get(clientId)?.metadata };
    const value = setMetadata(metadata, key, data, this.options.limits.metadataBytes, this.counters);
    this.#command(clientId, { name: 'update', key, data: value });
  }

  /** Resolves like `RoomManager.addClientToRoom`, with the answer of the client's worker. */
  async join(join: Omit<AddClientToRoomOptions, 'namespace'>): Promise<boolean> {
    const { clientId, user, roomName, broadcast } = join;
    const target = { kind: 'clients', clientIds: [clientId] } as const;
    const data = { clientId, user, roomName, broadcast };
    try {
      const { answers, errors } = await this.calls.ask(target, { name: 'joinRoom', data });
      const [error] = errors;
      if (error) throw error;
      return answers[0] ?? false;
    } catch (error) {
      if (isBusDown(error)) return false;
      throw error;
    }
  }

  leave(clientId: string, rooms: readonly string[] | 'all', broadcast?: boolean): void {
    this.#command(clientId, { name: 'leave', rooms, broadcast });
  }

  /** Has every worker push the client list to its clients, this worker included. */
  pushClientList(event: string | undefined): void {
    this.#send(this.commands.send({ kind: 'everybody' }, { name: 'listWanted', event }));
  }

  /** Has every worker take clients out of a room that is now the own room of one, this worker included. */
  reserved(roomName: string): void {
    this.#send(this.commands.send({ kind: 'everybody' }, { name: 'vacate', roomName }));
  }

  #command(clientId: string, command: ClusterCommand): void {
    this.#send(this.commands.send({ kind: 'clients', clientIds: [clientId] }, command));
  }

  #send(sent: Promise<void>): void {
    sent.catch((error: unknown) => this.errors.report('A command did not reach another worker.', error));
  }
}
