import { Node, type CallExpression, type NewExpression } from '../ts-morph.js';
import { addressOf } from './addresses.js';
import type { ClientFile } from './client-file.js';
import { readOptions, type ClientOptions } from './client-options.js';
import { failuresOf } from './failures.js';
import { holderOf } from './holders.js';

/** `io(url, options)` becomes a client that connects. */
export function convertConstruction(call: CallExpression | NewExpression, client: ClientFile): void {
  const [first, second] = call.getArguments();
  const isOptionsOnly = first !== undefined && second === undefined && Node.isObjectLiteralExpression(first);
  const given = readOptions(isOptionsOnly ? first : second, client);
  const url = withQuery(addressOf(isOptionsOnly ? undefined : first, given.path, client), given, client);
  writeClient(call, url, given, client);
}

/** `manager.socket('/chat', options)`. */
export function convertManaged(
  call: CallExpression,
  base: Node | undefined,
  shared: Node | undefined,
  client: ClientFile,
): void {
  const [namespace, own] = call.getArguments();
  const inherited = readOptions(shared, client);
  const given = readOptions(own, client);
  const options = [...inherited.options, ...given.options];
  const path =
    Node.isStringLiteral(namespace) && namespace.getLiteralText() !== '/' ? client.edits.textOf(namespace) : "'/ws'";
  const url = base ? `new URL(${path}, ${client.edits.textOf(base)})` : path;
  writeClient(
    call,
    withQuery(url, given, client),
    { ...given, options, connects: given.connects && inherited.connects },
    client,
  );
}

function writeClient(
  call: CallExpression | NewExpression,
  url: string,
  given: ClientOptions,
  client: ClientFile,
): void {
  client.importClient();
  const options = [`url: ${url}`, `protocol: ${client.quote}event${client.quote}`, ...given.options];
  if (!client.isPage) {
    client.importSocket();
    options.push('webSocket: WebSocket');
  }
  const failures = failuresOf(call, client);
  if (failures.length > 0)
    options.push(`events: { onError: ({ error }${client.isTyped ? ': { error: any }' : ''}) => ${callsOf(failures)} }`);
  const indent = client.indentOf(call);
  const flat = `{ ${options.join(', ')} }`;
  const text =
    flat.length > 90 || flat.includes('\n')
      ? `{\n${options.map((one) => `${indent}${client.unit}${one},\n`).join('')}${indent}}`
      : flat;
  const made = `new ${client.type}(${text})`;
  if (!given.connects) {
    client.edits.replace(call, made);
    return;
  }
  const holder = holderOf(call);
  if (!holder) {
    client.edits.replace(call, `${client.need('connecting')}(${made})`);
    return;
  }
  client.edits.replace(call, made);
  client.edits.insertAfter(holder.statement, `\n${client.indentOf(holder.statement)}void ${holder.name}.connect();`);
}

/** The address with a query, where the options have something for it. */
function withQuery(url: string, { query }: ClientOptions, client: ClientFile): string {
  if (query === undefined) return url;
  const search = `new URLSearchParams({ ${query} })`;
  const literal = /^(['"])(.*)\1$/.exec(url)?.[2];
  if (literal !== undefined) return `\`${literal}${literal.includes('?') ? '&' : '?'}\${${search}}\``;
  if (client.isPage || url.startsWith('new URL(')) return `\`\${${url}}?\${${search}}\``;
  return `\`\${${url}}?\${${search}}\``;
}

function callsOf(names: readonly string[]): string {
  const calls = names.map((name) => `${name}(error)`);
  return calls.length === 1 ? (calls[0] ?? '') : `{ ${calls.map((one) => `${one};`).join(' ')} }`;
}
