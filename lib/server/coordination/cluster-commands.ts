import { Inject, Injectable } from '@nestjs/common';
import type { Revocation } from '../../auth/tokens/revocations.interface.js';
import { TokenRevocation, type WsRevokeOptions } from '../../auth/tokens/token-revocation.js';
import { BusSender } from '../../cluster/bus/bus-sender.js';
import type { WsEnvelope, WsTarget } from '../../cluster/bus/envelope.js';
import { readJson, toJson } from '../../cluster/bus/json-text.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { ROOM_HISTORY, type RoomHistory } from '../../history/room-history.interface.js';
import { Memberships } from '../../rooms/memberships.js';
import { Reauthorizations, type MembershipSubject } from '../../rooms/reauthorizations.js';
import { ClientListPushes } from '../delivery/client-list-pushes.js';
import { ClientCommands } from './client-commands.js';
import { readCommand, type ClusterCommand } from './cluster-command.js';

/** Also of rooms and users: a worker where a join is under way may not hear the channel yet. */
const EVERYBODY: WsTarget = { kind: 'everybody' };

/** Carries commands out on this worker, and sends them to the others. */
@Injectable()
export class ClusterCommands {
  constructor(
    private readonly forClients: ClientCommands,
    private readonly memberships: Memberships,
    private readonly reauthorizations: Reauthorizations,
    private readonly revocation: TokenRevocation,
    private readonly listPushes: ClientListPushes,
    private readonly errors: ErrorReporter,
    private readonly bus: BusSender,
    @Inject(ROOM_HISTORY) private readonly history: RoomHistory,
  ) {}

  /**
   * Carries a command out on this worker at once, and sends it to the others.
   *
   * @throws WsError UNAVAILABLE when the bus is down; on this worker the command is carried out all the same
   */
  send(target: WsTarget, command: ClusterCommand): Promise<void> {
    this.#execute(target, command);
    return this.#publish(target, command);
  }

  /**
   * Has the rules of rooms asked again on every worker. Resolves once this worker has their answers.
   *
   * @throws WsError UNAVAILABLE when the bus is down; on this worker they are asked all the same
   */
  async reauthorize(subject: MembershipSubject): Promise<void> {
    const sent = settle(() => this.#publish(EVERYBODY, { name: 'reauthorize', subject }));
    await Promise.all([this.reauthorizations.of(subject), sent]);
  }

  /**
   * Revokes tokens on every worker.
   *
   * @throws WsError BAD_MESSAGE for wrong options; UNAVAILABLE when Redis does not take it: it holds on this worker then
   */
  async revoke(options: WsRevokeOptions): Promise<void> {
    const { revocation, remembered } = this.revocation.revoke(options);
    // Both run at once: when it cannot be stored for later workers, it may still reach those of now.
    const sent = settle(() => this.send(EVERYBODY, { name: 'revoke', ...revocation }));
    await Promise.all([remembered, sent]);
  }

  /** Carries out a command of another worker. */
  receive({ target, content }: WsEnvelope): void {
    const command = readCommand(readJson(content.text)?.value);
    if (command) this.#execute(target, command);
  }

  #execute(target: WsTarget, command: ClusterCommand): void {
    switch (command.name) {
      case 'listWanted':
        this.listPushes.request(command.event);
        break;
      case 'vacate':
        this.memberships.vacate(command.roomName);
        break;
      case 'checkHistory':
        this.history.cleared(command.roomName);
        break;
      case 'revoke':
        this.#enforce(command);
        break;
      case 'reauthorize':
        void this.reauthorizations.of(command.subject);
        break;
      default:
        this.forClients.apply(target, command);
    }
  }

  #publish(target: WsTarget, command: ClusterCommand): Promise<void> {
    const content = { kind: 'command', text: toJson(command) } as const;
    return this.bus.publish({ target, exclude: [], isVolatile: false, content });
  }

  #enforce({ subject, before, until }: Revocation): void {
    const failed = (error: unknown): void => this.errors.report('A revocation could not be kept long enough.', error);
    this.revocation.enforce({ subject, before, until }).catch(failed);
  }
}

/** Turns what the work throws at once into a rejection. */
async function settle<T>(work: () => Promise<T>): Promise<T> {
  return await work();
}
