import { readFile, writeFile } from 'node:fs/promises';
import { PAGE } from './documented.js';
import type { Proxy } from './proxy.js';

const BEGIN = '<!-- made by: test/proxies/run -->';
const END = '<!-- end -->';

/** What came of each scenario with each proxy. */
export class Results {
  readonly #cells = new Map<string, Map<string, string>>();
  #hasFailed = false;

  constructor(private readonly proxies: readonly Proxy[]) {}

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Runs a scenario with all proxies at once; a failure is noted, with what the proxy itself has said. */
  async each(
    scenario: string,
    run: (proxy: Proxy) => Promise<string | undefined> | Promise<void>,
    proxies = this.proxies,
  ): Promise<void> {
    await Promise.all(
      proxies.map(async (proxy) => {
        const begin = performance.now();
        try {
          const text = await run(proxy);
          if (typeof text === 'string') this.#note(scenario, proxy, text, begin);
        } catch (error) {
          this.#hasFailed = true;
          this.#note(scenario, proxy, '**failed**', begin);
          console.error(`${proxy.name}, ${scenario}: ${(error as Error).stack ?? String(error)}\n${await proxy.log()}`);
        }
      }),
    );
  }

  /** @returns the table, a row for each scenario */
  table(): string {
    const rows = [...this.#cells].map(([scenario, cells]) => [
      scenario,
      ...this.proxies.map(({ name }) => cells.get(name) ?? '–'),
    ]);
    const head = ['', ...this.proxies.map(({ name, version }) => `${name} ${version}`)];
    const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
    const date = new Date().toISOString().slice(0, 10);
    return [`\`test/proxies/run\`, ${date}, Node ${process.versions.node}:`, '', ...lines].join('\n');
  }

  /** Puts the table where it stands in the page. */
  async write(): Promise<void> {
    const page = await readFile(PAGE, 'utf8');
    const [before, rest] = page.split(BEGIN);
    const after = rest?.split(END).slice(1).join(END);
    if (after === undefined) throw new Error(`${PAGE} has no place for the table.`);
    await writeFile(PAGE, `${before}${BEGIN}\n\n${this.table()}\n\n${END}${after}`);
  }

  #note(scenario: string, { name }: Proxy, text: string, begin: number): void {
    const cells = this.#cells.get(scenario) ?? new Map<string, string>();
    this.#cells.set(scenario, cells.set(name, text));
    console.log(`${name.padEnd(8)} ${scenario}: ${text} (${((performance.now() - begin) / 1_000).toFixed(1)} s)`);
  }
}
