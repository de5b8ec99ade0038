import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { isRetryable, type WsErrorCode } from '../protocol/error-codes.js';
import type { ErrorPayload } from '../protocol/messages.js';
import { isError } from './as-error.js';
import { readBody } from './exception-body.js';
import { WsError } from './ws.error.js';

const UNEXPECTED: ErrorPayload = { error: 'Internal error.', code: 'INTERNAL', retryable: false };

/**
 * Turns a value that a handler has thrown into the error that its client reads. `WsError` and `WsException` keep their text
 * and code, `HttpException` is mapped by its status unless it has a code of its own, and other fields of either become
 * details. Everything else is INTERNAL, and its text never leaves the server. Never throws.
 */
export function toErrorPayload(exception: unknown): ErrorPayload {
  return answerOf(exception) ?? UNEXPECTED;
}

/** Whether the exception is a defect of the application, to be logged, rather than an answer to the client. Never throws. */
export function isUnexpected(exception: unknown): boolean {
  return answerOf(exception) === null;
}

/** Null for a value that was not thrown as an answer, or cannot be one: a property throws, or the code is no text. */
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
  // A WsException can be made of anything: `new WsException(map.get(key))` may hold undefined.
  const { text = exception.message, code, retryable, details } = readBody(error);
  const mapped = code ?? (Array.isArray(error) ? 'VALIDATION_FAILED' : 'APPLICATION');
  return { error: text, code: mapped, retryable: retryable ?? isRetryable(mapped), details };
}

function ofHttpException(exception: HttpException): ErrorPayload | null {
  const mapped = codeOfStatus(exception);
  if (mapped === 'INTERNAL') return null;
  const body: unknown = exception.getResponse();
  const status = exception.getStatus();
  // `new BadRequestException(error)` is no permission to show the error; Nest answers with the status text too.
  if (isError(body)) return payload(STATUS_CODES[status] ?? 'Error', mapped);
  const { text = exception.message, code = ownCode(exception), retryable, details } = readBody(body);
  // The body of a server fault (503, 504) was written for the application's operators.
  if (status >= 500) return payload(exception.message, mapped);
  const ofCode = isRetryable(mapped) || (code !== undefined && isRetryable(code));
  return { error: text, code: code ?? mapped, retryable: retryable ?? ofCode, details };
}

/** The `errorCode` of the exception's options, which is not part of a body that the application has given. */
function ownCode({ errorCode }: HttpException): string | undefined {
  return typeof errorCode === 'string' && errorCode !== '' ? errorCode : undefined;
}

function codeOfStatus(exception: HttpException): WsErrorCode {
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

function payload(error: string, code: string): ErrorPayload {
  return { error, code, retryable: isRetryable(code) };
}
