import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { clients } from './clients.mjs';
import { startServer } from './server.mjs';

/*
 * Runs clients of other languages and libraries against a server of the package as it was built. Outside the tests of every day:
 * it needs Debian packages, pip and npm. `test/interop/run`, `test/interop/run java qt` for some of them, and
 * `test/interop/run --write` puts the table into the documentation.
 *
 * A program in `clients` is one client: `program URL SUBPROTOCOL,SUBPROTOCOL TEXT...`. It connects, and sends the next of the texts
 * after each message that it gets. It writes a line for each thing that happens: `message <bytes> <its beginning>`,
 * `close <code> <reason>`, or `refused <what the library tells>` for a refused upgrade. With PXL_DEFAULTS in the environment it
 * leaves the library's largest message as it is; else it raises that, where it is below 300 KiB.
 *
 * What a machine lacks is told with the command that brings it, and is no failure. Ends with 1 when a client has failed.
 */

const CODECS = ['pxl.v1', 'event.v1'];
const KIB_300 = 300 * 1_024;
/** What clients with small buffers can take: libsoup's is the smallest that is not in parts, beside nhooyr's. */
const SMALL = 32_768;
const GREETING = 'Grüße, 世界 🍵';
/** Milliseconds for one run of a client: two heartbeats take 1.4 s. */
const PATIENCE = 20_000;
const PAGE = join(import.meta.dirname, '../../docs/clients-in-other-languages.md');
const [BEGIN, END] = ['<!-- made by: test/interop/run --write -->', '<!-- end -->'];

const words = process.argv.slice(2);
const names = words.filter((word) => word !== '--write').map((word) => word.toLowerCase());
const chosen = clients.filter(
  ({ name }) => names.length === 0 || names.some((word) => name.toLowerCase().includes(word)),
);
const folder = await mkdtemp(join(tmpdir(), 'pxl-interop-'));
if (chosen.length === 0) throw new Error(`There is no client ${names.join(', ')}.`);
const rows = [];
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(code);
  });
}
const missing = [];
try {
  for (const client of chosen) await test(client);
} finally {
  await rm(folder, { recursive: true, force: true });
}
const table = tableOf(rows);
console.log(`\n${table}\n`);
for (const { name, debian, reason } of missing) {
  console.log(`missing: ${name} (${reason})${debian.length > 0 ? `; apt-get install ${debian.join(' ')}` : ''}`);
}
if (words.includes('--write')) {
  if (names.length + missing.length > 0) throw new Error('The table of the documentation has all clients.');
  await write(table);
}
process.exit(process.exitCode ?? 0); // a client that stands still keeps nothing waiting

async function test(client) {
  const row = { name: client.name, failures: [] };
  try {
    row.version = await client.version(folder);
  } catch (error) {
    missing.push({ ...client, reason: error.message.split('\n')[0] });
    console.log(`missing  ${client.name}`);
    return;
  }
  rows.push(row);
  try {
    const program = await client.prepare(folder);
    for (const codec of CODECS) await session(program, codec, row);
    await defaults(program, row);
    await smallBuffers(program, row);
  } catch (error) {
    row.failures.push({ part: CODECS[0], what: 'not run', told: error.message });
  }
  const { name, version, failures } = row;
  console.log(`${failures.length === 0 ? 'ok      ' : 'FAILED  '} ${name} ${version}`);
  for (const { part, what, told } of failures) console.log(`         ${part}: ${what}. It has told: ${told}`);
  if (failures.length > 0) process.exitCode = 1;
}

/** Everything that a client has to be able to, on one codec. */
async function session(program, codec, row) {
  const server = await startServer();
  try {
    const url = `ws://127.0.0.1:${server.port}`;
    const ask = (action, data, id) => request(codec, action, data, id);
    const texts = [ask('echo', GREETING, 1), ask('push', KIB_300), ask('pings', undefined, 2), ask('stop')];
    const said = await start(program, `${url}/ws`, [codec], texts);
    const [welcome, echo, push, pings] = said.messages;
    const isWelcome =
      codec === 'pxl.v1' ? welcome?.text.includes('"connected"') : welcome?.text.startsWith('{"event":"connected"');
    check(row, isWelcome, codec, 'no welcome', said);
    check(row, echo?.text.includes(GREETING) && echo.text.includes('"id":1'), codec, 'no echo', said);
    check(row, push?.bytes > KIB_300, codec, 'no push of 300 KiB', said);
    check(row, pings?.text.includes('2'), codec, 'no answers to pings', said);
    check(row, said.close?.startsWith('1001'), codec, 'no close 1001', said);
  } finally {
    await server.close();
  }
  const guarded = await startServer();
  try {
    const url = `ws://127.0.0.1:${guarded.port}/guarded`;
    const closed = await start(program, url, [codec, 'pxl.refusals']);
    check(row, closed.close?.startsWith('4003 {"error":'), codec, 'no close 4003 with its reason', closed);
    const refused = await start(program, url, [codec]);
    const shown = [...new Set(refused.refusals.map(shorten))];
    if (refused.close !== undefined) shown.push(`close ${refused.close.split(' ')[0]}`);
    check(row, shown.length > 0, codec, 'nothing told of a refused upgrade', refused);
    row.refusal = shown.join(', then ');
  } finally {
    await guarded.close();
  }
}

/** What becomes of a large push where the library's own limit stands. */
async function defaults(program, row) {
  const server = await startServer();
  try {
    const texts = [
      request('pxl.v1', 'push', KIB_300),
      request('pxl.v1', 'echo', GREETING, 1),
      request('pxl.v1', 'stop'),
    ];
    const said = await start(program, `ws://127.0.0.1:${server.port}/ws`, ['pxl.v1'], texts, { PXL_DEFAULTS: '1' });
    const isThere = said.messages[1]?.bytes > KIB_300 && said.messages[2]?.text.includes(GREETING);
    row.defaults = isThere ? 'yes' : `no: ${said.close === undefined ? 'dead' : `close ${said.close.split(' ')[0]}`}`;
  } finally {
    await server.close();
  }
}

/** With `limits.maxPushBytes` the same client lives: the push is refused where it is sent. */
async function smallBuffers(program, row) {
  const server = await startServer(SMALL);
  try {
    const most = SMALL - '{"type":"asked","action":"pushed","data":""}'.length;
    const texts = [KIB_300, most, most + 1].map((characters) => request('pxl.v1', 'push', characters));
    const url = `ws://127.0.0.1:${server.port}/ws`;
    const said = await start(program, url, ['pxl.v1'], [...texts, request('pxl.v1', 'stop')], { PXL_DEFAULTS: '1' });
    const [, refused, largest, again] = said.messages;
    check(
      row,
      refused?.text.includes('TOO_LARGE') && again?.text.includes('TOO_LARGE'),
      'maxPushBytes',
      'not refused',
      said,
    );
    check(row, largest?.bytes === SMALL, 'maxPushBytes', 'the largest push has not come', said);
  } finally {
    await server.close();
  }
}

function request(codec, action, data, id) {
  return JSON.stringify(
    codec === 'pxl.v1' ? { type: 'asked', action, data, id } : { event: `asked:${action}`, data, id },
  );
}

function check(row, isRight, part, what, said) {
  if (isRight) return;
  const told = said.lines.map((line) => line.slice(0, 160)).join(' | ');
  row.failures.push({ part, what, told: told || 'nothing' });
}

/** Runs a client's program until it has ended, or for its time, and returns what it has told. */
async function start({ command: [file, ...options], env }, url, protocols, texts = [], more = {}) {
  const all = { ...process.env, PYTHONIOENCODING: 'utf-8', LANG: 'C.UTF-8', ...env, ...more };
  const child = spawn(file, [...options, url, protocols.join(','), ...texts], {
    env: all,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { lines: [], messages: [], refusals: [], close: undefined };
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE);
  createInterface(child.stderr).on('line', (line) => said.lines.push(line));
  createInterface(child.stdout).on('line', (line) => {
    said.lines.push(line);
    const [, kind, rest] = /^(\w+) ?(.*)$/s.exec(line) ?? [];
    if (kind === 'message') {
      const [, bytes, text] = /^(\d+) (.*)$/s.exec(rest) ?? [];
      said.messages.push({ bytes: Number(bytes), text: text ?? '' });
    } else if (kind === 'close') {
      said.close = rest;
    } else if (kind === 'refused') {
      said.refusals.push(rest);
    }
  });
  await new Promise((resolve) => child.on('error', resolve).on('close', resolve));
  clearTimeout(timer);
  return said;
}

/** What a library tells of a refused upgrade: the status, where it has that. */
function shorten(text) {
  return /\b401\b/.test(text) ? '401' : `error “${text.trim().slice(0, 60)}”`;
}

function tableOf(rows) {
  const lines = [['client', ...CODECS, '300 KiB with its own limit', '`maxPushBytes`', 'a refused upgrade (401) is']];
  for (const { name, version, failures, defaults: push, refusal } of rows) {
    const verdict = (part) => {
      const failed = failures.filter((failure) => failure.part === part);
      return failed.length === 0 ? 'yes' : failed.map(({ what }) => what).join(', ');
    };
    const client = `${name.replace(', newest', '')} ${version}`;
    lines.push([client, ...CODECS.map(verdict), push, verdict('maxPushBytes'), refusal]);
  }
  const [head, ...body] = lines.map((cells) => `| ${cells.join(' | ')} |`);
  const day = new Date().toISOString().slice(0, 10);
  return [`Run on ${day}, with Node ${process.versions.node}:`, '', head, '|---|---|---|---|---|---|', ...body].join(
    '\n',
  );
}

/** Puts the table between its two comments. */
async function write(table) {
  const page = await readFile(PAGE, 'utf8');
  const [before, rest] = page.split(BEGIN);
  if (rest === undefined) throw new Error(`${PAGE} has no ${BEGIN}`);
  await writeFile(PAGE, `${before}${BEGIN}\n\n${table}\n\n${END}${rest.split(END)[1]}`);
}
