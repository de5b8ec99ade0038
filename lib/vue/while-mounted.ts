import { getCurrentInstance, onMounted, onScopeDispose } from 'vue';

/**
 * Calls `begin` when the component is mounted, so never on a server that renders, and what it returns when the scope ends.
 * Outside a component, for example in a store, it is called at once.
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
