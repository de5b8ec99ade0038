import { Inject, Injectable } from '@nestjs/common';
import type { Revocation } from '../../auth/tokens/revocations.interface.js';
import { TokenRevocation } from '../../auth/tokens/token-revocation.js';
import { ClientRegistry } from '../../clients/client-registry.js';
import { applicationClose } from '../../clients/close-reason.js';
import type { WsClient } from '../../clients/ws-client.js';
import { PXL_WS_BROADCASTER, type Broadcaster } from '../../cluster/bus/broadcaster.interface.js';
import type { WsEnvelope, WsTarget } from '../../cluster/bus/envelope.js';
import { readObject, toJson } from '../../cluster/bus/json-text.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { Memberships } from '../../rooms/memberships.js';
import { ClientListPushes } from '../delivery/client-list-pushes.js';
import { Recipients } from '../delivery/recipients.js';

/** What can be done to clients wherever they are. */
export type ClusterCommand =
  | { readonly name: 'disconnect'; readonly code: number; readonly reason: string }
  | { readonly name: 'leave'; readonly rooms: readonly string[] | 'all'; readonly broadcast?: boolean | undefined }
  | { readonly name: 'update'; readonly key: string; readonly data: unknown }
  /** The client list is to be pushed to everybody. */
  | { readonly name: 'listWanted'; readonly event?: string | undefined }
  /** A client has come whose own room this is: others get out who have asked for it by themselves. */
  | { readonly name: 'vacate'; readonly roomName: string }
  /** Tokens are revoked: their connections end. A time is null where it is infinite, which JSON does not know. */
  | {
      readonly name: 'revoke';
      readonly subject: Revocation['subject'];
      readonly before: number | null;
      readonly until: number | null;
    };

/** A command that is for each client of its target. */
type ClientCommand = Exclude<ClusterCommand, { name: 'listWanted' | 'vacate' | 'revoke' }>;

/** Does something to clients: to those of this worker at once, to the others by a command to their workers. */
@Injectable()
export class ClusterCommands {
  constructor(
    private readonly recipients: Recipients,
    private readonly clients: ClientRegistry,
    private readonly memberships: Memberships,
    private readonly revocation: TokenRevocation,
    private readonly listPushes: ClientListPushes,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: Broadcaster,
  ) {}

  /** @throws WsError UNAVAILABLE when the bus is down; this worker's own clients have got it all the same */
  send(target: WsTarget, command: ClusterCommand): Promise<void> {
    this.#execute(target, command);
    return this.broadcaster.publish({
      target,
      exclude: [],
      isVolatile: false,
      content: { kind: 'command', text: toJson(command) },
    });
  }

  /** A command of another worker. */
  receive({ target, content }: WsEnvelope): void {
    const command = readObject(content.text);
    if (command) this.#execute(target, command as ClusterCommand);
  }

  #execute(target: WsTarget, command: ClusterCommand): void {
    switch (command.name) {
      case 'listWanted':
        this.listPushes.request(command.event);
        break;
      case 'vacate':
        this.memberships.vacate(command.roomName);
        break;
      case 'revoke':
        this.#enforce({
          subject: command.subject,
          before: command.before ?? Infinity,
          until: command.until ?? Infinity,
        });
        break;
      default:
        for (const client of [...this.recipients.of(target)]) this.#apply(client, command);
    }
  }

  #enforce(revocation: Revocation): void {
    const failed = (error: unknown): void => this.errors.report('A revocation could not be kept long enough.', error);
    this.revocation.enforce(revocation).catch(failed);
  }

  #apply(client: WsClient, command: ClientCommand): void {
    switch (command.name) {
      case 'disconnect': {
        const { code, reason } = applicationClose(command.code, command.reason);
        client.close(code, reason);
        break;
      }
      case 'leave':
        if (command.rooms === 'all') this.memberships.leaveAll(client);
        else for (const roomName of command.rooms) this.memberships.leave(client, roomName, command.broadcast);
        break;
      case 'update':
        this.clients.update(client, command.key, command.data);
        break;
    }
  }
}
