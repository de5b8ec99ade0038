import type { WebSocketConstructor } from '../connection/socket.interface.js';

/** What the global object of a page has; other runtimes may lack it. */
interface Surroundings extends PageTarget {
  readonly WebSocket?: WebSocketConstructor | undefined;
  readonly location?: { readonly href: string } | undefined;
  readonly document?: PageDocument | undefined;
}

interface PageDocument extends PageTarget {
  readonly hidden: boolean;
  /** Undefined when the browser has no `freeze` event. */
  readonly onfreeze?: unknown;
}

/** An object that emits events of a page's life. */
export interface PageTarget {
  addEventListener?(type: string, listener: (event: PageEvent) => unknown, options: { signal: AbortSignal }): void;
}

export interface PageEvent {
  /** In `pagehide` and `pageshow`: whether the browser keeps, or has kept, the page in its back/forward cache. */
  readonly persisted?: boolean;
}

/** The global object with the properties that the client uses. */
export const surroundings: Surroundings = globalThis;

/** Reports an unhandled error as the runtime does: pages log it, Node ends the process. */
export function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
