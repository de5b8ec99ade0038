import { WsError } from './ws.error.js';

/** The code of a thrown `WsError`; undefined for any other value, and when reading it throws. */
export function codeOf(thrown: unknown): string | undefined {
  try {
    return thrown instanceof WsError ? thrown.code : undefined;
  } catch {
    return undefined;
  }
}

/** What a code of Node, Redis or the application looks like. */
const CODE = /^[\w.:-]{1,64}$/;

/** The code of anything thrown, for the log: of a `WsError`, or of Node (`ECONNREFUSED`). Undefined for other texts; never throws. */
export function logCodeOf(thrown: unknown): string | undefined {
  try {
    const code: unknown = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
    return typeof code === 'string' && CODE.test(code) ? code : undefined;
  } catch {
    return undefined;
  }
}
