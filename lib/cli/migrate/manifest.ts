import { SourceEdits } from './source-edits.js';
import { Node, Project } from './ts-morph.js';

const LIBRARY = 'nestjs-pxl-websocket';
const ADAPTER = '@nestjs/platform-socket.io';
const CLIENT = 'socket.io-client';
/** What goes once no source imports it. */
const SOCKET_IO: readonly string[] = [
  ADAPTER,
  'socket.io',
  CLIENT,
  'socket.io-redis',
  '@socket.io/redis-adapter',
  '@socket.io/redis-streams-adapter',
  '@types/socket.io',
  '@types/socket.io-client',
];
/** Frameworks of pages: what stands beside them runs in a browser, which has a WebSocket. */
const PAGES = /^(?:react|vue|svelte|@angular\/core|vite|next|nuxt|solid-js|preact|astro|webpack|parcel)$/;
const SECTIONS = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;

/** What the sources of a package are, once they are migrated. */
export interface PackageSources {
  /** The text of all of them. */
  readonly texts: readonly string[];
  /** Of these the ones that have changed. */
  readonly changed: readonly string[];
  /** The version of this library. */
  readonly version: string;
}

/** The new text of a package.json, and what is to be said of it. */
export interface NewManifest {
  readonly text: string;
  readonly notes: readonly string[];
}

/**
 * Takes Socket.IO's packages out of a package.json that no source imports any more, and puts this library's in. Whatever else
 * stands there stays as it is written.
 *
 * @returns undefined where it is no object
 */
export function migrateManifest(text: string, { texts, changed, version }: PackageSources): NewManifest | undefined {
  // As an expression of JavaScript JSON has a tree.
  const source = `(${text})`;
  const file = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true }).createSourceFile(
    '/package.js',
    source,
  );
  const [statement] = file.getStatements();
  const outer = Node.isExpressionStatement(statement) ? statement.getExpression() : undefined;
  const manifest = Node.isParenthesizedExpression(outer) ? outer.getExpression() : undefined;
  if (!Node.isObjectLiteralExpression(manifest)) return undefined;
  const edits = new SourceEdits(source);
  const sections = SECTIONS.map((name) => new Section(manifest, name)).filter((one) => one.isThere);
  const ranges = new Map(sections.flatMap((one) => [...one.ranges]));
  const gone = sections.map((one) => one.names.filter((name) => SOCKET_IO.includes(name) && !isImported(name, texts)));
  const all = new Set(gone.flat());
  const isNeeded = isImported(LIBRARY, changed) && !ranges.has(LIBRARY);
  if (all.size === 0 && !isNeeded) return { text, notes: [] };
  const added = new Map<string, string>();
  if (!ranges.has(LIBRARY)) added.set(LIBRARY, `^${version}`);
  const isServer = all.has(ADAPTER);
  const nest = ranges.get('@nestjs/websockets') ?? ranges.get(ADAPTER);
  if (isServer && nest !== undefined && !ranges.has('@nestjs/platform-ws')) added.set('@nestjs/platform-ws', nest);
  const isScript =
    all.has(CLIENT) && !isServer && ![...ranges.keys()].some((name) => PAGES.test(name) || name.startsWith('@nestjs/'));
  if (isScript && !ranges.has('ws')) added.set('ws', '^8.18.0');
  // A server keeps it among its dependencies; a client that was there for tests alone, among those.
  const place = sections.findIndex((_, index) => (gone[index] ?? []).some((name) => !isServer || name === ADAPTER));
  const target = Math.max(0, place);
  sections.forEach((section, index) => section.rewrite(gone[index] ?? [], index === target ? added : new Map(), edits));
  return { text: edits.text().slice(1, -1), notes: notesOn(ranges) };
}

function notesOn(ranges: ReadonlyMap<string, string>): string[] {
  const nest = /\d+/.exec(ranges.get('@nestjs/common') ?? '')?.[0];
  const isOld = nest !== undefined && Number(nest) < 11;
  return ['run npm install', ...(isOld ? [`this library needs Nest 11.1 or 12, and here is ${nest}`] : [])];
}

function isImported(name: string, texts: readonly string[]): boolean {
  // Its types go with the package itself.
  const bare = name.replace(/^@types\//, '').replace(/[.*+?^$()|[\]{}\\/-]/g, '\\$&');
  const pattern = new RegExp(`(?:from|import|require\\(|import\\()\\s*['"\`]${bare}(?:/[^'"\`]*)?['"\`]`);
  return texts.some((text) => pattern.test(text.replace(COMMENT_LINE, '')));
}

const COMMENT_LINE = /^[ \t]*(?:\/\/|\*|\/\*).*$/gm;

/** One list of dependencies. */
class Section {
  readonly #properties: ReadonlyMap<string, Node>;

  constructor(
    manifest: Node,
    readonly name: string,
  ) {
    const property = Node.isObjectLiteralExpression(manifest)
      ? manifest.getProperty((one) => keyOf(one) === name)
      : undefined;
    const value = Node.isPropertyAssignment(property) ? property.getInitializer() : undefined;
    const entries = Node.isObjectLiteralExpression(value) ? value.getProperties() : [];
    this.#properties = new Map(entries.map((one) => [keyOf(one), one]));
  }

  get isThere(): boolean {
    return this.#properties.size > 0;
  }

  get names(): string[] {
    return [...this.#properties.keys()];
  }

  get ranges(): Map<string, string> {
    return new Map([...this.#properties].map(([name, one]) => [name, rangeOf(one)]));
  }

  /** New ones stand where the order of the alphabet has them, as npm writes it; what goes makes place first. */
  rewrite(gone: readonly string[], added: ReadonlyMap<string, string>, edits: SourceEdits): void {
    const places = [...gone];
    const kept = this.names.filter((name) => !gone.includes(name));
    for (const [name, range] of added) {
      const text = `"${name}": "${range}"`;
      const next = kept.find((one) => one > name);
      const before = next === undefined ? undefined : this.#properties.get(next);
      const place = places.shift();
      const taken = place === undefined ? undefined : this.#properties.get(place);
      if (before) {
        const indent = edits.indentAt(before.getStart());
        edits.insertBefore(before, `${text},\n${indent}`);
        if (taken) edits.removeElement(taken);
      } else if (taken) edits.replace(taken, text);
      else {
        const last = [...this.#properties.values()].at(-1);
        if (last) edits.insertAfter(last, `,\n${edits.indentAt(last.getStart())}${text}`);
      }
    }
    for (const name of places) {
      const property = this.#properties.get(name);
      if (property) edits.removeElement(property);
    }
  }
}

function keyOf(property: Node): string {
  const name = Node.isPropertyAssignment(property) ? property.getNameNode() : undefined;
  return Node.isStringLiteral(name) ? name.getLiteralText() : '';
}

function rangeOf(property: Node): string {
  const value = Node.isPropertyAssignment(property) ? property.getInitializer() : undefined;
  return Node.isStringLiteral(value) ? value.getLiteralText() : '';
}
