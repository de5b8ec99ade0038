import { surroundings } from './surroundings.js';

/**
 * Calls `wake` when a page should look after its connection: the network is back, or somebody looks at it.
 *
 * @returns what ends that
 */
export function onWakeUp(wake: () => void): () => void {
  const becameVisible = (): void => {
    if (!surroundings.document?.hidden) wake();
  };
  surroundings.addEventListener?.('online', wake);
  surroundings.document?.addEventListener('visibilitychange', becameVisible);
  return () => {
    surroundings.removeEventListener?.('online', wake);
    surroundings.document?.removeEventListener('visibilitychange', becameVisible);
  };
}
