import type { WsClient } from '../clients/ws-client.js';

/** A frame on its way to a client, as an event: a client of `pxl.v1` gets the event `type:action` as that pair. */
export interface OutboundEvent {
  readonly event: string;
  /** The frame's `data`, of a reply its `response`: a copy of this client's own, which may be changed. */
  readonly data: unknown;
}

/** What becomes of a frame: another event, or null, then nothing is sent. */
export type TransformedEvent = { event: string; data?: unknown } | null;

/** What {@link PxlWebSocketModuleOptions.outboundTransformer} is. */
export type OutboundTransformer = (
  frame: OutboundEvent & { readonly client: WsClient },
) => TransformedEvent | Promise<TransformedEvent>;

/** What a client is told of the keys in `connected`. */
export interface ExchangedKeys {
  serverPublicKey: string;
  salt: string;
}

/**
 * An exchange of keys of the application's own.
 *
 * @param exchange `data`: of the client's `authenticate`; or `{ publicKey }` of its upgrade, where that brings one in the
 * header `x-pxl-public-key` or in the query. `userId`: whose connection it will be.
 * @returns null or false when there are no keys: the connection is not encrypted, and with `required` closed
 */
export type KeyHandshake = (exchange: {
  client: WsClient;
  clientId: string;
  userId: string | undefined;
  data: unknown;
}) => ExchangedKeys | null | false | Promise<ExchangedKeys | null | false>;

/**
 * A cipher of the application's own, for the frames to an encrypted client: it answers `{ event: 'encrypted', data }`, or
 * null, then nothing is sent. Any other event would be one in clear, and is not sent either.
 *
 * @param frame `text`: the whole frame, with what an event does not tell (`id`, `callId`, `done`)
 */
export type EncryptionTransform = (
  frame: OutboundEvent & { readonly client: WsClient; readonly text: string },
) => TransformedEvent | Promise<TransformedEvent>;

/**
 * The other direction of a {@link EncryptionTransform}: the text of the frame behind the `data` of an encrypted one. Null,
 * or throwing, ends the connection with 1008.
 */
export type EncryptionOpen = (frame: { client: WsClient; data: unknown }) => string | null | Promise<string | null>;

/** How frames are hidden from what stands between the client and this process: per hop, the server has the keys. */
export interface EncryptionOptions {
  /** True: a client without keys is closed with 4004. Default: false, only those that offer a key are encrypted. */
  required?: boolean | undefined;
  /** An exchange of keys of the application's own, beside its `transform`; it has `timeouts.hook`. Default: built in. */
  handshake?: KeyHandshake | undefined;
  /** A cipher of the application's own, for what is sent; each call has `timeouts.hook`. Default: built in. */
  transform?: EncryptionTransform | undefined;
  /**
   * The same for what is received. Default, beside a `transform`: encrypted frames reach the application's `@WsFallback()`
   * as they are, which may open them.
   */
  open?: EncryptionOpen | undefined;
  /**
   * Frames, of all clients of this process together, that each asynchronous callback works on at once; a client's keep
   * their order. One that does not settle holds its place for `timeouts.hook`. Default: 10.
   */
  batchLimit?: number | undefined;
}
