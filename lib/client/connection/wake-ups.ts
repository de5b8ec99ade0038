import { surroundings, type PageEvent, type PageTarget } from '../options/surroundings.js';

/**
 * Calls `wake` when the network is back or the page becomes visible, so that the client checks its connection. Calls `pause`
 * when the browser keeps a page that was left, or freezes it: its connection would stay open, and nobody would read it. The
 * argument is true when `pause` will be called once more, at `freeze`. For a page that is gone for good the browser closes
 * the connection.
 *
 * @param end stops listening; it serves as the options of the listeners, which use its `signal`
 */
export function onWakeUp(wake: () => void, pause: (isAgain: boolean) => void, end: AbortController): void {
  const { document } = surroundings;
  const listen = (target: PageTarget | undefined, type: string, listener: (event: PageEvent) => unknown): void =>
    target?.addEventListener?.(type, listener, end);
  listen(surroundings, 'online', wake);
  // Where the browser has `freeze`, it follows.
  listen(surroundings, 'pagehide', ({ persisted }) => persisted && pause(document?.onfreeze !== undefined));
  listen(surroundings, 'pageshow', ({ persisted }) => persisted && wake());
  listen(document, 'visibilitychange', () => !document?.hidden && wake());
  listen(document, 'freeze', () => pause(false));
  listen(document, 'resume', wake);
}
