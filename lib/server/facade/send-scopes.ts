import { Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { AnyClient } from '../../clients/remote-client.js';
import { clientsOf } from '../../clients/session/client-session.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { Delivery, type Mailing } from '../delivery/delivery.js';
import { RoomMessages } from '../delivery/room-messages.js';
import { ClientManager } from './client-manager.js';
import { VerbEvents } from './verb-events.js';

/** The clients and subscribers that a set of verbs reaches. */
export interface SendScope {
  /** The key of a room that a verb names. @throws WsError BAD_MESSAGE */
  readonly keyOf: (roomName: string, namespace: unknown) => string;
  /** The clients of the scope that this worker knows. */
  getClients(query?: { userType?: string | undefined }): AnyClient[];
  /** Sends to clients of the scope; to rooms with history, the whole cluster's scope alone, as a message with a number. */
  send(mailing: Mailing): void;
  /** Tells the subscribers of the scope. */
  tell(channel: string, message: unknown): void;
}

/** Makes the scopes of the facade's verbs: the whole cluster, or this worker alone. */
@Injectable()
export class SendScopes {
  constructor(
    private readonly manager: ClientManager,
    private readonly registry: ClientRegistry,
    private readonly delivery: Delivery,
    private readonly messages: RoomMessages,
    private readonly verbEvents: VerbEvents,
    private readonly errors: ErrorReporter,
  ) {}

  /** The clients and subscribers of all workers. */
  readonly cluster: SendScope = {
    keyOf: (roomName, namespace) => this.messages.names.keyOf('roomName', roomName, namespace),
    getClients: (query) => this.manager.getClients(query),
    send: (mailing) => {
      const failed = (error: unknown): void => this.errors.report('A message did not reach everybody.', error);
      this.messages.send(mailing).catch(failed);
    },
    tell: (channel, message) => this.verbEvents.publish(channel, message),
  };

  /**
   * The clients and subscribers of this worker.
   *
   * @param isResponsible whether subscribers that act on one worker only act on what this scope tells
   */
  ofThisWorker(isResponsible: boolean): SendScope {
    return {
      keyOf: this.cluster.keyOf,
      getClients: ({ userType } = {}) => {
        const clients = clientsOf(this.registry.values());
        return userType === undefined ? clients : clients.filter(({ user }) => user?.userType === userType);
      },
      send: (mailing) => this.delivery.deliver(mailing),
      tell: (channel, message) => this.verbEvents.tell(channel, message, isResponsible),
    };
  }
}
