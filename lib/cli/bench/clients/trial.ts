import { BenchError } from '../bench-error.js';
import type { BenchOptions } from '../options/bench-options.js';
import { Connection, JOIN_ID, type Ending } from './connection.js';
import { Dialer } from './dialer.js';
import { Frames, type ServerFrame } from './frames.js';
import { addressesOf, type HostAddress } from '../options/own-hosts.js';
import { Stamps } from './stamp.js';
import { remedyOf } from './remedies.js';
import { Streams } from './streams.js';

/** What the first connection has found out. */
export interface TrialResult {
  /** The address that answered: all clients go there. */
  readonly address: HostAddress;
  /** What the server's limits will make of this load, one sentence each. */
  readonly warnings: readonly string[];
}

const TRIAL_ID = 'trial';

/**
 * Tries once, with one client, what thousands will do: a wrong path, a missing token or a closed room is told in a sentence.
 *
 * @throws BenchError
 */
export async function tryOnce(options: BenchOptions): Promise<TrialResult> {
  const { hostname } = new URL(options.url);
  const addresses = await addressesOf(hostname).catch((error: unknown) => {
    throw new BenchError(`${hostname} was not found: ${error instanceof Error ? error.message : String(error)}`);
  });
  for (const [at, address] of addresses.entries()) {
    const outcome = await attempt(options, address);
    if (!('code' in outcome)) return { address, warnings: outcome };
    if (outcome.code !== 'ECONNREFUSED' || at === addresses.length - 1)
      throw new BenchError(sentenceOf(outcome, options));
  }
  throw new BenchError(`${hostname} has no address.`);
}

/** @returns how it failed, or what the server's limits will make of the load */
function attempt(options: BenchOptions, address: HostAddress): Promise<Ending | readonly string[]> {
  const frames = new Frames(options.protocol);
  const [room] = new Streams(options).roomsOf(0);
  const name = room === undefined ? '' : `${options.roomPrefix}${room + 1}`;
  const stamp = new Stamps('trial').write(0, 0, 0).padEnd(options.size, '.');
  const { send, expect, join } = options;
  // What an application makes of a message for a room is not to be seen by anybody: its own routes are not tried.
  const isTried = !expect || (send.type === 'system' && send.action === 'whisper');
  const message = frames.open(send, 0, name, TRIAL_ID).join(stamp);
  return new Promise((resolve) => {
    let warnings: readonly string[] = [];
    let timer: NodeJS.Timeout | undefined;
    const terms = {
      client: 0,
      dialer: new Dialer(options, address),
      frames,
      joins: join && name !== '' ? [frames.open(join, 0, name, `${JOIN_ID}0`).join('')] : [],
      timeout: options.timeout,
      isTokenSent: options.tokenTo === 'message',
    };
    const connection = new Connection(terms, {
      welcomed: (data) => (warnings = warningsOf(data, options, message)),
      entered: () => {
        if (!isTried) {
          finish(warnings);
          return;
        }
        connection.send(message);
        timer = setTimeout(() => {
          finish({ code: 'no answer in time', words: `within ${options.timeout} ms`, mayRetry: true, after: 0 });
        }, options.timeout);
      },
      received: (text) => {
        const frame = frames.read(text);
        if (frame?.id === TRIAL_ID) finish(frame.error === undefined ? warnings : refusalOf(frame, send.action));
      },
      ended: (ending) => finish(ending),
    });
    function finish(outcome: Ending | readonly string[]): void {
      clearTimeout(timer);
      connection.close();
      resolve(outcome);
    }
  });
}

/** @param step what was refused, for a remedy */
function refusalOf({ error, data }: ServerFrame, step: string): Ending {
  const words = typeof data === 'object' && data !== null && 'error' in data ? String(data.error) : '';
  return { code: `${step}: ${error ?? ''}`, words, mayRetry: false, after: 0 };
}

function sentenceOf({ code, words }: Ending, { url }: BenchOptions): string {
  const { host, pathname } = new URL(url);
  const failure = `One client has tried ${host}${pathname} before all others: ${code}${words && ` (${words})`}.`;
  const remedy = remedyOf(code);
  return remedy === undefined ? failure : `${failure} ${remedy}`;
}

/** What limits of the welcome are below what a client will do. */
function warningsOf(welcome: unknown, options: BenchOptions, message: string): string[] {
  const limits = fieldOf(welcome, 'limits');
  const streams = new Streams(options);
  const [rate, rooms, bytes] = ['messagesPerSecond', 'rooms', 'maxPayload'].map((name) => {
    const value = fieldOf(limits, name);
    return typeof value === 'number' ? value : Infinity;
  });
  const own = (streams.ofSender(0).length * 1_000) / streams.period;
  const warnings: string[] = [];
  if (rate !== undefined && own > rate) {
    warnings.push(`A sender sends ${own} messages a second, and the server takes ${rate} (limits.messagesPerSecond).`);
  }
  if (rooms !== undefined && options.roomsPerClient > rooms) {
    warnings.push(`A client joins ${options.roomsPerClient} rooms, and the server lets it into ${rooms}.`);
  }
  if (bytes !== undefined && Buffer.byteLength(message) > bytes) {
    warnings.push(
      `A message has ${Buffer.byteLength(message)} bytes, and the server takes ${bytes} (limits.maxPayload).`,
    );
  }
  return warnings;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
