import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type BuildOptions, type BuildResult } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');

interface Bundle {
  readonly text: string;
  readonly metafile: BuildResult['metafile'] & object;
}

/** The entry `./client` as a page gets it: one minified file. */
export function bundleClient(): Promise<Bundle> {
  return bundleForPages({ entryPoints: [join(ROOT, 'lib/client/index.ts')] });
}

/** Socket.IO's client as a page gets it that takes from it what it needs. */
export function bundleSocketIoClient(): Promise<Bundle> {
  return bundleForPages({ stdin: { contents: "export { io } from 'socket.io-client'", resolveDir: ROOT } });
}

/** The entry of a framework as a page gets it beside the framework and the client. */
export function bundleHooks(framework: 'react' | 'vue'): Promise<Bundle> {
  const external = [framework, '*/client/index.js'];
  return bundleForPages({ entryPoints: [join(ROOT, `lib/${framework}/index.ts`)], external });
}

async function bundleForPages(source: Pick<BuildOptions, 'entryPoints' | 'external' | 'stdin'>): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...source,
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    metafile: true,
    write: false,
  });
  return { text: outputFiles[0]?.text ?? '', metafile };
}

/** Writes the single file to where the package has it, so that samples serve what the sources say now. */
export async function buildClientFile(): Promise<void> {
  const file = join(ROOT, 'dist/client/browser.js');
  await mkdir(dirname(file), { recursive: true });
  // Several specs do this side by side: none may serve what another one has half written.
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, (await bundleClient()).text);
  await rename(draft, file);
}
