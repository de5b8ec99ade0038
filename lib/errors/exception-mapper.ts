import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { isRetryable, type ErrorCode } from '../protocol/error-codes.js';
import type { ErrorPayload } from '../protocol/messages.js';
import { WsError } from './ws.error.js';

const UNEXPECTED: ErrorPayload = { error: 'Internal error.', code: 'INTERNAL', retryable: false };

/**
 * The one place where what a handler threw becomes what its client reads. `WsError` and `WsException` keep their text
 * and code, `HttpException` maps by status, everything else is INTERNAL: its text never leaves the server. Never throws.
 */
export function toErrorPayload(exception: unknown): ErrorPayload {
  return answerOf(exception) ?? UNEXPECTED;
}

/** Whether the exception is a defect of the application, to be logged, rather than an answer to the client. Never throws. */
export function isUnexpected(exception: unknown): boolean {
  return answerOf(exception) === null;
}

/** Null for what was not thrown to be an answer, or cannot be one: its own properties throw, or its code is no text. */
function answerOf(exception: unknown): ErrorPayload | null {
  try {
    const answer = payloadOf(exception);
    const { error, code }: { error?: unknown; code?: unknown } = answer ?? {};
    return typeof error === 'string' && typeof code === 'string' ? answer : null;
  } catch {
    return null;
  }
}

function payloadOf(exception: unknown): ErrorPayload | null {
  if (exception instanceof WsError) {
    const { message, code, retryable, details } = exception;
    return { error: message, code, retryable, details };
  }
  if (exception instanceof WsException) return ofWsException(exception);
  return exception instanceof HttpException ? ofHttpException(exception) : null;
}

function ofWsException(exception: WsException): ErrorPayload {
  const error: unknown = exception.getError();
  if (typeof error === 'string') return payload(error, 'APPLICATION');
  // Nest lets one be made of anything: `new WsException(map.get(key))` may hold nothing at all.
  const { code, details } = Object(error) as { code?: unknown; details?: unknown };
  return payload(exception.message, typeof code === 'string' ? code : 'APPLICATION', details);
}

function ofHttpException(exception: HttpException): ErrorPayload | null {
  const code = codeOfStatus(exception);
  if (code === 'INTERNAL') return null;
  const body: unknown = exception.getResponse();
  const { message } = Object(body) as { message?: unknown };
  // ValidationPipe puts one sentence per failed field into `message`.
  return Array.isArray(message)
    ? payload('The data is not valid.', code, message)
    : payload(exception.message, code, undefined);
}

function codeOfStatus(exception: HttpException): ErrorCode {
  const status = exception.getStatus();
  switch (status) {
    case 400:
    case 422:
      return 'VALIDATION_FAILED';
    case 401:
      return 'UNAUTHENTICATED';
    case 403:
      return 'FORBIDDEN';
    case 404:
      return 'NOT_FOUND';
    case 409:
      return 'CONFLICT';
    case 429:
      return 'RATE_LIMITED';
    case 408:
    case 504:
      return 'TIMEOUT';
    case 503:
      return 'UNAVAILABLE';
    default:
      return status < 500 ? 'APPLICATION' : 'INTERNAL';
  }
}

function payload(error: string, code: string, details?: unknown): ErrorPayload {
  return { error, code, retryable: isRetryable(code), details };
}
