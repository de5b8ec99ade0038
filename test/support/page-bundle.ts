import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Modules for a page: a script that puts what each of them exports into the global of its name. */
export async function bundleForPage(modules: Record<string, URL>): Promise<string> {
  const lines = Object.entries(modules).map(
    ([name, url]) => `export * as ${name} from ${JSON.stringify(fileURLToPath(url))};`,
  );
  const { outputFiles } = await build({
    stdin: { contents: lines.join('\n'), resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'bundle',
    footer: { js: 'Object.assign(globalThis, bundle);' },
    target: 'es2022',
    // What Vue asks bundlers for.
    define: {
      __VUE_OPTIONS_API__: 'false',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'true',
    },
  });
  return outputFiles[0]!.text;
}
