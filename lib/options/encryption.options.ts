import type { WsClient } from '../ws-client/ws-client.js';
import { isGroup, OptionChecks } from './checks/option-checks.js';

/** A frame on its way to a client, as an event: a client of `pxl.v1` gets the event `type:action` as that pair. */
export interface WsOutboundEvent {
  readonly event: string;
  /** The frame's `data`, of a reply its `response`: a copy of this client's own, which may be changed. */
  readonly data: unknown;
}

/** What becomes of a frame: another event, or null, then nothing is sent. */
export type WsTransformedEvent = { event: string; data?: unknown } | null;

/** What `PxlWebSocketModuleOptions.outboundTransformer` is. */
export type WsOutboundTransformer = (
  frame: WsOutboundEvent & { readonly client: WsClient },
) => WsTransformedEvent | Promise<WsTransformedEvent>;

/** What a client is told of the keys in `connected`. */
export interface WsExchangedKeys {
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
export type WsKeyHandshake = (exchange: {
  client: WsClient;
  clientId: string;
  userId: string | undefined;
  data: unknown;
}) => WsExchangedKeys | null | false | Promise<WsExchangedKeys | null | false>;

/**
 * A cipher of the application's own, for the frames to an encrypted client: it answers `{ event: 'encrypted', data }`, or
 * null, then nothing is sent. Any other event would be one in clear, and is not sent either.
 *
 * @param frame `text`: the whole frame, with what an event does not tell (`id`, `callId`, `done`)
 */
export type WsEncryptionTransform = (
  frame: WsOutboundEvent & { readonly client: WsClient; readonly text: string },
) => WsTransformedEvent | Promise<WsTransformedEvent>;

/**
 * The other direction of a {@link WsEncryptionTransform}: the text of the frame behind the `data` of an encrypted one. Null,
 * or throwing, ends the connection with 1008.
 */
export type WsEncryptionOpen = (frame: { client: WsClient; data: unknown }) => string | null | Promise<string | null>;

/** How frames are hidden from what stands between the client and this process: per hop, the server has the keys. */
export interface WsEncryptionOptions {
  /** True: a client without keys is closed with 4004. Default: false, only those that offer a key are encrypted. */
  required?: boolean | undefined;
  /** The application's own exchange of keys, with its `transform`; it has `timeouts.hook` to answer. Default: built in. */
  handshake?: WsKeyHandshake | undefined;
  /** The application's own cipher for what is sent; each call has `timeouts.hook`. Default: built in. */
  transform?: WsEncryptionTransform | undefined;
  /**
   * The same for what is received. Default: built in; beside a `transform` none, so that encrypted frames reach the
   * application's `@WsFallback()` as they are, which may open them.
   */
  open?: WsEncryptionOpen | undefined;
  /**
   * How many frames of all clients of this process each asynchronous callback works on at once; the frames of one client
   * keep their order. A frame that is never settled holds its place for `timeouts.hook`. Default: 10.
   */
  batchLimit?: number | undefined;
}

/** The `encryption` options with every default in place. */
export interface ResolvedEncryption {
  readonly required: boolean;
  /** Undefined: the built-in exchange, unless there is a `transform`. */
  readonly handshake: WsKeyHandshake | undefined;
  /** Undefined: the built-in cipher. */
  readonly transform: WsEncryptionTransform | undefined;
  readonly open: WsEncryptionOpen | undefined;
}

/** What frames pass on their way to clients. */
export interface ResolvedOutbound {
  /** Null: no connection is encrypted. */
  readonly encryption: ResolvedEncryption | null;
  readonly outboundTransformer: WsOutboundTransformer | undefined;
  /** Frames that each asynchronous callback works on at once. */
  readonly batchLimit: number;
}

/** @throws PxlWebSocketOptionsError in one sentence */
export function resolveOutbound(options: OptionChecks): ResolvedOutbound {
  const given = options.raw('encryption');
  const isOn = given === true || isGroup(given);
  if (!isOn && given !== undefined && given !== false) options.refuse('encryption', 'true, false or an object');
  const checks = new OptionChecks('encryption', isGroup(given) ? given : {});
  const encryption = resolveEncryption(checks);
  const batchLimit = checks.integer('batchLimit', 10, 1);
  checks.finish();
  return {
    encryption: isOn ? Object.freeze(encryption) : null,
    outboundTransformer: options.callback('outboundTransformer') as WsOutboundTransformer | undefined,
    batchLimit,
  };
}

function resolveEncryption(encryption: OptionChecks): ResolvedEncryption {
  const required = encryption.boolean('required', false);
  const handshake = encryption.callback('handshake') as WsKeyHandshake | undefined;
  const transform = encryption.callback('transform') as WsEncryptionTransform | undefined;
  const open = encryption.callback('open') as WsEncryptionOpen | undefined;
  // The built-in cipher takes its keys from the built-in exchange, which an own one does not hand over.
  const beside = 'undefined without encryption.transform';
  if (handshake && !transform) encryption.refuse('handshake', beside);
  if (open && !transform) encryption.refuse('open', beside);
  // Nobody could be let in: an own cipher has its keys from an own handshake.
  if (required && transform && !handshake) {
    encryption.refuse('required', 'false beside encryption.transform without encryption.handshake');
  }
  return { required, handshake, transform, open };
}
