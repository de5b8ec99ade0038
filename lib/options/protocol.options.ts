import type { WsProtocolName } from '../protocol/codec.interface.js';
import type { ResolvedAuth } from './auth.options.js';

/** The defaults that depend on what an endpoint speaks. */
export interface ProtocolDefaults {
  readonly authMode: ResolvedAuth['mode'];
  /** In bytes. */
  readonly maxPayload: number;
  readonly rooms: readonly string[];
  /** Times in ms. */
  readonly inactive: { readonly enabled: boolean; readonly inactiveTime: number; readonly intervalCheckTime: number };
}

/** What PXL and Ignis each do, where an option does not say otherwise. */
export const DEFAULTS_OF: Readonly<Record<WsProtocolName, ProtocolDefaults>> = {
  pxl: {
    authMode: 'upgrade',
    maxPayload: 65_536,
    rooms: [],
    inactive: { enabled: false, inactiveTime: 300_000, intervalCheckTime: 60_000 },
  },
  event: {
    authMode: 'either',
    maxPayload: 131_072,
    rooms: ['ws-default', 'ws-notification'],
    inactive: { enabled: true, inactiveTime: 90_000, intervalCheckTime: 30_000 },
  },
};
