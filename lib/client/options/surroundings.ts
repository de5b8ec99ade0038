import type { WebSocketConstructor } from '../connection/socket.interface.js';

/** What a page has and other places may lack. */
interface Surroundings extends PageTarget {
  readonly WebSocket?: WebSocketConstructor | undefined;
  readonly location?: { readonly href: string } | undefined;
  readonly document?: PageDocument | undefined;
}

interface PageDocument extends PageTarget {
  readonly hidden: boolean;
  /** Undefined where the browser does not tell of pages that it freezes. */
  readonly onfreeze?: unknown;
}

/** What tells of a page's life. */
export interface PageTarget {
  addEventListener?(type: string, listener: (event: PageEvent) => unknown, options: { signal: AbortSignal }): void;
}

export interface PageEvent {
  /** Of `pagehide` and `pageshow`: the browser keeps the page, to show it again as it is; or has kept it. */
  readonly persisted?: boolean;
}

/** The global object, as far as the client knows it. */
export const surroundings: Surroundings = globalThis;

/** Tells of an error that nobody handles as the place where we run tells of any: pages log it, Node ends the process. */
export function reportUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
