import { setTimeout as wait } from 'node:timers/promises';
import type { TestClient } from '../test-client.js';
import { SuiteProcess, type SuiteRuntime, type SuiteSettings } from './suite-process.js';

/** One promise of the server; rejects when it is not kept. */
export type Check = (place: SuitePlace) => Promise<void>;

/** Milliseconds between two questions. */
const PAUSE = 20;
const PATIENCE = 20_000;

/** Where the checks of a runtime get their servers. */
export class SuitePlace {
  readonly #shared = new Map<string, Promise<SuiteProcess>>();
  readonly #own: SuiteProcess[] = [];

  constructor(private readonly runtime: SuiteRuntime) {}

  /** A server that all checks with these settings share, until the suite is over. */
  shared(settings: SuiteSettings = {}): Promise<SuiteProcess> {
    const key = JSON.stringify(settings);
    const server = this.#shared.get(key) ?? SuiteProcess.start(this.runtime, settings);
    this.#shared.set(key, server);
    return server;
  }

  /** A server of the check's own. */
  async start(settings: SuiteSettings = {}): Promise<SuiteProcess> {
    const server = await SuiteProcess.start(this.runtime, settings);
    this.#own.push(server);
    return server;
  }

  /** Ends the servers of a check that is over. */
  async clear(): Promise<void> {
    for (const server of this.#own.splice(0)) await server.close();
  }

  /** Ends all servers. @returns what those that were shared have logged of errors */
  async close(): Promise<string[]> {
    await this.clear();
    const servers = await Promise.all(this.#shared.values());
    for (const server of servers) await server.close();
    const lines = servers.flatMap(({ log }) => log.split('\n'));
    return lines.filter((line) => /^(?:error|fatal) |Uncaught|Unhandled/i.test(line));
  }
}

/** Resolves once a client's question has an answer that fits; fails when it never has. */
export async function untilAnswered<T>(
  client: TestClient,
  action: string,
  data: unknown,
  fits: (answer: T) => boolean,
): Promise<T> {
  for (const begin = performance.now(); ;) {
    const answer = (await client.request('suite', action, data)) as T;
    if (fits(answer)) return answer;
    if (performance.now() - begin > PATIENCE)
      throw new Error(`It is never so: ${fits.toString()}; ${JSON.stringify(answer)}`);
    await wait(PAUSE);
  }
}
