import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { nearestName } from '../../../options/checks/nearest-name.js';
import type { WsProtocolName } from '../../../protocol/codec.interface.js';
import { UsageError } from '../../command.js';
import { FlagValues, type RouteNames } from './flag-values.js';
import { isOwnHost } from './own-hosts.js';
import { Streams } from '../clients/streams.js';

/** A message with placeholders in its data: `{i}`, `{room}`, `{message}`. */
export interface MessageTemplate extends RouteNames {
  /** Text of JSON. */
  readonly data: string;
}

/** What a run does: all flags, checked, with their defaults. Times are in ms; it goes to other processes as it is. */
export interface BenchOptions {
  readonly url: string;
  readonly clients: number;
  /** 0: there are none, and each client sends for itself. */
  readonly rooms: number;
  readonly roomsPerClient: number;
  readonly roomPrefix: string;
  /** How many clients of each room send, in turn. */
  readonly senders: number;
  /** Messages a second to each room; without rooms of each client. */
  readonly rate: number;
  readonly duration: number;
  /** New connections a second, and how many end in a second. */
  readonly ramp: number;
  readonly rampDown: number;
  /** How many characters `{message}` has, at least. */
  readonly size: number;
  readonly processes: number;
  readonly send: MessageTemplate;
  /** What the others of a room get; null: answers are measured. */
  readonly expect: RouteNames | null;
  readonly join: MessageTemplate | null;
  readonly protocol: WsProtocolName;
  readonly tokens: readonly string[];
  readonly tokenTo: (typeof TOKEN_PLACES)[number];
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly origin: string | undefined;
  readonly localAddresses: readonly string[];
  readonly trustsAnyCertificate: boolean;
  readonly reconnects: boolean;
  /** How long a connection, a join or the first try may take. */
  readonly timeout: number;
  /** How long nothing has to come until what is missing is lost. */
  readonly settle: number;
  readonly json: string | undefined;
  readonly svg: string | undefined;
  readonly maxP99: number | undefined;
  /** A part of what was expected. */
  readonly maxLoss: number;
  readonly isQuiet: boolean;
}

const TOKEN_PLACES = ['header', 'protocol', 'query', 'message'] as const;
const FLAGS = {
  clients: 'string',
  rooms: 'string',
  'rooms-per-client': 'string',
  'room-prefix': 'string',
  senders: 'string',
  rate: 'string',
  duration: 'string',
  ramp: 'string',
  'ramp-down': 'string',
  size: 'string',
  processes: 'string',
  send: 'string',
  data: 'string',
  expect: 'string',
  join: 'string',
  'join-data': 'string',
  protocol: 'string',
  token: 'string',
  'token-file': 'string',
  'token-to': 'string',
  header: 'strings',
  origin: 'string',
  'local-address': 'strings',
  insecure: 'boolean',
  'no-reconnect': 'boolean',
  timeout: 'string',
  settle: 'string',
  json: 'string',
  svg: 'string',
  'max-p99': 'string',
  'max-loss': 'string',
  quiet: 'boolean',
  'i-own-this-server': 'boolean',
} as const;
/** How many processes may be asked for. */
const MOST_PROCESSES = 64;

/** @throws UsageError for the first thing that is wrong, before anybody is asked where the host is */
export function readBenchArguments(args: readonly string[], cwd: string): BenchOptions {
  const { url: address, flags } = parse(args);
  const url = readUrl(address, flags.isSet('i-own-this-server'));
  const rooms = flags.count('rooms', 0, 0);
  const clients = flags.count('clients', 100);
  const options: BenchOptions = {
    url,
    clients,
    rooms,
    roomsPerClient: flags.count('rooms-per-client', 1),
    roomPrefix: flags.text('room-prefix') ?? 'bench-',
    senders: flags.count('senders', 10),
    rate: flags.rate('rate', 1),
    duration: flags.time('duration') ?? 10_000,
    ramp: flags.rate('ramp', 250),
    rampDown: flags.rate('ramp-down', 4 * flags.rate('ramp', 250)),
    size: flags.count('size', 100, 0),
    processes: flags.count('processes', 1),
    ...readMessages(flags, rooms > 0),
    protocol: flags.oneOf('protocol', ['pxl', 'event'], 'pxl'),
    ...readTokens(flags, cwd),
    headers: flags.texts('header').map(readHeader),
    origin: flags.text('origin'),
    localAddresses: flags.texts('local-address'),
    trustsAnyCertificate: flags.isSet('insecure'),
    reconnects: !flags.isSet('no-reconnect'),
    timeout: flags.time('timeout') ?? 10_000,
    settle: flags.time('settle') ?? 1_000,
    json: pathOf(flags.text('json'), cwd),
    svg: pathOf(flags.text('svg'), cwd),
    maxP99: flags.time('max-p99'),
    maxLoss: flags.percentage('max-loss') ?? 0,
    isQuiet: flags.isSet('quiet'),
  };
  checkTogether(options);
  return options;
}

function parse(args: readonly string[]): { url: string; flags: FlagValues } {
  const options = Object.fromEntries(
    Object.entries(FLAGS).map(([flag, kind]) => {
      return [flag, { type: kind === 'boolean' ? kind : ('string' as const), multiple: kind === 'strings' }];
    }),
  );
  for (const argument of args) {
    const [, flag] = /^--([^=]+)/.exec(argument) ?? [];
    if (flag === undefined || Object.hasOwn(FLAGS, flag)) continue;
    const nearest = nearestName(flag, Object.keys(FLAGS));
    throw new UsageError(`There is no option --${flag}${nearest === undefined ? '.' : `; did you mean --${nearest}?`}`);
  }
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const [url, ...more] = positionals;
    if (url === undefined) throw new UsageError('Which server? Give its address, for example ws://localhost:3000/ws.');
    if (more.length > 0) throw new UsageError(`There is one address, not ${positionals.join(' and ')}.`);
    return { url, flags: new FlagValues(values as ConstructorParameters<typeof FlagValues>[0]) };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readUrl(text: string, isForeignAllowed: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['ws:', 'wss:', 'http:', 'https:'].includes(url.protocol) || url.hash !== '') {
    throw new UsageError(`${text} is no address of a WebSocket server, for example ws://localhost:3000/ws.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('The address has no user and no password: give --token, or --header "Authorization: …".');
  }
  url.protocol = url.protocol.replace('http', 'ws');
  if (isOwnHost(url.hostname) || isForeignAllowed) return url.href;
  const hint = url.hostname === '0.0.0.0' || url.hostname === '[::]' ? ' For this machine write 127.0.0.1.' : '';
  throw new UsageError(
    `${url.hostname} is not this machine (127.0.0.0/8, ::1, localhost and names under it), and a load is an attack on a server ` +
      `that is not yours. If it is, and who runs its network knows, add --i-own-this-server.${hint}`,
  );
}

/** What is sent, what is waited for, and how rooms are entered. */
function readMessages(flags: FlagValues, hasRooms: boolean): Pick<BenchOptions, 'send' | 'expect' | 'join'> {
  const route = flags.route('send');
  const expect = flags.route('expect') ?? null;
  const data = flags.json('data');
  if (!route && (expect ?? data)) throw new UsageError('--expect and --data go with --send.');
  if (expect && !hasRooms) throw new UsageError('--expect is what the others in a room get: give --rooms too.');
  if (expect && data?.includes('{message}') !== true) {
    throw new UsageError(
      'With --expect, --data has to have {message} in a text that the application passes on: by it a receiver knows what it got. ' +
        `For example --data '{"room":"{room}","text":"{message}"}'.`,
    );
  }
  const join = flags.text('join');
  const joinData = flags.json('join-data');
  if (!hasRooms && (join ?? joinData) !== undefined) throw new UsageError('--join goes with --rooms.');
  if (joinData !== undefined && (join === undefined || join === 'none')) {
    throw new UsageError('--join-data goes with --join TYPE:ACTION.');
  }
  const named = join === undefined || join === 'none' ? undefined : flags.route('join');
  const ownJoin = { type: 'system', action: 'joinRoom', data: '{"roomName":"{room}"}' };
  return {
    join: !hasRooms || join === 'none' ? null : named ? { ...named, data: joinData ?? '{"room":"{room}"}' } : ownJoin,
    ...(route
      ? { send: { ...route, data: data ?? 'null' }, expect }
      : hasRooms
        ? { send: WHISPER, expect: { type: 'whisper', action: 'bench' } }
        : { send: { type: 'system', action: 'ping', data: 'null' }, expect: null }),
  };
}

const WHISPER: MessageTemplate = {
  type: 'system',
  action: 'whisper',
  data: '{"roomName":"{room}","action":"bench","data":"{message}"}',
};

function readTokens(flags: FlagValues, cwd: string): Pick<BenchOptions, 'tokens' | 'tokenTo'> {
  const tokenTo = flags.oneOf('token-to', TOKEN_PLACES, 'header');
  const [token, file] = [flags.text('token'), flags.text('token-file')];
  if (token !== undefined && file !== undefined) throw new UsageError('Give --token or --token-file, not both.');
  if (token === undefined && file === undefined) {
    if (flags.has('token-to')) throw new UsageError('--token-to goes with --token or --token-file.');
    return { tokens: [], tokenTo };
  }
  if (file === undefined) return { tokens: token === undefined ? [] : [token], tokenTo };
  const tokens = readText(resolve(cwd, file))
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (tokens.length === 0) throw new UsageError(`There is no token in ${file}.`);
  return { tokens, tokenTo };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--token-file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readHeader(text: string): readonly [string, string] {
  const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+):\s*(.*)$/.exec(text) ?? [];
  if (name !== '') return [name, value];
  throw new UsageError(`--header has to be "Name: value", not ${JSON.stringify(text)}.`);
}

/** `-` stays: the standard output. */
function pathOf(path: string | undefined, cwd: string): string | undefined {
  return path === undefined || path === '-' ? path : resolve(cwd, path);
}

function checkTogether(options: BenchOptions): void {
  const { clients, rooms, roomsPerClient, processes, expect, localAddresses, svg } = options;
  if (processes > Math.min(clients, MOST_PROCESSES)) {
    throw new UsageError(`--processes is at most ${MOST_PROCESSES}, and at most --clients.`);
  }
  if (rooms > 0 && roomsPerClient > rooms) throw new UsageError('--rooms-per-client is more than --rooms.');
  if (rooms > 0 && new Streams(options).membersOf(rooms - 1).length < (expect ? 2 : 1)) {
    throw new UsageError(
      `${clients} clients are too few for ${rooms} rooms: each room needs ${expect ? 'two, one that sends and one that gets it' : 'one'}.`,
    );
  }
  const wrong = localAddresses.find((address) => isIP(address) === 0);
  if (wrong !== undefined) throw new UsageError(`--local-address has to be an address of this machine, not ${wrong}.`);
  if (svg === '-') throw new UsageError('--svg has to be a file.');
}
