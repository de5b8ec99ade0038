import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transformSync } from '@swc/core';

const ENTRY = /^nestjs-pxl-websocket(?:\/(\w+))?$/;

/**
 * Compiles TypeScript for esbuild, and finds the package's entries in a folder of sources.
 *
 * @param {string} [lib] without it they stay outside, as other packages do
 * @returns {import('esbuild').Plugin}
 */
export function typescript(lib) {
  return {
    name: 'typescript',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: ENTRY }, ({ path }) => {
        if (lib === undefined) return { path, external: true };
        const [, folder = '.'] = ENTRY.exec(path);
        return { path: join(lib, folder, 'index.ts') };
      });
      onLoad({ filter: /\.ts$/ }, ({ path }) => ({ contents: compile(path), loader: 'js' }));
    },
  };
}

/** The same compiler settings as Jest's, so that decorators carry their metadata; esbuild knows none. */
function compile(filename) {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    jsc: {
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: 'es2022',
      keepClassNames: true,
    },
    module: { type: 'es6' },
  });
  // What a program finds beside its source it finds from its bundle too.
  return code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(filename).href));
}
