type AfterInit = (server: unknown) => unknown;

/**
 * Watches the gateways' `afterInit`. Nest calls it without waiting, and a failure would end the process from a timer;
 * watched, it fails the start of the application.
 */
export class AfterInitHooks {
  readonly #calls: Promise<unknown>[] = [];
  readonly #restore: (() => void)[] = [];

  watch(gateways: readonly object[]): void {
    for (const gateway of gateways as { afterInit?: AfterInit }[]) {
      const { afterInit } = gateway;
      if (typeof afterInit !== 'function') continue;
      const isOwn = Object.hasOwn(gateway, 'afterInit');
      gateway.afterInit = (server) => {
        const call = new Promise((resolve) => resolve(afterInit.call(gateway, server)));
        call.catch(() => undefined); // told by `settle`
        this.#calls.push(call);
      };
      this.#restore.push(() => {
        if (isOwn) gateway.afterInit = afterInit;
        else delete gateway.afterInit;
      });
    }
  }

  /** Resolves once every hook has; rejects with the first failure. */
  async settle(): Promise<void> {
    for (const restore of this.#restore.splice(0)) restore();
    await Promise.all(this.#calls.splice(0));
  }
}
