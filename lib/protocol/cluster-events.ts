/**
 * The events that the library tells subscribers of, under the names of PXL. The channels of applications stand
 * beside them.
 */
export const WebSocketRedisSubscriberEvent = {
  ClientConnected: 'clientConnected',
  ClientDisconnected: 'clientDisconnected',
  ClientJoinedRoom: 'clientJoinedRoom',
  ClientLeftRoom: 'clientLeftRoom',
  ClientUpdated: 'clientUpdated',
  UserConnected: 'userConnected',
  UserDisconnected: 'userDisconnected',
  DisconnectClient: 'disconnectClient',
  SendMessage: 'sendMessage',
  SendMessageToAll: 'sendMessageToAll',
  MessageError: 'messageError',
  QueueJobCompleted: 'queueJobCompleted',
  QueueJobError: 'queueJobError',
  Custom: 'custom',
} as const;

export type WebSocketRedisSubscriberEvent =
  (typeof WebSocketRedisSubscriberEvent)[keyof typeof WebSocketRedisSubscriberEvent];

interface ClientEvent {
  readonly clientId: string;
  /** The worker that the client is connected to. */
  readonly workerId: string;
}

interface MembershipEvent extends ClientEvent {
  readonly roomName: string;
  readonly userId?: string;
}

interface UserEvent {
  readonly userId: string;
}

interface QueueJobEvent {
  /** The name of the queue. */
  readonly queue: string;
  readonly jobId: string;
  /** The name of the job; missing, as its data, where the queue forgets its jobs at once. */
  readonly name?: string;
  /** What the job was added with. */
  readonly data?: unknown;
}

/** What the message of each event is. */
export interface ClusterEventMessages {
  readonly clientConnected: ClientEvent & {
    readonly userId?: string;
    /** In ms since 1970. */
    readonly connectedAt: number;
  };
  readonly clientDisconnected: ClientEvent & {
    readonly userId?: string;
    /** What the connection was closed with; 1006 also for the clients of a worker that died. */
    readonly code: number;
    readonly reason: string;
  };
  readonly clientJoinedRoom: MembershipEvent;
  readonly clientLeftRoom: MembershipEvent;
  /** One key of a client's metadata has another value. */
  readonly clientUpdated: ClientEvent & { readonly key: string; readonly data: unknown };
  /** A user's first session has begun. */
  readonly userConnected: UserEvent;
  /** A user's last session has ended. */
  readonly userDisconnected: UserEvent;
  /** `ClientManager.disconnectClient` was called. */
  readonly disconnectClient: { readonly clientId: string; readonly code?: number; readonly reason?: string };
  /** What `PxlWebSocketServer.sendMessage` was given. */
  readonly sendMessage: unknown;
  /** The message that everybody is sent. */
  readonly sendMessageToAll: unknown;
  /** `PxlWebSocketServer.sendMessageError` was called. */
  readonly messageError: { readonly webSocketClientId: string; readonly error: string };
  readonly queueJobCompleted: QueueJobEvent & { readonly returnValue: unknown };
  readonly queueJobError: QueueJobEvent & { readonly failedReason: string };
  /** What `PxlWebSocketServer.sendCustomMessage` was given. */
  readonly custom: unknown;
}

/** Characters of the longest name of a channel. */
export const MAX_CHANNEL_LENGTH = 128;

/** What stands for all channels where subscribers say what they hear. */
export const EVERY_CHANNEL = '*';

/** What the library knows of clients and users: nobody publishes it. */
const OBSERVED: ReadonlySet<string> = new Set<keyof ClusterEventMessages>([
  'clientConnected',
  'clientDisconnected',
  'clientJoinedRoom',
  'clientLeftRoom',
  'clientUpdated',
  'userConnected',
  'userDisconnected',
]);

/** What PXL's older edition put before the names of its events. */
const OLD_PREFIX = 'WebSocket:';

/** How an event is called that has a name of PXL's older edition, like `WebSocket:ClientConnected`; undefined for others. */
export function renamedEvent(name: unknown): WebSocketRedisSubscriberEvent | undefined {
  if (typeof name !== 'string' || !name.startsWith(OLD_PREFIX)) return undefined;
  const key = name.slice(OLD_PREFIX.length);
  return Object.entries(WebSocketRedisSubscriberEvent).find(([event]) => event === key)?.[1];
}

/** Whether workers hear of the channel without asking the bus for it. */
export function isObserved(channel: string): boolean {
  return OBSERVED.has(channel);
}

/** Whether a channel can have this name. */
export function isChannelName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name !== EVERY_CHANNEL && name.length <= MAX_CHANNEL_LENGTH;
}

/** Whether an application may publish on the channel. */
export function isPublishable(channel: unknown): channel is string {
  return isChannelName(channel) && !OBSERVED.has(channel);
}
