import { WsError } from './ws.error.js';

/** The code of a thrown `WsError`; undefined for any other value, and when reading it throws. */
export function codeOf(thrown: unknown): string | undefined {
  try {
    return thrown instanceof WsError ? thrown.code : undefined;
  } catch {
    return undefined;
  }
}
