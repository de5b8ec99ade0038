import type { ClusterEventMessages } from './cluster-events.js';

/** The cluster events that webhooks can tell: who comes and goes, and nothing that was sent. */
export const WEBHOOK_EVENTS = [
  'userConnected',
  'userDisconnected',
  'roomOccupied',
  'roomVacated',
  'presenceJoined',
  'presenceLeft',
  'clientConnected',
  'clientDisconnected',
  'clientJoinedRoom',
  'clientLeftRoom',
] as const satisfies readonly (keyof ClusterEventMessages)[];

export type WsWebhookEventName = (typeof WEBHOOK_EVENTS)[number];

type PresenceEventName = Extract<WsWebhookEventName, `presence${string}`>;

/** The `data` of each event. */
export type WsWebhookData = Omit<Pick<ClusterEventMessages, WsWebhookEventName>, PresenceEventName> & {
  /** Of a member only who it is, without its profile and its state. */
  readonly [Name in PresenceEventName]: Omit<ClusterEventMessages[Name], 'member'> & {
    readonly member: { readonly userId?: string; readonly clientId?: string; readonly joinedAt: string };
  };
};

/** The body of a webhook. */
export type WsWebhook = {
  readonly [Name in WsWebhookEventName]: {
    readonly type: Name;
    /** When the event was told in the cluster (ISO 8601, ms); a repeated delivery has the same. */
    readonly timestamp: string;
    readonly data: WsWebhookData[Name];
  };
}[WsWebhookEventName];
