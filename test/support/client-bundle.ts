import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type BuildResult } from 'esbuild';

const ROOT = join(import.meta.dirname, '../..');

/** The entry `./client` as a page gets it: one minified file. */
export async function bundleClient(): Promise<{ text: string; metafile: BuildResult['metafile'] & object }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(ROOT, 'lib/client/index.ts')],
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
