import type { WebSocketSubscriberHandlerContext } from 'nestjs-pxl-websocket';
import { HANDLER_HOST, type HandlerHost } from '../../lib/subscribers/handler-host.js';
import { ManualRuntime } from './manual-runtime.js';

/** Makes the contexts of one application's handlers, on a clock that the test turns. */
export class HandlerContexts {
  readonly clock = new ManualRuntime();
  /** What was deferred and has failed. */
  readonly failures: unknown[] = [];
  isOver = false;

  make<Message>(message: Message, channel = 'orders'): WebSocketSubscriberHandlerContext<Message> {
    const context = { channel, message, redis: null, redisInstance: null, [HANDLER_HOST]: this.#host() };
    return context as Partial<typeof context> as WebSocketSubscriberHandlerContext<Message>;
  }

  #host(): HandlerHost {
    const { clock, failures } = this;
    const isOver = (): boolean => this.isOver;
    const host: HandlerHost = {
      owner: this,
      runtime: clock,
      get isOver() {
        return isOver();
      },
      defer: (ms, work) =>
        clock.timeout(ms, () => {
          new Promise((resolve) => resolve(work(host))).catch((error: unknown) => failures.push(error));
        }),
    };
    return host;
  }
}
