import { LOST } from '../../protocol/close-codes.js';
import { allowanceOf, type Allowance } from '../messages/allowance.js';
import type { ClientMessage } from '../messages/client-codec.interface.js';
import type { EncryptedSocket } from '../client-encryption.interface.js';
import { encodeMessage } from '../messages/client-message.js';
import type { ResolvedClientOptions } from '../options/client-options.js';
import type { ClientRuntime, ClientTimer } from '../options/client-runtime.js';
import { endingBy, endingOfClose, endingOfFailure, endingOfRefusal, type Ending } from './ending.js';
import { Heartbeat } from './heartbeat.js';
import { introduce } from './introduction.js';
import { isTime } from '../options/option-rules.js';
import { readFrame, type AnswerFrame, type PushFrame, type ServerFrame } from '../messages/server-frame.js';
import type { WebSocketLike } from './socket.interface.js';
import type { TokenSource } from './token-source.js';
import { badOption } from '../websocket-client.error.js';
import { readWelcome, type Welcome } from '../welcome.js';

/** Called about a connection, and not any more after `ended`. */
export interface ConnectionListener {
  /** The server has accepted the client, and messages can be sent. */
  welcomed(welcome: Welcome): void;
  received(frame: ServerFrame): void;
  /** The connection has ended. Called once, after everything else. */
  ended(ending: Ending): void;
}

/** What all connections of a client share. */
export interface ConnectionServices {
  readonly options: ResolvedClientOptions;
  readonly tokens: TokenSource;
  readonly runtime: ClientRuntime;
  /** The server's limits, from its latest welcome. */
  allowance: Allowance;
}

/**
 * How long the server has to answer the close frame before the socket is cut, in ms, where sockets can be cut. The time to encrypt
 * what is sent before counts too.
 */
const LAST_WORDS = 1_000;

/** One socket from fetching its token to its end. It ends exactly once, in `end`. */
export class Connection {
  readonly #services: ConnectionServices;
  readonly #listener: ConnectionListener;
  #socket: WebSocketLike | undefined;
  /** The encrypted socket around it, when frames are encrypted. */
  #encrypted: EncryptedSocket | undefined;
  /** Starts when messages can be sent. */
  #heartbeat: Heartbeat | undefined;
  #deadline: ClientTimer | undefined;
  #token: string | null = null;
  #welcome: Welcome | null = null;
  #awaitsAnswer = false;
  #isEnded = false;
  /** Ends the connection when the server does not answer. */
  readonly #expire = (): void => this.end(endingBy(LOST, 'There was no answer.', { errorCode: 'TIMEOUT' }), true);
  /** The last error before the close, which becomes its cause. */
  #cause: unknown;

  constructor(services: ConnectionServices, listener: ConnectionListener) {
    this.#services = services;
    this.#listener = listener;
  }

  /** Whether a message can be sent now. */
  get isOpen(): boolean {
    const open = 1;
    return !!this.#heartbeat && this.#socket?.readyState === open;
  }

  /** Opens the connection. Called once; does nothing when the connection has ended already. */
  open(): void {
    if (this.#isEnded) return;
    this.#allowTime(this.#services.tokens.patience);
    this.#dial().catch((error: unknown) => this.end(endingOfFailure(error)));
  }

  /** Sends encoded text, in a text or a binary frame. */
  send(text: string, isBinary = false): void {
    this.#services.allowance.count();
    this.#socket?.send(isBinary ? new TextEncoder().encode(text) : text);
  }

  /** Asks the server for a sign of life at once. */
  probe(): void {
    this.#heartbeat?.ask();
  }

  /**
   * Ends the connection in any state. Further calls do nothing.
   *
   * @param isDead true when the server does not answer, so that there is no closing handshake
   */
  end(ending: Ending, isDead = false): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#deadline?.cancel();
    this.#heartbeat?.stop();
    if (ending.reaction === 'replaceToken') this.#services.tokens.refuse(this.#token, ending.code);
    // A page does not see why an upgrade failed, so a token that led to no welcome is not known to be good.
    else if (!this.#heartbeat || ending.reaction === 'refreshToken') this.#services.tokens.forget(this.#token);
    if (this.#socket) this.#part(this.#socket, ending.isOwn ? 1000 : 4002, isDead);
    this.#listener.ended(ending);
  }

  async #dial(): Promise<void> {
    const { options, tokens } = this.#services;
    this.#token = await tokens.current();
    const session = await options.encryption?.offer();
    if (this.#isEnded) return;
    const [url, protocols, credentials] = introduce(options, tokens.resume, this.#token, session);
    let opened;
    // The constructor throws, for example, when the token cannot be part of a subprotocol.
    try {
      opened = new options.webSocket(url, protocols);
    } catch (cause) {
      throw badOption(`There is no socket: ${String(cause)}`);
    }
    if (session) this.#encrypted = options.encryption?.over(opened, session, options.codec.name);
    const socket = (this.#socket = this.#encrypted ?? opened);
    // The additional time for a browser to connect, in ms. Browsers open one connection to a host at a time over all pages,
    // and delay them after a failure, Firefox by up to a minute. A page cannot tell this from a network that swallows the
    // attempt. A socket that is closed and created again would go to the end of the browser's queue each time.
    const heldBack = 60_000;
    // Only sockets outside of browsers have `terminate`.
    if (!opened.terminate) this.#allowTime(heldBack);
    opened.on?.('unexpected-response', (_request, answer) => this.end(endingOfRefusal(answer)));
    socket.onopen = () => {
      // The server gets its full time, however long the browser delayed the connection.
      this.#allowTime();
      if (credentials) this.#authenticate(socket, credentials);
      // Another server sends no welcome.
      else if (options.codec.isOther) this.#becomeReady(readWelcome({}));
    };
    socket.onmessage = ({ data }) => this.#read(data);
    const closed = ({ code = 0, reason = '' } = {}): void => this.end(endingOfClose(code, reason, this.#cause));
    socket.onerror = ({ error }: { readonly error?: unknown }) => {
      // An error is only the cause of the close that follows.
      this.#cause = error;
      // Node 22's own WebSocket emits no close when it cannot connect: nodejs/undici#3546.
      const connecting = 0;
      if (socket.readyState === connecting) this.#allowTime(0, closed, 0);
    };
    socket.onclose = closed;
  }

  /** Sets the deadline; a connection has one at a time. */
  #allowTime(patience = 0, expired = this.#expire, ms = this.#services.options.connectTimeout + patience): void {
    this.#deadline?.cancel();
    this.#deadline = this.#services.runtime.timeout(ms, expired);
  }

  #authenticate(socket: WebSocketLike, credentials: object): void {
    const { codec } = this.#services.options;
    // The ids of requests begin at 1.
    const id = codec.isOther ? undefined : 0;
    // The server may have welcomed an anonymous client before; the answer tells that it knows the user.
    this.#awaitsAnswer = id === 0;
    socket.send(encodeMessage({ type: codec.ownType, action: 'authenticate', data: credentials }, codec, id));
  }

  #read(data: unknown): void {
    this.#heartbeat?.heard();
    if (this.#isEnded) return;
    const frame = readFrame(data, this.#services.options.codec);
    if (frame.kind === 'welcome') {
      this.#services.tokens.resume = frame.resume;
      this.#becomeReady((this.#welcome ??= frame.welcome));
    } else if ('id' in frame && frame.id === 0) this.#authenticated(frame);
    else if (this.#heartbeat) this.#listener.received(frame);
    else if (frame.kind === 'error') this.#cause = frame.error;
  }

  #authenticated(answer: AnswerFrame | PushFrame): void {
    // BAD_MESSAGE: the server needs no authentication. After any other refusal it closes the connection.
    if (answer.kind === 'error' && (this.#cause = answer.error).code !== 'BAD_MESSAGE') return;
    this.#awaitsAnswer = false;
    this.#becomeReady(this.#welcome);
  }

  #becomeReady(welcome: Welcome | null): void {
    if (!welcome || this.#awaitsAnswer || this.#heartbeat) return;
    if (this.#encrypted?.isAgreed === false) {
      this.end(endingBy(1002, 'The server does not encrypt.'));
      return;
    }
    this.#deadline?.cancel();
    this.#services.tokens.accept(this.#token);
    const { options, runtime } = this.#services;
    this.#services.allowance = allowanceOf(welcome, options, runtime, this.#encrypted);
    const { codec, heartbeat } = options;
    const told = welcome.heartbeat;
    const wanted = heartbeat || {};
    const say = (message: ClientMessage): void => this.send(encodeMessage(message, codec));
    this.#heartbeat = new Heartbeat(
      runtime,
      // The default in ms, when neither the options nor the server tell one.
      [wanted.interval, told?.interval].find(isTime) ?? (codec.isOther ? 30_000 : 15_000),
      [wanted.timeout, told?.timeout].find(isTime) ?? 10_000,
      this.#expire,
      !codec.isOther && heartbeat && (told !== null || wanted.interval)
        ? () => say({ type: 'system', action: 'ping' })
        : undefined,
      codec.beats ? () => say({ type: 'event', action: 'heartbeat' }) : undefined,
    );
    this.#listener.welcomed(welcome);
  }

  /** Closes the socket in any state, and listens to it no longer. */
  #part(socket: WebSocketLike, code: number, isDead: boolean): void {
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
    const closed = 3;
    if (socket.readyState === closed) return;
    const close = (): void => socket.close(code);
    const cut = (): void => (socket.terminate ? socket.terminate() : close());
    const late = this.#services.runtime.timeout(LAST_WORDS, cut);
    // A socket of `ws` that is closed while it connects emits an error, which would end the process without a listener.
    socket.onerror = () => undefined;
    socket.onclose = () => {
      late.cancel();
      socket.onerror = socket.onclose = null;
    };
    if (isDead) cut();
    else close();
  }
}
