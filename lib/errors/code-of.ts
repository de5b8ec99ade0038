import { WsError } from './ws.error.js';

/** The code of a `WsError` that was thrown; undefined for anything else, and where reading it throws. */
export function codeOf(thrown: unknown): string | undefined {
  try {
    return thrown instanceof WsError ? thrown.code : undefined;
  } catch {
    return undefined;
  }
}
