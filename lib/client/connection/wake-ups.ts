import { surroundings, type PageEvent, type PageTarget } from '../options/surroundings.js';

/**
 * Calls `wake` when a page should look after its connection: the network is back, or somebody looks at it. Calls `pause`
 * when the browser keeps a page that was left, or freezes one: it would keep its connection, and nobody would read what
 * comes; with true when it will be called once more, just before the page stands still. A page that is gone for good needs
 * nothing: the browser closes its connection.
 *
 * @param end ends that; it has the one option that the listeners need: `signal`
 */
export function onWakeUp(wake: () => void, pause: (isAgain: boolean) => void, end: AbortController): void {
  const { document } = surroundings;
  const listen = (target: PageTarget | undefined, type: string, listener: (event: PageEvent) => unknown): void =>
    target?.addEventListener?.(type, listener, end);
  listen(surroundings, 'online', wake);
  // Where there is `freeze`, it follows.
  listen(surroundings, 'pagehide', ({ persisted }) => persisted && pause(document?.onfreeze !== undefined));
  listen(surroundings, 'pageshow', ({ persisted }) => persisted && wake());
  listen(document, 'visibilitychange', () => !document?.hidden && wake());
  listen(document, 'freeze', () => pause(false));
  listen(document, 'resume', wake);
}
