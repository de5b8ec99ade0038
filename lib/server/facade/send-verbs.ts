import type { AnyClient } from '../../clients/remote-client.js';
import { checkNames, readName, readUserIds } from '../../clients/verb-checks.js';
import type { WsTarget } from '../../cluster/bus/envelope.js';
import type { ClientEntry, WsUser } from '../../ws-client/client-entry.js';
import { WebSocketRedisSubscriberEvent } from '../../protocol/cluster-events.js';
import type {
  IfGiven,
  SentAction,
  SentEvent,
  SentMessage,
  SentType,
  WebSocketContract,
} from '../../protocol/contract.js';
import type { WsNamespaced } from '../../ws-client/room-key.js';
import type { SendScope } from './send-scopes.js';

/** Picks the clients that get a message of {@link SendVerbs.broadcastToAllClients}. */
export type ClientPredicate = (candidate: {
  clientId: string;
  /**
   * The user's payload with `userId` and `userType`; null for an anonymous client. Of another worker's user it has the claims
   * that `cluster.shareUser` names and no others. Reading another one logs a warning, once for each.
   */
  userData: (Record<string, unknown> & Pick<WsUser, 'userId' | 'userType'>) | null;
  client: ClientEntry;
}) => boolean;

/** What {@link SendVerbs.broadcastToAllClients} takes. */
export interface BroadcastToAllOptions<Data = unknown> {
  data: Data;
  excludeClientId?: string;
  /**
   * Picks who gets it. It is called at once, on this worker, for every client that this worker knows. Of other workers'
   * clients it sees the claims in `cluster.shareUser` only; with `cluster.mirror: false`, or a `broadcaster` of your own, it
   * does not see them at all. A predicate that needs all claims runs on each worker: publish the data, and call this verb in
   * a subscriber with `run: 'everyWorker'`, whose `webSocketServer` asks about its own worker's clients.
   */
  predicate?: ClientPredicate;
}

/** What {@link SendVerbs.sendMessageToAll} takes. */
export type ToAll<
  C,
  Type extends SentType<C>,
  Action extends SentAction<C, Type>,
  Event extends SentEvent<C>,
> = IfGiven<C, 'pushes', [message: { data: SentMessage<C, Type, Action, Event> }], [message: { data: unknown }]>;

/**
 * PXL's verbs for sending. They return nothing and never reject: a failure on the way to other workers, or to the history of a
 * room, is reported to `events.onError`. A message without a JSON form and unknown options throw BAD_MESSAGE at the call, one over
 * `limits.maxPushBytes` TOO_LARGE.
 *
 * @typeParam C the contract with the clients; without one any JSON value can be sent
 */
export class SendVerbs<C extends WebSocketContract = WebSocketContract> {
  constructor(private readonly scope: SendScope) {}

  /** All clients, or those of one user type. */
  getClients(query: { userType?: string } = {}): AnyClient[] {
    checkNames('query', query, ['userType']);
    const { userType } = query;
    return this.scope.getClients({ userType });
  }

  /** Sends to every client. */
  sendMessageToAll<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(...message: ToAll<C, Type, Action, Event>): void;
  sendMessageToAll(message: { data: unknown }): void {
    const { data } = read(message, ['data']);
    this.#send({ kind: 'everybody' }, data);
  }

  /** Sends to every client but one, or to those that the predicate picks. */
  broadcastToAllClients<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(broadcast: BroadcastToAllOptions<SentMessage<C, Type, Action, Event, unknown>>): void {
    const { data, excludeClientId, predicate } = read(broadcast, ['data', 'excludeClientId', 'predicate']);
    const target: WsTarget = predicate ? { kind: 'clients', clientIds: this.#pick(predicate) } : { kind: 'everybody' };
    this.#send(target, data, excludeClientId);
  }

  /**
   * Sends to the members of a room. In a room with history (`rooms.history`) the message gets a number, as that of
   * `WebSocketService.sendToRooms` does; what the verbs of one worker alone send (`local`, `run: 'everyWorker'`) never does, and
   * is in no history.
   *
   * @throws WsError also BAD_MESSAGE for what a room with history cannot take
   */
  broadcastToRoom<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(
    broadcast: WsNamespaced & {
      roomName: string;
      data: SentMessage<C, Type, Action, Event, unknown>;
      excludeClientId?: string;
    },
  ): void {
    const known = ['roomName', 'namespace', 'data', 'excludeClientId'] as const;
    const { roomName, namespace, data, excludeClientId } = read(broadcast, known);
    const key = this.scope.keyOf(readName('roomName', roomName), namespace);
    this.#send({ kind: 'rooms', roomNames: [key] }, data, excludeClientId);
  }

  /** Sends to every session of the users. */
  broadcastToUsers<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(broadcast: { userIds: readonly (string | number)[]; data: SentMessage<C, Type, Action, Event, unknown> }): void {
    const { userIds, data } = read(broadcast, ['userIds', 'data']);
    this.#send({ kind: 'users', userIds: readUserIds(userIds) }, data);
  }

  /** Sends to one client. */
  broadcastToClient<
    Type extends SentType<C> = never,
    Action extends SentAction<C, Type> = never,
    Event extends SentEvent<C> = never,
  >(broadcast: { clientId: string; data: SentMessage<C, Type, Action, Event, unknown> }): void {
    const { clientId, data } = read(broadcast, ['clientId', 'data']);
    this.#send({ kind: 'clients', clientIds: [readName('clientId', clientId)] }, data);
  }

  /** Sends one client an error frame with the code APPLICATION. */
  sendMessageError(failure: { webSocketClientId: string; error: string }): void {
    const { webSocketClientId, error } = read(failure, ['webSocketClientId', 'error']);
    const data = { error, code: 'APPLICATION', retryable: false };
    this.#send(
      { kind: 'clients', clientIds: [readName('webSocketClientId', webSocketClientId)] },
      { type: 'error', action: 'message', data },
    );
  }

  /** Tells subscribers, as the event `sendMessage`; clients do not hear it. */
  sendMessage(message: { data: unknown }): void {
    const { data } = read(message, ['data']);
    this.scope.tell(WebSocketRedisSubscriberEvent.SendMessage, data);
  }

  /** Tells subscribers, as the event `custom`; clients do not hear it. */
  sendCustomMessage(message: { data: unknown }): void {
    const { data } = read(message, ['data']);
    this.scope.tell(WebSocketRedisSubscriberEvent.Custom, data);
  }

  #send(target: WsTarget, message: unknown, excludeClientId?: string | null): void {
    const exclude = excludeClientId == null ? [] : [readName('excludeClientId', excludeClientId)];
    this.scope.send({ target, exclude, message });
  }

  #pick(predicate: ClientPredicate): string[] {
    return this.scope
      .getClients()
      .filter((client) => predicate({ clientId: client.clientId, userData: userDataOf(client), client }))
      .map(({ clientId }) => clientId);
  }
}

/** @throws WsError BAD_MESSAGE for unknown fields */
function read<T extends object>(given: T, known: readonly (keyof T & string)[]): T {
  checkNames('option', given, known);
  return given;
}

function userDataOf({ ws, user }: AnyClient): Parameters<ClientPredicate>[0]['userData'] {
  if (!user) return null;
  const { userId, userType, payload } = user;
  const userData = { ...payload, userId, userType };
  // For another worker's user: reading a missing claim logs the same warning as in the payload itself.
  if (!ws) Object.setPrototypeOf(userData, Object.getPrototypeOf(payload) as object);
  return userData;
}
