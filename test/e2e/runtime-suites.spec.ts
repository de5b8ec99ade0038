import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { ChildProgram } from '../support/child-program.js';
import { bundleOf } from '../support/program-bundle.js';

const ROOT = join(import.meta.dirname, '../..');

interface Result {
  check: string;
  error?: string;
}

/** Runs a suite with this Node. */
async function resultsOf(...args: string[]): Promise<Result[]> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const results: Result[] = [];
  for await (const line of createInterface({ input: child.stdout })) results.push(JSON.parse(line) as Result);
  return results;
}

// On every other runtime: npm run test:matrix.
describe('On this Node', () => {
  it('the suite of the client holds', async () => {
    const server = new ChildProgram('suite-server');
    const folder = await mkdtemp(join(tmpdir(), 'pxl-client-'));
    try {
      const entries = ['index', 'encryption/index'];
      await build({
        entryPoints: entries.map((entry) => join(ROOT, 'lib/client', `${entry}.ts`)),
        outbase: join(ROOT, 'lib/client'),
        outdir: folder,
        outExtension: { '.js': '.mjs' },
        bundle: true,
        splitting: true,
        format: 'esm',
        target: 'es2022',
      });
      const { port } = await server.next<{ port: number }>();
      const urls = entries.map((entry) => pathToFileURL(join(folder, `${entry}.mjs`)).href);
      const results = await resultsOf(join(ROOT, 'test/matrix/client-suite.mjs'), `ws://127.0.0.1:${port}`, ...urls);
      expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
      expect(results.length).toBeGreaterThan(10);
    } finally {
      server.signal('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    }
  }, 60_000);

  // The rest of it is what other specs say of the server on this Node, in more detail.
  it('the suite of the server runs', async () => {
    const how = { command: process.execPath, args: [bundleOf('test/support/programs/suite-server.ts')] };
    const [suite, given] = [bundleOf('test/support/programs/server-suite.ts'), JSON.stringify(how)];
    expect(await resultsOf(suite, given, 'both envelopes')).toEqual([
      { check: 'requests are answered or refused, in both envelopes, on Express and on Fastify' },
      { check: 'nothing has failed unseen' },
    ]);
  }, 60_000);
});
