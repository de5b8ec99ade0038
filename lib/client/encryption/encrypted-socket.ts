import type { EncryptedSocket, EncryptionSession } from '../client-encryption.interface.js';
import { fieldsOf, parse, type Fields } from '../messages/frame-fields.js';
import type { WebSocketLike } from '../connection/socket.interface.js';

/** How long frames that arrived before a close may take to be decrypted, in ms. */
const LAST_WORDS = 1_000;
/** The bytes that counter and tag add to a frame: PROTOCOL.md "Keys and frames". */
const SEAL = 24;

/**
 * Wraps a socket so that its frames are encrypted and decrypted, in order, however long each takes. Frames are clear up to the
 * welcome with the keys. After it, anything but the next encrypted frame closes the connection with 1002.
 *
 * @param protocol the subprotocol: `pxl.v1` or `event.v1`
 */
export function encryptedSocket(socket: WebSocketLike, session: EncryptionSession, protocol: string): EncryptedSocket {
  return new SocketOverSocket(socket, session, protocol.startsWith('event'));
}

class SocketOverSocket implements EncryptedSocket {
  onopen: EncryptedSocket['onopen'] = null;
  onmessage: EncryptedSocket['onmessage'] = null;
  onerror: EncryptedSocket['onerror'] = null;
  onclose: EncryptedSocket['onclose'] = null;
  readonly terminate?: () => void;
  readonly #socket: WebSocketLike;
  readonly #session: EncryptionSession;
  readonly #isEvent: boolean;
  /** The frames that are being encrypted or decrypted. */
  #work = Promise.resolve();
  #isAgreed = false;
  #isClosing = false;

  constructor(socket: WebSocketLike, session: EncryptionSession, isEvent: boolean) {
    this.#socket = socket;
    this.#session = session;
    this.#isEvent = isEvent;
    if (socket.terminate) this.terminate = () => socket.terminate?.();
    socket.onopen = (event) => this.onopen?.(event);
    socket.onerror = (event) => this.onerror?.(event);
    socket.onmessage = ({ data }) => this.#inOrder(() => this.#receive(data));
    // Frames that arrived before the close are delivered before it.
    socket.onclose = (event) => {
      socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null;
      const late = setTimeout(() => this.onclose?.(event), LAST_WORDS);
      this.#inOrder(() => {
        clearTimeout(late);
        this.onclose?.(event);
      });
    };
  }

  get isAgreed(): boolean {
    return this.#isAgreed;
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (!this.#isAgreed) {
      this.#socket.send(data);
      return;
    }
    const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
    this.#inOrder(async () => this.#socket.send(this.#frameOf(await this.#session.encrypt(text))));
  }

  /** Closes after everything that was sent before has left. A second call closes at once. */
  close(code?: number, reason?: string): void {
    const close = (): void => this.#socket.close(code, reason);
    if (!this.#isAgreed || this.#isClosing) close();
    else void this.#work.then(close);
    this.#isClosing = true;
  }

  sizeOf(bytes: number): number {
    return this.#frameOf('').length + Math.ceil(((bytes + SEAL) * 4) / 3);
  }

  #frameOf(data: string): string {
    return JSON.stringify(this.#isEvent ? { event: 'encrypted', data } : { type: 'system', action: 'encrypted', data });
  }

  /** Hands on what a frame holds, each text in a task of its own, as if it had a frame of its own. */
  async #receive(frame: unknown): Promise<void> {
    const [first, ...others] = await this.#open(frame);
    this.onmessage?.({ data: first });
    for (const data of others) {
      await nextTask();
      this.onmessage?.({ data });
    }
  }

  /** Decrypts a frame. @throws Error when it is not the next encrypted frame */
  async #open(text: unknown): Promise<readonly unknown[]> {
    const session = this.#session;
    const fields = fieldsOf(parse(text));
    if (this.#isAgreed) {
      // A clear frame has nothing to decrypt, which is an error here.
      const texts = await session.decrypt(String(this.#isNamed(fields, 'encrypted') && fields.data));
      return typeof texts === 'string' ? [texts] : texts;
    }
    const { serverPublicKey, salt } = fieldsOf(this.#isNamed(fields, 'connected') && fields.data);
    if (typeof serverPublicKey === 'string' && typeof salt === 'string') {
      await session.agree({ serverPublicKey, salt });
      this.#isAgreed = true;
    }
    return [text];
  }

  /** Whether a frame has the given name of the library. */
  #isNamed({ event, type, action }: Fields, name: string): boolean {
    return this.#isEvent ? event === name : type === 'system' && action === name;
  }

  #inOrder(work: () => Promise<void> | void): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      this.onerror?.({ error });
      this.onclose?.({ code: 1002, reason: 'The encryption is broken.' });
    });
  }
}

/** Resolves in a task of its own: what awaits the answer of the last text goes on first. */
function nextTask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
  return new Promise((resolve) => {
    if (setImmediate) {
      setImmediate(resolve);
      return;
    }
    // In a page, where timers are late.
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(null);
  });
}
