import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CompiledSources } from './compiled-sources.cjs';

const JEST_GLOBALS = ['afterAll', 'afterEach', 'beforeAll', 'beforeEach', 'describe', 'expect', 'it', 'jest', 'test'];
const { PXL_NEST } = process.env;

let root;
let sources;
/** What begins with this is loaded for each spec file; its URL ends with the number of the file. */
let own;

export function initialize({ rootDir, compiler, isWatching }) {
  root = pathToFileURL(`${rootDir}/`).href;
  // While Jest watches, the library changes from run to run.
  own = isWatching ? root : `${root}test/`;
  sources = new CompiledSources(compiler);
}

export async function resolve(specifier, context, next) {
  const { parentURL } = context;
  if (specifier === '@jest/globals') return { url: `pxl:jest-globals${fileOf(parentURL)}`, shortCircuit: true };
  const resolved =
    (await ofTheOtherNest(specifier, context, next)) ?? (await next(sourceOf(specifier, parentURL), context));
  const { url } = resolved;
  return url.startsWith(own) && isSource(url) && !url.includes('?')
    ? { ...resolved, url: url + fileOf(parentURL) }
    : resolved;
}

export async function load(url, context, next) {
  if (url.startsWith('pxl:jest-globals')) {
    const source = `export const { ${JEST_GLOBALS.join(', ')} } = globalThis[Symbol.for('pxl.jest-globals')];`;
    return { format: 'module', source, shortCircuit: true };
  }
  if (!isSource(url)) return next(url, context);
  return { format: 'module', source: sources.codeOf(fileURLToPath(url)), shortCircuit: true };
}

/** With PXL_NEST: the package of Nest in its folder, where that has it. */
async function ofTheOtherNest(specifier, context, next) {
  if (!PXL_NEST || !specifier.startsWith('@nestjs/')) return undefined;
  try {
    return await next(specifier, { ...context, parentURL: `${root}test/nest/${PXL_NEST}/package.json` });
  } catch {
    return undefined;
  }
}

/** The source that an import means: of the library, or beside the importing source, which names it as it will be compiled. */
function sourceOf(specifier, parentURL) {
  const [, isLibrary, entry] = /^(nestjs-pxl-websocket)(?:\/(.+))?$/.exec(specifier) ?? [];
  if (entry === 'client/browser') return `${root}dist/client/browser.js`;
  if (isLibrary) return `${root}lib/${entry ? `${entry}/` : ''}index.ts`;
  if (!isSource(parentURL) || !/^\.{1,2}\/.*\.js(\?|$)/.test(specifier)) return specifier;
  const source = new URL(specifier.replace(/\.js(?=\?|$)/, '.ts'), parentURL);
  return existsSync(fileURLToPath(source)) ? source.href : specifier;
}

function isSource(url) {
  return url !== undefined && url.startsWith(root) && /\.ts(\?|$)/.test(url) && !url.includes('/node_modules/');
}

/** `?file=…` of a module that is loaded for one spec file. */
function fileOf(url) {
  return /\?file=\d+$/.exec(url)?.[0] ?? '';
}
