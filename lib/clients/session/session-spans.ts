import type { SpanAttributes } from '../../tracing/trace-span.js';
import type { Tracing } from '../../tracing/tracing.js';
import type { ClientSession } from './client-session.js';

/** What the spans of a client say of it: who it is only where the application has asked for that. */
export function attributesOf({ clientId, path, user }: ClientSession, { showsUsers }: Tracing): SpanAttributes {
  const known = { 'network.protocol.name': 'websocket', 'pxl.endpoint': path, 'pxl.client.id': clientId };
  return showsUsers && user ? { ...known, 'enduser.id': user.userId } : known;
}

/** Asks a client in a span that ends with its answer. */
export function inSpanOfCall(
  session: ClientSession,
  message: unknown,
  tracing: Tracing,
  ask: () => Promise<unknown>,
): Promise<unknown> {
  const start = { kind: 'client', attributes: attributesOf(session, tracing) } as const;
  return tracing.within(`request ${nameOf(message)}`, start, ask);
}

/** As a route is called. */
function nameOf(message: unknown): string {
  if (typeof message !== 'object' || message === null) return '';
  const { type, action, event } = message as Partial<Record<'type' | 'action' | 'event', unknown>>;
  return typeof event === 'string' ? `event:${event}` : `${String(type)}:${String(action)}`;
}
