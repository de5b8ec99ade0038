import { NestApplicationContext, type AbstractHttpAdapter, type ModulesContainer } from '@nestjs/core';

/** What is done before an application closes anything. */
export interface WorkBeforeClose {
  /** Comes before Nest knows of the end: from then on it may answer all requests with 503 (`return503OnClosing`). */
  announce(): Promise<void>;
  /** Begins with `announce`. */
  run(): Promise<void>;
}

/** An application as its own shutdown sees it: `close()` and the signals of `enableShutdownHooks()` begin with this call. */
interface Closing {
  readonly container: { getModules(): ModulesContainer };
  callDestroyHook(this: Closing): Promise<void>;
}

/** With Nest 11: what each application waits for, by its modules, since nothing that is injected names the application. */
const awaited = new WeakMap<ModulesContainer, WorkBeforeClose>();
let isNest11Wrapped = false;

/**
 * Has Nest wait for `work` before it calls any shutdown hook: the first hooks already end the application's own providers.
 * Nest 12 has a place for that, `beforeClose` of the HTTP adapter; Nest 11 has none.
 *
 * @returns undoes it
 */
export function waitBeforeClose(
  adapter: AbstractHttpAdapter,
  modules: ModulesContainer,
  work: WorkBeforeClose,
): () => void {
  if ('beforeClose' in adapter) return wrapBeforeClose(adapter, work);
  wrapNest11();
  awaited.set(modules, work);
  return () => void awaited.delete(modules);
}

function wrapBeforeClose(adapter: AbstractHttpAdapter, work: WorkBeforeClose): () => void {
  // Nest awaits what beforeClose returns, though its type says void.
  const original: () => unknown = adapter.beforeClose.bind(adapter);
  const beforeClose = async (): Promise<void> => {
    await work.announce();
    const before = original();
    await work.run();
    await before;
  };
  const own = Object.getOwnPropertyDescriptor(adapter, 'beforeClose');
  Object.assign(adapter, { beforeClose });
  return () => {
    if (adapter.beforeClose !== beforeClose) return; // another library has wrapped it since
    if (own) Object.defineProperty(adapter, 'beforeClose', own);
    else Reflect.deleteProperty(adapter, 'beforeClose');
  };
}

/** Once for all applications of the process: an application of Nest 11 has no method of its own to wrap. */
function wrapNest11(): void {
  if (isNest11Wrapped) return;
  isNest11Wrapped = true;
  const { prototype } = NestApplicationContext;
  // Protected: only Nest's own classes may name it.
  const original = Reflect.get(prototype, 'callDestroyHook') as Closing['callDestroyHook'];
  async function callDestroyHook(this: Closing): Promise<void> {
    await awaited.get(this.container.getModules())?.run();
    return original.call(this);
  }
  Object.assign(prototype, { callDestroyHook });
}
