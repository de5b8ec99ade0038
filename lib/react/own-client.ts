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
    // The state tells of a failure.
    this.client.connect().catch(() => undefined);
    return () => {
      this.#isMounted = false;
      // StrictMode and Fast Refresh unmount and mount in one turn: that is no end.
      queueMicrotask(() => {
        if (this.#isMounted) return;
        this.isOver = true;
        this.client.destroy();
      });
    };
  }
}

/** Makes a client for the component that calls it, if it gives options. */
export function useOwnClient<C extends WebSocketContract>(options?: WebSocketClientOptions): WebSocketClient<C> | null {
  const make = (): OwnClient<C> | null => (options ? new OwnClient(options) : null);
  const [own, setOwn] = useState(make);
  if (own?.url !== (options && String(options.url))) setOwn(make);
  useEffect(() => {
    // A component that was hidden (Activity) is mounted again as it was: only its client is gone.
    if (own?.isOver) setOwn(make);
    else return own?.mount();
  }, [own]);
  return own?.client ?? null;
}
