import { asError } from '../errors/as-error.js';
import { WsError } from '../errors/ws.error.js';
import type { WsStandardSchema } from '../runtime/standard-schema.js';
import type {
  WebSocketSubscriberHandler,
  WebSocketSubscriberHandlerContext,
  WebSocketSubscriberMiddleware,
} from './subscriber.interface.js';
import type { ResolvedSubscriber } from './subscriber.options.js';

type Context = WebSocketSubscriberHandlerContext;
type Middleware = WebSocketSubscriberMiddleware;

/** Called when a hook of a middleware has failed. */
export type HookFailed = (hook: string, channel: string, error: unknown) => void;

/** Puts schema and middleware around a handler: schema → onBefore… → handler → …onAfter, or …onError. */
export function compileHandler(definition: ResolvedSubscriber, failed: HookFailed): WebSocketSubscriberHandler {
  const { handle, middleware, schema } = definition;
  const surrounded = middleware.length === 0 ? handle : surround(handle, middleware, failed);
  return schema ? validated(surrounded, schema) : surrounded;
}

function validated(handle: WebSocketSubscriberHandler, schema: WsStandardSchema): WebSocketSubscriberHandler {
  return async (context) => {
    const result = await schema['~standard'].validate(context.message);
    if (!result.issues) return handle({ ...context, message: result.value });
    // Schemas quote what they have got in their sentences; messages stay out of the log.
    const details = result.issues.map(({ message }) => message);
    throw new WsError('VALIDATION_FAILED', `The message is not valid${placeOf(result.issues[0]?.path)}.`, { details });
  };
}

/** Where in the message, as ` at items.0.count`; nothing for the whole of it. */
function placeOf(path: readonly unknown[] = []): string {
  const keys = path.map((part) => (typeof part === 'object' && part !== null && 'key' in part ? part.key : part));
  return keys.length === 0 ? '' : ` at ${keys.map(String).join('.')}`;
}

function surround(
  handle: WebSocketSubscriberHandler,
  middleware: readonly Middleware[],
  failed: HookFailed,
): WebSocketSubscriberHandler {
  const backwards = [...middleware].reverse();
  return async (context) => {
    if (!(await admits(middleware, context, failed))) return;
    let result: unknown;
    try {
      result = await handle(context);
    } catch (error) {
      if (await suppresses(backwards, context, asError(error), failed)) return;
      throw error;
    }
    for (const one of backwards) {
      await guard(`${one.name}.onAfter`, context, failed, () => one.onAfter?.(context, result));
    }
  };
}

/** Returns false when an `onBefore` returns false or fails: a check that fails must not let an event pass. */
async function admits(middleware: readonly Middleware[], context: Context, failed: HookFailed): Promise<boolean> {
  for (const one of middleware) {
    const verdict = await guard(`${one.name}.onBefore`, context, failed, () => one.onBefore?.(context), false);
    if (verdict === false) return false;
  }
  return true;
}

async function suppresses(
  backwards: readonly Middleware[],
  context: Context,
  error: Error,
  failed: HookFailed,
): Promise<boolean> {
  let isSuppressed = false;
  for (const one of backwards) {
    const verdict = await guard(`${one.name}.onError`, context, failed, () => one.onError?.(context, error));
    if (verdict === true) isSuppressed = true;
  }
  return isSuppressed;
}

/** Returns what the hook returns. When it fails, the failure is reported and `otherwise` is returned. */
async function guard(
  hook: string,
  { channel }: Context,
  failed: HookFailed,
  run: () => unknown,
  otherwise?: unknown,
): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    failed(hook, channel, error);
    return otherwise;
  }
}
