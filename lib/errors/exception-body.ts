import { isError } from './as-error.js';

/** What an application has said in the object that it made an exception of; undefined is what it did not say. */
export interface ExceptionBody {
  readonly text?: string | undefined;
  readonly code?: string | undefined;
  readonly retryable?: boolean | undefined;
  readonly details?: unknown;
}

const NOT_VALID = 'The data is not valid.';

/** What Nest adds to a body by itself, and what stands elsewhere in an error frame: no details where it is of these types. */
const NOISE: ReadonlyMap<string, readonly string[]> = new Map([
  ['message', ['string']],
  ['error', ['string']],
  ['status', ['string', 'number']],
  ['statusCode', ['string', 'number']],
  ['retryable', ['boolean']],
]);

/**
 * Reads what a `WsException` or `HttpException` was made of. `message` (else `error`) is the sentence, `code` (else Nest's
 * `errorCode`) the code where it is a text that is not empty, `retryable` a boolean; every other field is one of the
 * details. A list, or a `message` that is a list or an object, says which data is not valid: it is the details.
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
  // What errors carry besides (addresses, statements, paths) was not written for clients.
  if (isError(body)) return { ...said, details };
  const more = Object.entries(body).filter(
    ([name, value]) => value !== undefined && name !== codeField && !NOISE.get(name)?.includes(typeof value),
  );
  const text = typeof message === 'object' && message !== null ? NOT_VALID : said.text;
  return { ...said, text, details: detailsOf(more) };
}

/** A `details` or a `message` that stands alone is the details itself, the fields of a `details` stand beside the others. */
function detailsOf(fields: readonly [name: string, value: unknown][]): unknown {
  const [first] = fields;
  if (!first) return undefined;
  if (fields.length === 1 && (first[0] === 'details' || first[0] === 'message')) return withoutInput(first[1]);
  const entries = fields.flatMap(([name, value]): [string, unknown][] =>
    name === 'details' && isFields(value) ? Object.entries(value) : [[name, withoutInput(value)]],
  );
  return Object.fromEntries(entries);
}

/** The errors of class-validator hold the object that was not valid, and what a client sent is not echoed. */
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
