import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { get as getByTls } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Home, ProxyKind, Variant } from './proxy-kind.interface.js';
import { within } from './within.js';

/** Milliseconds after which a proxy that is asked to stop is killed: Apache takes ten seconds now and then. */
const LONGEST_STOP = 5_000;

/** One of the proxies, running in a process of its own. */
export class Proxy {
  #process: ChildProcess | null = null;
  #variant: Variant = 'one';
  #generation = 0;
  #output = '';

  constructor(
    readonly kind: ProxyKind,
    readonly version: string,
    private readonly home: Home,
  ) {}

  /** @returns its version; null: it is not on this machine */
  static versionOf({ program, version }: ProxyKind): string | null {
    try {
      const text = execFileSync('sh', ['-c', `exec "$@" 2>&1`, 'sh', program, ...version.args], { encoding: 'utf8' });
      return version.pattern.exec(text)?.[1] ?? null;
    } catch {
      return null;
    }
  }

  get name(): string {
    return this.kind.name;
  }

  get port(): number {
    return this.home.http;
  }

  get tlsPort(): number {
    return this.home.https;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  /** Resolves once it answers with the page of the application. */
  async start(variant: Variant): Promise<void> {
    this.#variant = variant;
    const args = await this.#write();
    const { folder } = this.home;
    const child = spawn(this.kind.program, args, {
      // Where Caddy keeps what it remembers.
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that no part of it is left behind.
      detached: true,
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => this.#note(data));
    try {
      await within(15_000, `${this.name} answers`, async () => {
        if (child.exitCode !== null) throw new Error(`${this.name} has ended.`);
        return (await this.#status()) === 200;
      });
    } catch (error) {
      throw new Error(`${this.name} does not run: ${await this.log()}`, { cause: error });
    }
  }

  /** Loads it anew, with a configuration that has changed. */
  async reload(): Promise<void> {
    await this.#write();
    const { reload } = this.kind;
    if (typeof reload === 'string') {
      this.#process?.kill(reload);
      return;
    }
    for (const [program, ...args] of reload(this.home, this.#generation)) await promisify(execFile)(program, args);
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), LONGEST_STOP);
    await once(child, 'exit');
    clearTimeout(timer);
  }

  /** What it has said of itself, the end of it. */
  async log(): Promise<string> {
    const file = await readFile(join(this.home.folder, 'error.log'), 'utf8').catch(() => '');
    return `${file}${this.#output}`.slice(-2_000);
  }

  /** Of its page; null while it does not answer. */
  #status(): Promise<number | null> {
    const isSecure = this.#variant === 'tls';
    const url = isSecure ? `https://localhost:${this.tlsPort}/` : `http://127.0.0.1:${this.port}/`;
    return new Promise((resolve) => {
      const request = (isSecure ? getByTls : get)(url, { rejectUnauthorized: false, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? null);
      });
      request.on('error', () => resolve(null));
    });
  }

  /** Writes the files of the next generation. */
  async #write(): Promise<readonly string[]> {
    const { files, args } = this.kind.launch(this.home, this.#variant, ++this.#generation);
    await mkdir(this.home.folder, { recursive: true, mode: 0o755 });
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.home.folder, name), text);
    return args;
  }

  #note(data: Buffer): void {
    this.#output = `${this.#output}${data.toString()}`.slice(-2_000);
  }
}
