import { wsContext, type WsRequestContext } from '../runtime/request-context.js';

/** What a line of the log is about, beside its sentence: those of these that are known. Never a token or a payload. */
export interface WsLogFields extends Partial<WsRequestContext> {
  /** The code of an error (`UNAVAILABLE`, `ECONNREFUSED`), of a close (`1001`), or of a refused authentication (`expired`). */
  readonly code?: string | undefined;
}

/** Of the line that is being written, for loggers that ask; null: none is. */
let current: WsLogFields | null = null;

/**
 * What the line that is being written should name: `requestId`, `clientId`, `userId`, `route`, `path`, `channel`, and `code`. In lines of
 * the application they come from {@link wsContext}; lines of the library have their own. An object of the caller's, empty where
 * nothing is known: for pino's `mixin` and the formats of other loggers.
 */
export function wsLogFields(): WsLogFields {
  return current === null ? completed({}) : { ...current };
}

/** The fields of a line, with what is known of the message or connection that it is written in, and without what is unknown. */
export function completed(fields: WsLogFields): WsLogFields {
  const context = wsContext();
  // What is told of another client than the one that is being handled is no part of its request.
  const isOfContext = fields.clientId === undefined || fields.clientId === context?.clientId;
  const all = Object.entries(isOfContext ? { ...context, ...fields } : fields);
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

/** Writes a line; meanwhile {@link wsLogFields} tells its fields. */
export function withFields(fields: WsLogFields, write: () => void): void {
  const outer = current;
  current = fields;
  try {
    write();
  } finally {
    current = outer;
  }
}
