import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { ChildProgram } from '../support/child-program.js';

const ROOT = join(import.meta.dirname, '../..');

interface Result {
  check: string;
  error?: string;
}

// On every other runtime: npm run test:matrix.
it('the suite of the client holds on this Node', async () => {
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
    const suite = join(ROOT, 'test/matrix/client-suite.mjs');
    const child = spawn(process.execPath, [suite, `ws://127.0.0.1:${port}`, ...urls], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const results: Result[] = [];
    for await (const line of createInterface({ input: child.stdout })) results.push(JSON.parse(line) as Result);
    expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(results.length).toBeGreaterThan(10);
  } finally {
    server.signal('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
