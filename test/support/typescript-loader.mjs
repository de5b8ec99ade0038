import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transformSync } from '@swc/core';

// `node --import` runs this file in the main thread; there it only registers itself as the hooks below.
if (isMainThread) register(import.meta.url);

const LIBRARY = new URL('../../lib/', import.meta.url);
const ENTRY = /^nestjs-pxl-websocket(?:\/(\w+))?$/;

/** @type {import('node:module').ResolveHook} */
export function resolve(specifier, context, next) {
  const [isEntry, folder = '.'] = ENTRY.exec(specifier) ?? [];
  if (isEntry) return { url: new URL(`${folder}/index.ts`, LIBRARY).href, shortCircuit: true };
  const isOurs = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
  return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

/** The same compiler settings as Jest's, so that decorators carry their metadata. @type {import('node:module').LoadHook} */
export function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = transformSync(readFileSync(fileURLToPath(url), 'utf8'), {
    filename: fileURLToPath(url),
    jsc: {
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: 'es2022',
      keepClassNames: true,
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  return { format: 'module', source: code, shortCircuit: true };
}
