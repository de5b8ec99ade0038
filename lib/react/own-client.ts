import { useEffect, useState } from 'react';
import type { WebSocketClient, WebSocketClientOptions, WebSocketContract } from '../client/index.js';
import { ownClient } from '../hooks/own-client.js';

/** A client that lives as long as a component. */
class OwnClient<C extends WebSocketContract> {
  readonly client: WebSocketClient<C>;
  readonly url: string;
  isOver = false;
  #isMounted = false;

  constructor(options: WebSocketClientOptions) {
    this.client = ownClient(options);
    this.url = String(options.url);
  }

  mount(): () => void {
    this.#isMounted = true;
    // A failure shows in the connection's state.
    this.client.connect().catch(() => undefined);
    return () => {
      this.#isMounted = false;
      // StrictMode and Fast Refresh unmount and mount within one turn, which must not end the client.
      queueMicrotask(() => {
        if (this.#isMounted) return;
        this.isOver = true;
        this.client.destroy();
      });
    };
  }
}

/** Creates a client for the calling component when options are given. */
export function useOwnClient<C extends WebSocketContract>(options?: WebSocketClientOptions): WebSocketClient<C> | null {
  const make = (): OwnClient<C> | null => (options ? new OwnClient(options) : null);
  const [own, setOwn] = useState(make);
  if (own?.url !== (options && String(options.url))) setOwn(make);
  useEffect(() => {
    // A component that was hidden (Activity) is mounted again with its state, but its client has ended.
    if (own?.isOver) setOwn(make);
    else return own?.mount();
  }, [own]);
  return own?.client ?? null;
}
