import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket, type RawData } from 'ws';

/** How a browser is started, and how it says where it listens. */
export interface BrowserProgram {
  readonly file: string;
  /** @param folder an empty one, for its profile */
  readonly args: (folder: string) => string[];
  /** The first group is the WebSocket url. */
  readonly announcement: RegExp;
  /** What is put behind that url. */
  readonly path?: string;
  /** The command that ends it. */
  readonly end: string;
}

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: unknown;
  readonly message?: string;
}

/** A browser in processes of its own that does what it is told over a WebSocket. */
export class RemoteBrowser {
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    private readonly socket: WebSocket,
    private readonly end: string,
  ) {
    socket.on('message', (data: RawData) => {
      const answer = JSON.parse((data as Buffer).toString()) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
    });
  }

  static async start({ file, args, announcement, path = '', end }: BrowserProgram): Promise<RemoteBrowser> {
    const folder = await mkdtemp(join(tmpdir(), 'pxl-browser-'));
    const env = { ...process.env, HOME: folder };
    const child = spawn(file, args(folder), { stdio: ['ignore', 'ignore', 'pipe'], env });
    let output = '';
    const address = await new Promise<string>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const url = announcement.exec(output)?.[1];
        if (url) resolve(url);
      });
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`${file} has ended: ${output}`)));
    });
    const socket = new WebSocket(address + path, { perMessageDeflate: false });
    await once(socket, 'open');
    return new RemoteBrowser(child, folder, socket, end);
  }

  /** Gives a command, and resolves with its result. */
  async send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.#lastId;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.socket.send(JSON.stringify({ id, method, params, sessionId }));
    const { result, error, message } = await answered;
    this.#waiting.delete(id);
    if (error === undefined) return result as T;
    throw new Error(`${method}: ${message ?? JSON.stringify(error)}`);
  }

  async close(): Promise<void> {
    const exited = once(this.process, 'exit');
    // It may be gone before it has answered.
    void this.send(this.end).catch(() => undefined);
    await exited;
    this.socket.terminate();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
