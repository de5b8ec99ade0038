import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread, threadId } from 'node:worker_threads';

// `node --import` runs this file in the main thread; there it only registers itself as the hooks below.
if (isMainThread) register(import.meta.url);

const LIBRARY = new URL('../../lib/', import.meta.url);
/** What was compiled, by its source and by these settings: tests start hundreds of processes, each loads all of lib. */
const CACHE = new URL('../../node_modules/.cache/typescript-loader/', import.meta.url);
const SETTINGS = readFileSync(fileURLToPath(import.meta.url), 'utf8');
const ENTRY = /^nestjs-pxl-websocket(?:\/(\w+))?$/;

/** @type {import('node:module').ResolveHook} */
export function resolve(specifier, context, next) {
  const [isEntry, folder = '.'] = ENTRY.exec(specifier) ?? [];
  if (isEntry) return { url: new URL(`${folder}/index.ts`, LIBRARY).href, shortCircuit: true };
  const isOurs = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
  return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const filename = fileURLToPath(url);
  const source = readFileSync(filename, 'utf8');
  const key = createHash('sha256').update(`${SETTINGS}\n${filename}\n${source}`).digest('hex');
  const cached = fileURLToPath(new URL(`${key}.js`, CACHE));
  return { format: 'module', source: read(cached) ?? (await compile(filename, source, cached)), shortCircuit: true };
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // nobody has compiled it yet
  }
}

/** The same compiler settings as Jest's, so that decorators carry their metadata. */
async function compile(filename, source, cached) {
  const { transformSync } = await import('@swc/core');
  const { code } = transformSync(source, {
    filename,
    jsc: {
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: 'es2022',
      keepClassNames: true,
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  });
  mkdirSync(CACHE, { recursive: true });
  // Under its name at once as a whole, since other processes look for it at the same time.
  const part = `${cached}.${process.pid}.${threadId}`;
  writeFileSync(part, code);
  renameSync(part, cached);
  return code;
}
