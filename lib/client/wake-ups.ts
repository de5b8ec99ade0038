import { surroundings, type PageEvent, type PageTarget } from './surroundings.js';

/**
 * Calls `wake` when a page should look after its connection: the network is back, or somebody looks at it. Calls `pause`
 * when the browser keeps a page that was left, or freezes one: it would keep its connection, and nobody would read what
 * comes; with true when it will be called once more, just before the page stands still. A page that is gone for good needs nothing: the browser closes its connection.
 *
 * @returns what ends that
 */
export function onWakeUp(wake: () => void, pause: (isAgain: boolean) => void): () => void {
  const { document } = surroundings;
  // Has the one option that the listeners need: `signal`.
  const end = new AbortController();
  const listen = (target: PageTarget | undefined, listeners: Record<string, (event: PageEvent) => unknown>): void => {
    for (const [type, listener] of Object.entries(listeners)) target?.addEventListener?.(type, listener, end);
  };
  listen(surroundings, {
    online: wake,
    // Where there is `freeze`, it follows.
    pagehide: ({ persisted }) => persisted && pause(document?.onfreeze !== undefined),
    pageshow: ({ persisted }) => persisted && wake(),
  });
  listen(document, {
    visibilitychange: () => !document?.hidden && wake(),
    freeze: () => pause(false),
    resume: wake,
  });
  return () => end.abort();
}
