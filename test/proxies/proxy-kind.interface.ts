import type { Places } from './documented.js';

/** How a proxy is configured: for one worker; for two; with TLS as well; or so that it replaces `X-Forwarded-For`. */
export type Variant = 'one' | 'two' | 'tls' | 'replacing';

/** Where one process of a proxy lives. */
export interface Home extends Places {
  /** A folder of its own. */
  readonly folder: string;
  /** A port for its administration, where it needs one. */
  readonly admin: number;
}

/** What to run for a proxy, in the foreground. */
export interface Launch {
  /** By their names in the folder of its home. */
  readonly files: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

/** One of the proxies of the documentation. */
export interface ProxyKind {
  /** As its heading. */
  readonly name: string;
  /** As Debian's packages call it, and what runs it. */
  readonly debianPackage: string;
  readonly program: string;
  readonly version: { readonly args: readonly string[]; readonly pattern: RegExp };
  /** Whether it speaks TLS, and HTTP/2 with WebSockets in it. */
  readonly tls: boolean;
  readonly webSocketsOverHttp2: boolean;
  /** Whether open sockets live on when it is loaded anew. */
  readonly keepsSockets: boolean;
  /** Whether its end is told with a close frame. */
  readonly saysGoodbye: boolean;
  /** Whether an address that the client itself has written is believed with `trustProxy: true`. */
  readonly passesForgedAddresses: boolean;
  /** @param generation of the configuration: each differs from the one before */
  launch(home: Home, variant: Variant, generation: number): Launch;
  /** What loads it anew, with the files of the next generation written: a signal, or commands. */
  readonly reload:
    NodeJS.Signals | ((home: Home, generation: number) => readonly (readonly [program: string, ...args: string[]])[]);
}
