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

/** Who hears of a connection; nothing is told once it has ended. */
export interface ConnectionListener {
  /** The server has taken the client: messages can be sent. */
  welcomed(welcome: Welcome): void;
  received(frame: ServerFrame): void;
  /** It is over: once, and last of all. */
  ended(ending: Ending): void;
}

/** What connections are made with; one set for all of them. */
export interface ConnectionServices {
  readonly options: ResolvedClientOptions;
  readonly tokens: TokenSource;
  readonly runtime: ClientRuntime;
  /** What the server takes, as its newest welcome has told. */
  allowance: Allowance;
}

/** One socket's life, from the token that it needs to the last word. Whatever happens, it ends once, in `end`. */
export class Connection {
  readonly #services: ConnectionServices;
  readonly #listener: ConnectionListener;
  #socket: WebSocketLike | undefined;
  /** The same socket, where frames are encrypted. */
  #encrypted: EncryptedSocket | undefined;
  /** Begins once messages can be sent. */
  #heartbeat: Heartbeat | undefined;
  #deadline: ClientTimer | undefined;
  #token: string | null = null;
  #welcome: Welcome | null = null;
  #awaitsAnswer = false;
  #isEnded = false;
  /** The server does not answer. */
  readonly #expire = (): void => this.end(endingBy(LOST, 'There was no answer.', { errorCode: 'TIMEOUT' }), true);
  /** The last trouble before the close. */
  #cause: unknown;

  constructor(services: ConnectionServices, listener: ConnectionListener) {
    this.#services = services;
    this.#listener = listener;
  }

  /** Whether a message that is sent now leaves. */
  get isOpen(): boolean {
    const open = 1;
    return !!this.#heartbeat && this.#socket?.readyState === open;
  }

  /** Begins; to be called once. Does nothing when the connection has ended already. */
  open(): void {
    if (this.#isEnded) return;
    this.#allowTime(this.#services.tokens.patience);
    this.#dial().catch((error: unknown) => this.end(endingOfFailure(error)));
  }

  /** Sends ready text, or the bytes of it. */
  send(text: string, isBinary = false): void {
    this.#services.allowance.count();
    this.#socket?.send(isBinary ? new TextEncoder().encode(text) : text);
  }

  /** Asks the server for a sign of life, now. */
  probe(): void {
    this.#heartbeat?.ask();
  }

  /**
   * Ends the connection, in whatever state it is. Calling it again does nothing.
   *
   * @param isDead the server does not answer any more: no closing handshake is waited for
   */
  end(ending: Ending, isDead = false): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#deadline?.cancel();
    this.#heartbeat?.stop();
    if (ending.reaction === 'replaceToken') this.#services.tokens.refuse(this.#token, ending.code);
    // A page does not see why an upgrade fails: a token that has led to no welcome is not known to be good.
    else if (!this.#heartbeat || ending.reaction === 'refreshToken') this.#services.tokens.forget(this.#token);
    if (this.#socket) this.#part(this.#socket, ending.isOwn ? 1000 : 4002, isDead);
    this.#listener.ended(ending);
  }

  async #dial(): Promise<void> {
    const { options, tokens } = this.#services;
    this.#token = await tokens.current();
    const session = await options.encryption?.offer();
    if (this.#isEnded) return;
    const [url, protocols, credentials] = introduce(options, this.#token, session?.publicKey);
    let opened;
    // A token that is none, for one, makes no socket, ever.
    try {
      opened = new options.webSocket(url, protocols);
    } catch (cause) {
      throw badOption(`There is no socket: ${String(cause)}`);
    }
    if (session) this.#encrypted = options.encryption?.over(opened, session, options.codec.name);
    const socket = (this.#socket = this.#encrypted ?? opened);
    // How much more time a browser has for a dial, in ms. Browsers dial a host once at a time over all pages, and hold dials
    // back after a failure; Firefox for up to a minute. A page sees none of this: the socket is on its way, as it is when the
    // network swallows the dial. Closed and dialled again, it would go to the end of the line each time.
    const heldBack = 60_000;
    // What can be cut is no browser's.
    if (!opened.terminate) this.#allowTime(heldBack);
    opened.on?.('unexpected-response', (_request, answer) => this.end(endingOfRefusal(answer)));
    socket.onopen = () => {
      // How long the dial was held back says nothing of the server.
      this.#allowTime();
      if (credentials) this.#authenticate(socket, credentials);
      // Nobody welcomes the client.
      else if (options.codec.isOther) this.#becomeReady(readWelcome({}));
    };
    socket.onmessage = ({ data }) => this.#read(data);
    const closed = ({ code = 0, reason = '' } = {}): void => this.end(endingOfClose(code, reason, this.#cause));
    socket.onerror = ({ error }: { readonly error?: unknown }) => {
      // Only the reason of the close that follows: nothing ends here.
      this.#cause = error;
      // Node 22's own sockets tell of no close when they cannot connect: nodejs/undici#3546.
      const connecting = 0;
      if (socket.readyState === connecting) this.#allowTime(0, closed, 0);
    };
    socket.onclose = closed;
  }

  /** Sets the one deadline that the connection has at a time. */
  #allowTime(patience = 0, expired = this.#expire, ms = this.#services.options.connectTimeout + patience): void {
    this.#deadline?.cancel();
    this.#deadline = this.#services.runtime.timeout(ms, expired);
  }

  #authenticate(socket: WebSocketLike, credentials: object): void {
    const { codec } = this.#services.options;
    // The ids of requests come after this one.
    const id = codec.isOther ? undefined : 0;
    // The server may have welcomed nobody in particular before: only the answer tells that it knows who this is.
    this.#awaitsAnswer = id === 0;
    socket.send(encodeMessage({ type: codec.ownType, action: 'authenticate', data: credentials }, codec, id));
  }

  #read(data: unknown): void {
    this.#heartbeat?.heard();
    if (this.#isEnded) return;
    const frame = readFrame(data, this.#services.options.codec);
    if (frame.kind === 'welcome') this.#becomeReady((this.#welcome ??= frame.welcome));
    else if ('id' in frame && frame.id === 0) this.#authenticated(frame);
    else if (this.#heartbeat) this.#listener.received(frame);
    else if (frame.kind === 'error') this.#cause = frame.error;
  }

  #authenticated(answer: AnswerFrame | PushFrame): void {
    // There may be nothing to authenticate; any other refusal is followed by the close.
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
      // In ms, where neither the server nor the options say so.
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

  /** Closes the socket in whatever state it is; what it says from now on is heard by nobody. */
  #part(socket: WebSocketLike, code: number, isDead: boolean): void {
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
    const closed = 3;
    if (socket.readyState === closed) return;
    // How long the server has to answer the close frame before the socket is cut, where sockets can be cut, in ms; what is
    // still to be encrypted before it counts.
    const lastWords = 1_000;
    const close = (): void => socket.close(code);
    const cut = (): void => (socket.terminate ? socket.terminate() : close());
    const late = this.#services.runtime.timeout(lastWords, cut);
    // Closed while it connects, a socket of `ws` fails; an error that nobody listens to would end the process.
    socket.onerror = () => undefined;
    socket.onclose = () => {
      late.cancel();
      socket.onerror = socket.onclose = null;
    };
    if (isDead) cut();
    else close();
  }
}
