import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import type { MigrationContext } from '../transform.js';
import { Node, type SourceFile } from '../ts-morph.js';
import type { Sockets } from './sockets.js';

const CLIENT = 'nestjs-pxl-websocket/client';

/** Functions that the new text may need, by name. */
const HELPERS = {
  connecting: {
    comment: 'Connects at once, as io() did.',
    typed: `function connecting<Client extends WebSocketClient<any>>(client: Client): Client {
  void client.connect();
  return client;
}`,
    plain: `function connecting(client) {
  void client.connect();
  return client;
}`,
  },
  namesOf: {
    comment: 'The names of an event: its type and its action.',
    typed: `function namesOf(event: string): [type: string, action: string] {
  const colon = event.indexOf(':');
  return colon < 0 ? ['event', event] : [event.slice(0, colon), event.slice(colon + 1)];
}`,
    plain: `function namesOf(event) {
  const colon = event.indexOf(':');
  return colon < 0 ? ['event', event] : [event.slice(0, colon), event.slice(colon + 1)];
}`,
  },
};

/** One file, and what the parts of the transform share about it. */
export class ClientFile {
  readonly isTyped: boolean;
  /** Whether the file runs in a page, which has a WebSocket and an address of its own. */
  readonly isPage: boolean;
  /** One step of indentation in this file. */
  readonly unit: string;
  /** How texts are quoted in this file. */
  readonly quote: string;
  #hasSocket = false;
  readonly #helpers = new Set<keyof typeof HELPERS>();

  constructor(
    readonly file: SourceFile,
    readonly context: MigrationContext,
    readonly sockets: Sockets,
  ) {
    const path = file.getFilePath();
    this.isTyped = /^\.[cm]?tsx?$/.test(extname(path));
    // A file that imports nothing and calls io() has it from a page's <script>.
    const isScript = file.getImportDeclarations().length === 0 && sockets.namesIn(file).isGlobal;
    this.isPage = isScript || /\.[jt]sx$|\.(?:vue|svelte|astro|html?)\./.test(path) || isOfPages(dirname(path));
    const text = file.getFullText();
    this.unit = /^(?: {2}| {6})\S/m.test(text) ? '  ' : (/^(?:\t| {4})(?=\S)/m.exec(text)?.[0] ?? '  ');
    this.quote = /(?:from|require\() ?"/.test(text) ? '"' : "'";
  }

  get edits(): MigrationContext['edits'] {
    return this.context.edits;
  }

  /** The client's type in this file; with the contract `any`, as sockets without types of events are. */
  get type(): string {
    return this.isTyped ? 'WebSocketClient<any>' : 'WebSocketClient';
  }

  todo(node: Node, text: string, anchor: string): void {
    this.context.todo(node, text, anchor);
  }

  /** Imports the client, as a type only or as the class. */
  importClient({ type = false } = {}): void {
    // A script that requires gets its line changed where it stands.
    if (this.sockets.namesIn(this.file).requires.length === 0)
      this.context.imports.add(CLIENT, 'WebSocketClient', { type });
  }

  /** Imports the WebSocket of ws: Node 20 has none of its own. */
  importSocket(): void {
    const [required] = this.sockets.namesIn(this.file).requires;
    const statement = required?.getFirstAncestor((one) => Node.isVariableStatement(one));
    if (!statement) this.context.imports.add('ws', 'WebSocket');
    else if (!this.#hasSocket)
      this.edits.insertAfter(statement, `\n${this.indentOf(statement)}const { WebSocket } = require('ws');`);
    this.#hasSocket = true;
  }

  importOptions(): void {
    this.context.imports.add(CLIENT, 'WebSocketClientOptions', { type: true });
  }

  /** Has a function added at the end of the file. */
  need(helper: keyof typeof HELPERS): string {
    this.#helpers.add(helper);
    return helper;
  }

  writeHelpers(): void {
    for (const name of this.#helpers) {
      const { comment, typed, plain } = HELPERS[name];
      if (name === 'connecting') this.importClient();
      this.edits.insert(this.file.getEnd(), `\n/** ${comment} */\n${this.isTyped ? typed : plain}\n`);
    }
  }

  /** The white space at the beginning of a node's line. */
  indentOf(node: Node): string {
    return this.edits.indentAt(node.getStart());
  }
}

/** Whether the nearest package.json is that of pages: of a framework, or of a bundler. */
function isOfPages(folder: string): boolean {
  const path = join(folder, 'package.json');
  if (existsSync(path)) {
    const text = readFileSync(path, 'utf8');
    if (text.includes('"@nestjs/core"')) return false;
    return /"(?:react|vue|svelte|preact|solid-js|@angular\/core|next|nuxt|vite|webpack|parcel)"/.test(text);
  }
  const parent = dirname(folder);
  return parent !== folder && isOfPages(parent);
}
