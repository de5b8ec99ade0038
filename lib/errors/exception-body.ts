import { isError } from './as-error.js';

/** What an application has put into the body of an exception; fields that it did not give are undefined. */
export interface ExceptionBody {
  readonly text?: string | undefined;
  readonly code?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly details?: unknown;
}

const NOT_VALID = 'The data is not valid.';

/** Fields that Nest adds to a body, or that an error frame has elsewhere; with values of these types they are no details. */
const NOISE: ReadonlyMap<string, readonly string[]> = new Map([
  ['message', ['string']],
  ['error', ['string']],
  ['status', ['string', 'number']],
  ['statusCode', ['string', 'number']],
  ['retryable', ['boolean']],
]);

/**
 * Reads the body of a `WsException` or `HttpException`. Its `message` (or `error`) is the sentence, its `code` (or Nest's
 * `errorCode`) the code if it is a text that is not empty, and `retryable` is a boolean; all other fields are details. A
 * body that is a list, or whose `message` is a list or an object, says which data is not valid: that is the details.
 */
export function readBody(body: unknown): ExceptionBody {
  if (typeof body !== 'object' || body === null) return {};
  if (Array.isArray(body)) return { text: NOT_VALID, details: withoutInput(body) };
  const { message, error, code, errorCode, retryable, details } = body as Record<string, unknown>;
  const codeField = isText(code) ? 'code' : isText(errorCode) ? 'errorCode' : undefined;
  const said = {
    text: [message, error].find(isText),
    code: [code, errorCode].find(isText),
    retryable: typeof retryable === 'boolean' ? retryable : undefined,
  };
  // The other fields of errors (addresses, SQL statements, paths) were not written for clients.
  if (isError(body)) return { ...said, details };
  const more = Object.entries(body).filter(
    ([name, value]) => value !== undefined && name !== codeField && !NOISE.get(name)?.includes(typeof value),
  );
  const text = typeof message === 'object' && message !== null ? NOT_VALID : said.text;
  return { ...said, text, details: detailsOf(more) };
}

/** A single `details` or `message` is the details itself; beside other fields, those of `details` are merged with them. */
function detailsOf(fields: readonly [name: string, value: unknown][]): unknown {
  const [first] = fields;
  if (!first) return undefined;
  if (fields.length === 1 && (first[0] === 'details' || first[0] === 'message')) return withoutInput(first[1]);
  const entries = fields.flatMap(([name, value]): [string, unknown][] =>
    name === 'details' && isFields(value) ? Object.entries(value) : [[name, withoutInput(value)]],
  );
  return Object.fromEntries(entries);
}

/** Removes the invalid object from the errors of class-validator, so that a client's data is not echoed. */
function withoutInput(value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((entry: unknown) => {
    if (!isFields(entry) || !isValidationError(entry)) return entry;
    const { children, ...own } = entry;
    return { ...own, target: undefined, value: undefined, children: withoutInput(children) };
  });
}

function isValidationError({ property, constraints, children }: Record<string, unknown>): boolean {
  return typeof property === 'string' && (isFields(constraints) || Array.isArray(children));
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
