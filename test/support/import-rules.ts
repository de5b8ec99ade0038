import { resolveImport, type SourceFile } from './import-graph.js';

/**
 * The library from the ground up: a layer imports from itself and from those before it, types as well as values. `errors`
 * and `options` share one: options throw start-up errors, the error reporter reads an option.
 */
export const LAYERS: readonly (readonly string[])[] = [
  ['protocol'],
  ['client'],
  ['runtime'],
  ['ws-client'],
  ['errors', 'options'],
  ['tracing'],
  ['redis'],
  ['limits'],
  ['clients'],
  ['encryption'],
  ['auth'],
  ['rooms'],
  ['presence'],
  ['history'],
  ['routing'],
  ['client-module'],
  ['transport'],
  ['cluster'],
  ['emitter'],
  ['server'],
  ['subscribers'],
  ['queue'],
  ['webhooks'],
  ['lifecycle'],
  ['module'],
  ['index'],
  ['console'],
  ['testing'],
  // Of pages: nothing of the server may need them.
  ['hooks'],
  ['react', 'vue'],
  ['cli'],
];
/** The one file beside the module itself that every layer above the options may read. */
const RESOLVED_OPTIONS = 'pxl-websocket.options.ts';
/** Files that import types of each other in a ring have to be read together: more than these are too many. */
const LARGEST_RING = 5;
const NEST_INTERNALS = 'lib/routing/pipeline/nest-internals.ts';
const NAME_CHECKS = 'lib/options/checks/nearest-name.ts';
/** A project of CommonJS, whose imports have no ending. */
const COMMON_JS = 'sample/07-nest-11/';
const LIBRARY = 'nestjs-pxl-websocket';
/** What an application may import of the package beside its root. */
const ENTRIES: readonly string[] = ['client', 'console', 'emitter', 'react', 'testing', 'vue'].map(
  (name) => `${LIBRARY}/${name}`,
);
/** What folders of code for pages may import beside themselves: files under one of these paths, or one of these packages. */
const FOR_PAGES: Readonly<Record<string, readonly string[]>> = {
  hooks: ['lib/client/index.ts'],
  react: ['lib/client/index.ts', 'lib/hooks/', 'react'],
  vue: ['lib/client/index.ts', 'lib/hooks/', 'vue'],
};
/** The page of the console: a page as well, which knows the contract of its socket. */
const CONSOLE_PAGE = 'lib/console/page/';
const CONSOLE_CONTRACT = 'lib/console/console-contract.ts';

/** What the imports of the files do that they must not, one sentence each. */
export function breachesOf(files: readonly SourceFile[]): string[] {
  return [...files.flatMap(breachesOfFile), ...cyclesOf(files), ...largeRingsOf(files)];
}

function breachesOfFile(file: SourceFile): string[] {
  const { path, imports } = file;
  return imports.flatMap((imported) => {
    const { specifier, isTypeOnly } = imported;
    const target = resolveImport(path, imported);
    const breaches: string[] = [];
    if (target !== undefined && !/\.(js|mjs|cjs)$/.test(specifier) && !path.startsWith(COMMON_JS))
      breaches.push(`${path}: ${specifier} does not end in .js`);
    if (/^@nestjs\/[^/]+\/./.test(specifier) && path !== NEST_INTERNALS) {
      breaches.push(`${path} imports ${specifier}, which only ${NEST_INTERNALS} may`);
    }
    if (path.startsWith('lib/protocol/') && !target?.startsWith('lib/protocol/')) {
      breaches.push(`${path} imports ${specifier}: the protocol imports nothing`);
    }
    if (path.startsWith('lib/redis/') && specifier.startsWith('@nestjs/')) {
      breaches.push(`${path} imports ${specifier}: processes without Nest use it too`);
    }
    if (path.startsWith('lib/client/') && !/^lib\/(?:client|protocol)\//.test(target ?? '')) {
      breaches.push(`${path} imports ${specifier}: the client needs nothing but the protocol`);
    }
    if (isForeignToPages(path, target ?? specifier, isTypeOnly)) {
      breaches.push(`${path} imports ${specifier}: a page gets the client and its own framework only`);
    }
    if (path.startsWith(CONSOLE_PAGE) && isForeignToConsolePage(target ?? specifier, isTypeOnly)) {
      breaches.push(
        `${path} imports ${specifier}: the console's page gets the client and the types of its contract only`,
      );
    }
    if (path.startsWith('lib/console/') && !path.startsWith(CONSOLE_PAGE) && target?.startsWith(CONSOLE_PAGE)) {
      breaches.push(`${path} imports ${specifier}: that is built for browsers`);
    }
    if (path.startsWith('lib/cli/') && isForeignToProgram(target ?? specifier, isTypeOnly)) {
      breaches.push(`${path} imports ${specifier}: the program needs nothing but Node and ws`);
    }
    const isJudged = breaches.length > 0;
    if (path.startsWith('lib/') && target !== undefined && !isJudged) breaches.push(...breachOfLayers(path, target));
    if (path.startsWith('sample/') && isForeignToSample(path, specifier, target)) {
      breaches.push(`${path} imports ${specifier}: a sample knows ${LIBRARY} only`);
    }
    return breaches;
  });
}

function breachOfLayers(path: string, target: string): string[] {
  const [from, to] = [rankOf(path), rankOf(target)];
  if (from < 0) return [`${path} belongs to no layer`];
  return to > from ? [`${path} imports ${target}, which stands above it`] : [];
}

function rankOf(path: string): number {
  const [, first = '', second] = path.split('/');
  const layer =
    second !== undefined ? first : first === 'index.ts' ? 'index' : first === RESOLVED_OPTIONS ? 'options' : 'module';
  return LAYERS.findIndex((layers) => layers.includes(layer));
}

/** Types of the protocol vanish; its values would be a second copy beside the client. */
function isForeignToPages(path: string, target: string, isTypeOnly: boolean): boolean {
  const [, folder = ''] = path.split('/');
  const allowed = FOR_PAGES[folder];
  if (!path.startsWith('lib/') || !allowed || (isTypeOnly && target.startsWith('lib/protocol/'))) return false;
  return ![`lib/${folder}/`, ...allowed].some((start) =>
    start.endsWith('/') ? target.startsWith(start) : target === start,
  );
}

function isForeignToConsolePage(target: string, isTypeOnly: boolean): boolean {
  if (target === CONSOLE_CONTRACT) return !isTypeOnly;
  return !target.startsWith(CONSOLE_PAGE) && target !== 'lib/client/index.ts';
}

/** The program runs where this package may stand alone, with its dependencies. ts-morph is found when it is needed. */
function isForeignToProgram(target: string, isTypeOnly: boolean): boolean {
  if (target === 'ts-morph') return !isTypeOnly;
  const isOwn = ['lib/cli/', 'lib/protocol/', 'node:'].some((prefix) => target.startsWith(prefix));
  return !isOwn && target !== NAME_CHECKS && target !== 'ws';
}

function isForeignToSample(path: string, specifier: string, target: string | undefined): boolean {
  if (target === undefined) return specifier.startsWith(`${LIBRARY}/`) && !ENTRIES.includes(specifier);
  const [sample, name] = path.split('/');
  return !target.startsWith(`${sample}/${name}/`);
}

/** Rings of value imports in the library: such modules see each other unfinished when they are loaded. */
function cyclesOf(files: readonly SourceFile[]): string[] {
  const targets = new Map(
    files
      .filter(({ path }) => path.startsWith('lib/'))
      .map((file) => [file.path, file.imports.filter((i) => !i.isTypeOnly).map((i) => resolveImport(file.path, i))]),
  );
  const cycles: string[] = [];
  const finished = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push(`cycle: ${[...trail.slice(at), path].join(' → ')}`);
    if (at >= 0 || finished.has(path)) return;
    for (const target of targets.get(path) ?? []) if (target !== undefined) walk(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of targets.keys()) walk(path, []);
  return cycles;
}

/** Rings of more than {@link LARGEST_RING} files, types included: groups in which every file leads to every other one. */
function largeRingsOf(files: readonly SourceFile[]): string[] {
  const targets = new Map(
    files
      .filter(({ path }) => path.startsWith('lib/'))
      .map((file) => [file.path, file.imports.flatMap((imported) => resolveImport(file.path, imported) ?? [])]),
  );
  return ringsOf(targets)
    .filter((ring) => ring.length > LARGEST_RING)
    .map((ring) => `ring of ${ring.length} files: ${ring.sort().join(' ')}`);
}

/** The strongly connected parts of a graph, by Tarjan's algorithm. */
function ringsOf(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const rings: string[][] = [];
  const order = new Map<string, number>();
  const open: string[] = [];
  const visit = (path: string): number => {
    const at = order.size;
    order.set(path, at);
    open.push(path);
    let low = at;
    for (const target of targets.get(path) ?? []) {
      if (!targets.has(target)) continue;
      if (!order.has(target)) low = Math.min(low, visit(target));
      else if (open.includes(target)) low = Math.min(low, order.get(target) ?? at);
    }
    if (low === at) rings.push(open.splice(open.indexOf(path)));
    return low;
  };
  for (const path of targets.keys()) if (!order.has(path)) visit(path);
  return rings;
}
