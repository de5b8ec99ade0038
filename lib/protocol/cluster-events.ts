import type { WsMember } from './presence.js';

/**
 * The library's own events for subscribers, with PXL's names. Applications have channels of their own beside them.
 */
export const WebSocketRedisSubscriberEvent = {
  ClientConnected: 'clientConnected',
  ClientDisconnected: 'clientDisconnected',
  ClientJoinedRoom: 'clientJoinedRoom',
  ClientLeftRoom: 'clientLeftRoom',
  ClientUpdated: 'clientUpdated',
  UserConnected: 'userConnected',
  UserDisconnected: 'userDisconnected',
  RoomOccupied: 'roomOccupied',
  RoomVacated: 'roomVacated',
  PresenceJoined: 'presenceJoined',
  PresenceLeft: 'presenceLeft',
  DisconnectClient: 'disconnectClient',
  SendMessage: 'sendMessage',
  SendMessageToAll: 'sendMessageToAll',
  MessageError: 'messageError',
  QueueJobCompleted: 'queueJobCompleted',
  QueueJobError: 'queueJobError',
  QueueJobProgress: 'queueJobProgress',
  Custom: 'custom',
} as const;

export type WebSocketRedisSubscriberEvent =
  (typeof WebSocketRedisSubscriberEvent)[keyof typeof WebSocketRedisSubscriberEvent];

interface ClientEvent {
  readonly clientId: string;
  /** The worker that the client is connected to. */
  readonly workerId: string;
}

interface RoomEvent {
  /** What clients call the room. */
  readonly roomName: string;
  /** The room's, where there is `rooms.namespace`; undefined where it is in none. */
  readonly namespace?: string;
}

interface MembershipEvent extends ClientEvent, RoomEvent {
  readonly userId?: string;
}

interface UserEvent {
  readonly userId: string;
}

interface PresenceEvent extends RoomEvent {
  /** Without `clients`. */
  readonly member: WsMember;
}

interface QueueJobEvent {
  /** The name of the queue. */
  readonly queue: string;
  readonly jobId: string;
  /** The name of the job. It is missing, as the data is, when the queue removes finished jobs at once. */
  readonly name?: string;
  /** The data of the job. */
  readonly data?: unknown;
}

/** What a job reports by `job.updateProgress(...)` of BullMQ: a percentage, or whatever says how far it is. */
export type WsQueueJobProgress = number | string | boolean | object;

/** The message of each event. */
export interface ClusterEventMessages {
  readonly clientConnected: ClientEvent & {
    readonly userId?: string;
    /** In ms since 1970. */
    readonly connectedAt: number;
  };
  readonly clientDisconnected: ClientEvent & {
    readonly userId?: string;
    /** The close code; 1006 also for the clients of a worker that died. */
    readonly code: number;
    readonly reason: string;
  };
  readonly clientJoinedRoom: MembershipEvent;
  readonly clientLeftRoom: MembershipEvent;
  /** A key of a client's metadata has changed. */
  readonly clientUpdated: ClientEvent & { readonly key: string; readonly data: unknown };
  /** A user's first session has begun. */
  readonly userConnected: UserEvent;
  /** A user's last session has ended. */
  readonly userDisconnected: UserEvent;
  /** A room with presence (`rooms.presence`) has its first member. */
  readonly roomOccupied: RoomEvent;
  /** It has lost the last one, after its grace. */
  readonly roomVacated: RoomEvent;
  /** A room with presence has got a member: its first connection, on any worker. */
  readonly presenceJoined: PresenceEvent;
  /** A member has gone, after its grace: it has no connection in the room on any worker. */
  readonly presenceLeft: PresenceEvent;
  /** `ClientManager.disconnectClient` was called. */
  readonly disconnectClient: { readonly clientId: string; readonly code?: number; readonly reason?: string };
  /** The argument of `PxlWebSocketServer.sendMessage`. */
  readonly sendMessage: unknown;
  /** A message that was sent to everybody. */
  readonly sendMessageToAll: unknown;
  /** `PxlWebSocketServer.sendMessageError` was called. */
  readonly messageError: { readonly webSocketClientId: string; readonly error: string };
  readonly queueJobCompleted: QueueJobEvent & { readonly returnValue: unknown };
  readonly queueJobError: QueueJobEvent & { readonly failedReason: string };
  /** A job has reported how far it is: the newest of what it has reported in a short time. */
  readonly queueJobProgress: QueueJobEvent & { readonly progress: WsQueueJobProgress };
  /** The argument of `PxlWebSocketServer.sendCustomMessage`. */
  readonly custom: unknown;
}

/** The longest name of a channel, in characters. */
export const MAX_CHANNEL_LENGTH = 128;

/** The name that stands for all channels in a subscriber's definition. */
export const EVERY_CHANNEL = '*';

/** The events that each worker derives from the registry, or gets from Redis by themselves, so that they are not published. */
const OBSERVED: ReadonlySet<string> = new Set<keyof ClusterEventMessages>([
  'clientConnected',
  'clientDisconnected',
  'clientJoinedRoom',
  'clientLeftRoom',
  'clientUpdated',
  'userConnected',
  'userDisconnected',
  'roomOccupied',
  'roomVacated',
  'presenceJoined',
  'presenceLeft',
]);

/** The prefix of event names in PXL's older edition. */
const OLD_PREFIX = 'WebSocket:';

/** The present name of an event of PXL's older edition, like `WebSocket:ClientConnected`; undefined for other names. */
export function renamedEvent(name: unknown): WebSocketRedisSubscriberEvent | undefined {
  if (typeof name !== 'string' || !name.startsWith(OLD_PREFIX)) return undefined;
  const key = name.slice(OLD_PREFIX.length);
  return Object.entries(WebSocketRedisSubscriberEvent).find(([event]) => event === key)?.[1];
}

/** Whether workers know the events of the channel without a subscription at the bus. */
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
