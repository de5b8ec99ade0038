import type { WsClient } from '../ws-client/ws-client.js';
import { isGroup, OptionChecks } from './checks/option-checks.js';

/** A frame for a client, in the form of an event: for a client of `pxl.v1` the event is `type:action`. */
export interface WsOutboundEvent {
  readonly event: string;
  /** The frame's `data`, or the `response` of a reply: a copy for this client, which may be changed. */
  readonly data: unknown;
}

/** The result of a transformer: the event to send, or null to send nothing. */
export type WsTransformedEvent = { event: string; data?: unknown } | null;

/** The type of the option `outboundTransformer`. */
export type WsOutboundTransformer = (
  frame: WsOutboundEvent & { readonly client: WsClient },
) => WsTransformedEvent | Promise<WsTransformedEvent>;

/** The server's part of the key exchange, which the client gets in `connected`. */
export interface WsExchangedKeys {
  serverPublicKey: string;
  salt: string;
}

/**
 * A key exchange of the application.
 *
 * @param exchange `data`: that of the client's `authenticate`, or `{ publicKey, sealed? }` when the upgrade has a key in the
 * header `x-pxl-public-key` or in the query. `userId`: the user of the connection.
 * @returns null or false when there are no keys: the connection is not encrypted then, and with `required` it is closed
 */
export type WsKeyHandshake = (exchange: {
  client: WsClient;
  clientId: string;
  userId: string | undefined;
  data: unknown;
}) => WsExchangedKeys | null | false | Promise<WsExchangedKeys | null | false>;

/**
 * A cipher of the application for frames to an encrypted client. It returns `{ event: 'encrypted', data }`, or null to send
 * nothing. Any other event would be unencrypted, and is not sent.
 *
 * @param frame `text`: the whole frame, with the fields that an event does not have (`id`, `callId`, `done`)
 */
export type WsEncryptionTransform = (
  frame: WsOutboundEvent & { readonly client: WsClient; readonly text: string },
) => WsTransformedEvent | Promise<WsTransformedEvent>;

/**
 * The opposite of a {@link WsEncryptionTransform}: it returns the text of the frame that the `data` of an encrypted one holds.
 * When it returns null or throws, the connection ends with 1008.
 */
export type WsEncryptionOpen = (frame: { client: WsClient; data: unknown }) => string | null | Promise<string | null>;

/** How frames are encrypted between the client and this process, in addition to TLS. The server has the keys. */
export interface WsEncryptionOptions {
  /** True: a client without keys is closed with 4004. Default: false, only clients that offer a key are encrypted. */
  required?: boolean | undefined;
  /** A key exchange of the application, together with its `transform`; it may take `timeouts.hook`. Default: built in. */
  handshake?: WsKeyHandshake | undefined;
  /** A cipher of the application for what is sent; each call may take `timeouts.hook`. Default: built in. */
  transform?: WsEncryptionTransform | undefined;
  /**
   * The same for what is received. Default: built in; with a `transform` none, so that encrypted frames reach the
   * application's `@WsFallback()`, which may decrypt them.
   */
  open?: WsEncryptionOpen | undefined;
  /**
   * How many frames of all clients of this process each asynchronous callback handles at once; the frames of one client keep
   * their order. A frame whose promise never settles occupies its place for `timeouts.hook`. Default: 10.
   */
  batchLimit?: number | undefined;
}

/** The `encryption` options with every default filled in. */
export interface ResolvedEncryption {
  readonly required: boolean;
  /** Undefined for the built-in exchange; with a `transform` there is none. */
  readonly handshake: WsKeyHandshake | undefined;
  /** Undefined for the built-in cipher. */
  readonly transform: WsEncryptionTransform | undefined;
  readonly open: WsEncryptionOpen | undefined;
}

/** The steps that frames pass before they are sent. */
export interface ResolvedOutbound {
  /** Null when no connection is encrypted. */
  readonly encryption: ResolvedEncryption | null;
  readonly outboundTransformer: WsOutboundTransformer | undefined;
  /** How many frames each asynchronous callback handles at once. */
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
  // The built-in cipher needs the keys of the built-in exchange; an exchange of the application does not tell its keys.
  const beside = 'undefined without encryption.transform';
  if (handshake && !transform) encryption.refuse('handshake', beside);
  if (open && !transform) encryption.refuse('open', beside);
  // No client could be let in, since a cipher of the application has its keys from its own handshake.
  if (required && transform && !handshake) {
    encryption.refuse('required', 'false beside encryption.transform without encryption.handshake');
  }
  return { required, handshake, transform, open };
}
