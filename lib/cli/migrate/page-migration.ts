import { dirname, resolve } from 'node:path';
import { attributeOf, loadedScripts, scriptsOf, type PageScript } from './page-scripts.js';

/** Where a page without a bundler gets the client from, and the file of this package that has to be served there. */
const SERVED = '/nestjs-pxl-websocket/browser.js';
const SERVE = 'serve node_modules/nestjs-pxl-websocket/dist/client/browser.js under this path';
const PAGE = 'docs/coming-from-socket-io.md';
const SOCKET_IO = /(?:^|\/)socket\.io(?:\.esm)?(?:\.min)?\.js(?:\?|$)|socket\.io-client/;

/**
 * Puts the new code of its scripts into a page. Scripts of an HTML page become modules, since they import the client now, and
 * what loaded Socket.IO's client tells where that of this library is.
 *
 * @param codeOf the new code of a script; undefined when it stays
 * @param isChanged whether the file at a path is changed
 */
export function migratePage(
  path: string,
  text: string,
  codeOf: (script: PageScript, index: number) => string | undefined,
  isChanged: (path: string) => boolean,
): string {
  const isHtml = /\.html?$/.test(path);
  const edits: { start: number; end: number; text: string }[] = [];
  let needsClient = false;
  for (const [index, script] of scriptsOf(text).entries()) {
    const code = codeOf(script, index);
    if (code === undefined) continue;
    needsClient = true;
    edits.push({ start: script.start, end: script.end, text: isHtml ? code + globalsOf(script.code, text) : code });
    if (isHtml) edits.push({ start: script.tagStart, end: script.start, text: asModule(script.tag) });
  }
  const loaded = isHtml ? loadedScripts(text) : [];
  for (const { tag, start, source } of loaded) {
    if (/^(?:[a-z]+:)?\/\//i.test(source) || !isChanged(resolve(dirname(path), source.replace(/^\//, './')))) continue;
    needsClient = true;
    edits.push({ start, end: start + tag.length, text: asModule(tag) });
  }
  const [first, ...others] = loaded.filter(({ source }) => SOCKET_IO.test(source));
  if (needsClient && first) {
    const indent = /[ \t]*$/.exec(text.slice(0, first.start))?.[0] ?? '';
    edits.push({ start: first.start, end: first.end, text: importMap(indent) });
    for (const { start, end } of others) edits.push({ start, end, text: '' });
  }
  let result = text;
  for (const edit of edits.sort((a, b) => b.start - a.start))
    result = result.slice(0, edit.start) + edit.text + result.slice(edit.end);
  return result;
}

function importMap(indent: string): string {
  const map = JSON.stringify({ imports: { 'nestjs-pxl-websocket/client': SERVED } });
  return `<!-- TODO(pxl): ${SERVE}, see ${PAGE}#pages-without-a-bundler -->\n${indent}<script type="importmap">${map}</script>`;
}

function asModule(tag: string): string {
  const type = attributeOf(tag, 'type');
  if (type === 'module') return tag;
  if (type === 'text/babel') return tag.replace('<script', '<script data-type="module"');
  const bare = tag.replace(/\s(?:type|async|defer)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+))?(?=[\s>])/gi, '');
  return bare.replace(/^<script/i, '<script type="module"');
}

/** Functions that attributes of the page call by their names, which a module does not show them. */
function globalsOf(code: string, page: string): string {
  const handlers = [...page.matchAll(/\son[a-z]+\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)].map(([, a = '', b = '']) => a + b);
  const names = [...code.matchAll(/^\s*(?:async\s+)?function\s+(\w+)/gm)].map(([, name = '']) => name);
  const used = names.filter((name) => handlers.some((handler) => new RegExp(`\\b${name}\\(`).test(handler)));
  const indent = /\n([ \t]*)$/.exec(code)?.[1] ?? '';
  return used.length > 0 ? `${indent}  Object.assign(window, { ${used.join(', ')} });\n${indent}` : '';
}
