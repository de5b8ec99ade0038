import type { WebSocketConstructor } from './socket.interface.js';

/** What a page has and other places may lack. */
interface Surroundings {
  readonly WebSocket?: WebSocketConstructor | undefined;
  readonly location?: { readonly href: string } | undefined;
  readonly document?: PageDocument | undefined;
  readonly reportError?: ((error: unknown) => void) | undefined;
  addEventListener?(type: 'online', listener: () => void): void;
  removeEventListener?(type: 'online', listener: () => void): void;
}

interface PageDocument {
  readonly hidden: boolean;
  addEventListener(type: 'visibilitychange', listener: () => void): void;
  removeEventListener(type: 'visibilitychange', listener: () => void): void;
}

/** The global object, as far as the client knows it. */
export const surroundings: Surroundings = globalThis;

/** Tells of an error that nobody handles as the place where we run tells of any: pages log it, Node ends the process. */
export function reportUncaught(error: unknown): void {
  if (surroundings.reportError) surroundings.reportError(error);
  else
    queueMicrotask(() => {
      throw error;
    });
}
