import type { WsExclusion } from '../../clients/exclusion.interface.js';
import type { WsWhere } from '../../clients/where.js';
import type { WsPosition } from '../../history/room-store.interface.js';
import type { Sending } from '../../runtime/metrics/timings.js';
import type { WsTraceContext } from '../../tracing/trace-context.js';

/** The recipients of an envelope. Clients, users and rooms have name spaces of their own. */
export type WsTarget =
  | { readonly kind: 'everybody' }
  | { readonly kind: 'clients'; readonly clientIds: readonly string[] }
  | { readonly kind: 'users'; readonly userIds: readonly string[] }
  | { readonly kind: 'rooms'; readonly roomNames: readonly string[] }
  /** Other workers themselves, not their clients. */
  | { readonly kind: 'workers'; readonly workerIds: readonly string[] }
  /** The subscribers of an event channel. */
  | { readonly kind: 'subscribers'; readonly channel: string };

/** The content of an envelope: JSON text, which a worker that only delivers it to its clients does not parse. */
export interface WsContent {
  /**
   * - `message`: for clients; the text is the frame of the protocol `pxl.v1`.
   * - `event`: for the subscribers of a channel.
   * - `command`: something that workers do to their clients among the target, without an answer.
   * - `call`: a question to workers; `answer`: what one of them replied.
   */
  readonly kind: 'message' | 'event' | 'command' | 'call' | 'answer';
  readonly text: string;
}

/** The place of a message in a room with history. */
export interface WsEnvelopeNumber extends WsPosition {
  /** The id of a send to several rooms. */
  readonly copy?: string | undefined;
}

/** What travels between workers. No recipient gets an envelope twice. */
export interface WsEnvelope extends WsExclusion {
  readonly target: WsTarget;
  /** Of a message for rooms: which members get it. Undefined: all of them. */
  readonly where?: WsWhere | undefined;
  /** Whether it may be dropped for a client that reads too slowly. */
  readonly isVolatile: boolean;
  /** Of the messages with one key to the same room, that wait for a client, only the newest is sent. Undefined: all are. */
  readonly conflate?: string | undefined;
  readonly content: WsContent;
  /** The span that sends it: what it causes elsewhere is part of the same trace. Undefined: none does. */
  readonly trace?: WsTraceContext | undefined;
}

/** An envelope of another process. */
export interface WsReceivedEnvelope extends WsEnvelope {
  /** The sending worker's id; null: an emitter, a process without clients. */
  readonly origin: string | null;
  /** Set by `WsRoomStore.append`: the target is one room with history. */
  readonly number?: WsEnvelopeNumber | undefined;
  /** When it was sent. Undefined: that is not known, or not measured. */
  readonly sent?: Sending | undefined;
}
