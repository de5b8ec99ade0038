import { Injectable } from '@nestjs/common';
import { ClientManager } from '../../clients/client-manager.js';
import type { RemoteControl } from '../../clients/remote-control.interface.js';
import { ClusterCalls } from '../../cluster/calls/cluster-calls.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { RoomManager, type AddClientToRoomOptions } from '../../rooms/room-manager.js';
import type { RemoteMembers } from '../../rooms/remote-members.interface.js';
import { ClusterCommands, type ClusterCommand } from './cluster-commands.js';

/** The hand of the registry and the rooms on the clients of other workers. */
@Injectable()
export class RemoteClients implements RemoteControl, RemoteMembers {
  constructor(
    private readonly commands: ClusterCommands,
    private readonly calls: ClusterCalls,
    private readonly errors: ErrorReporter,
    clients: ClientManager,
    rooms: RoomManager,
  ) {
    clients.controlRemoteWith(this);
    rooms.controlRemoteWith(this);
  }

  disconnect(clientId: string, code: number, reason: string): void {
    this.#command(clientId, { name: 'disconnect', code, reason });
  }

  update(clientId: string, key: string, data: unknown): void {
    this.#command(clientId, { name: 'update', key, data });
  }

  leave(clientId: string, rooms: readonly string[] | 'all', broadcast?: boolean): void {
    this.#command(clientId, { name: 'leave', rooms, broadcast });
  }

  vacate(roomName: string): void {
    this.#send(this.commands.send({ kind: 'everybody' }, { name: 'vacate', roomName }));
  }

  async join(join: AddClientToRoomOptions): Promise<boolean> {
    const { clientId } = join;
    const target = { kind: 'clients', clientIds: [clientId] } as const;
    const { answers, errors } = await this.calls.ask(target, { name: 'joinRoom', data: join });
    const [error] = errors;
    if (error) throw error;
    return answers[0] ?? false;
  }

  listWanted(event: string | undefined): void {
    this.#send(this.commands.send({ kind: 'everybody' }, { name: 'listWanted', event }));
  }

  #command(clientId: string, command: ClusterCommand): void {
    this.#send(this.commands.send({ kind: 'clients', clientIds: [clientId] }, command));
  }

  #send(sent: Promise<void>): void {
    sent.catch((error: unknown) => this.errors.report('A command did not reach another worker.', error));
  }
}
