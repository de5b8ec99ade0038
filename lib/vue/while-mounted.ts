import { getCurrentInstance, onMounted, onScopeDispose } from 'vue';

/**
 * Begins something when the component is mounted, so never on a server that renders, and ends it with the scope. Outside a
 * component, as in a store, it begins at once.
 */
export function whileMounted(begin: () => () => void): void {
  let end: (() => void) | undefined;
  onScopeDispose(() => end?.());
  const start = (): void => {
    end = begin();
  };
  if (getCurrentInstance()) onMounted(start);
  else start();
}
