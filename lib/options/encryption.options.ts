import type {
  EncryptionOpen,
  EncryptionTransform,
  KeyHandshake,
  OutboundTransformer,
} from '../interfaces/encryption-options.interface.js';
import { isGroup, OptionChecks } from './option-checks.js';

/** The `encryption` options with every default in place. */
export interface ResolvedEncryption {
  readonly required: boolean;
  /** Undefined: the built-in exchange, unless there is a `transform`. */
  readonly handshake: KeyHandshake | undefined;
  /** Undefined: the built-in cipher. */
  readonly transform: EncryptionTransform | undefined;
  readonly open: EncryptionOpen | undefined;
}

/** What frames pass on their way to clients. */
export interface ResolvedOutbound {
  /** Null: no connection is encrypted. */
  readonly encryption: ResolvedEncryption | null;
  readonly outboundTransformer: OutboundTransformer | undefined;
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
    outboundTransformer: options.callback('outboundTransformer') as OutboundTransformer | undefined,
    batchLimit,
  };
}

function resolveEncryption(encryption: OptionChecks): ResolvedEncryption {
  const required = encryption.boolean('required', false);
  const handshake = encryption.callback('handshake') as KeyHandshake | undefined;
  const transform = encryption.callback('transform') as EncryptionTransform | undefined;
  const open = encryption.callback('open') as EncryptionOpen | undefined;
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
