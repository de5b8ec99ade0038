import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';

/**
 * With `disconnectInactiveClients`: closes clients that have sent no message for `inactiveTime`, by the options of their
 * endpoint. A sweep after a pause of this process closes nobody, since what clients sent meanwhile may not have been read.
 */
@Injectable()
export class InactiveClients {
  readonly #logger = new ModuleLogger();
  /** One timer for each endpoint's options. */
  readonly #timers = new Map<ResolvedOptions, RuntimeTimer>();

  constructor(
    private readonly clients: ClientRegistry,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  start(): void {
    for (const options of allOptions(this.options)) {
      if (options.disconnectInactiveClients.enabled) this.#schedule(options);
    }
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #schedule(options: ResolvedOptions): void {
    const { intervalCheckTime } = options.disconnectInactiveClients;
    const timer = this.runtime.fairTimeout(intervalCheckTime, (wasStalled) => {
      this.#schedule(options);
      if (!wasStalled) this.#sweep(options);
    });
    this.#timers.set(options, timer);
  }

  #sweep(options: ResolvedOptions): void {
    const { inactiveTime, log } = options.disconnectInactiveClients;
    const silentSince = this.runtime.now() - inactiveTime;
    let count = 0;
    for (const session of this.clients.values()) {
      if (session.options !== options || session.readyState !== OPEN || session.lastActivity > silentSince) continue;
      const { code, reason } = session.codec.inactive;
      session.ws.close(code, reason);
      count++;
    }
    if (log && count > 0) this.#logger.log(`Disconnected ${count} inactive clients.`);
  }
}
