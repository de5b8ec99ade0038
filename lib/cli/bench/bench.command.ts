import { access, constants, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError, type Command, type Terminal } from '../command.js';
import { readBenchArguments, type BenchOptions } from './options/bench-options.js';
import { BenchError } from './bench-error.js';
import { BenchRun } from './bench-run.js';
import { histogramPicture } from './report/histogram-picture.js';
import { LOAD_PROCESS, runLoadProcess } from './processes/load-process.js';
import { tableOf } from './report/report-table.js';
import { tryOnce, type TrialResult } from './clients/trial.js';
import type { BenchReport } from './report/report.js';

const HELP = `Usage: nestjs-pxl-websocket bench URL [OPTION...]

Connects clients to a server, lets them join rooms and send, and tells how long a message takes to the others, and how many are
lost. Without --rooms it measures how long answers to system.ping take, which every server gives. Where a server has its options
rooms.open and rooms.whisper, --rooms 50 is enough for the rest; other servers need --join, --send, --data and --expect.

  nestjs-pxl-websocket bench ws://localhost:3000/ws --clients 5000 --rooms 50 --rate 10
  nestjs-pxl-websocket bench ws://localhost:3000/ws --rooms 5 --send chat:say --expect chat:said \\
    --data '{"room":"{room}","text":"{message}"}'

Load
  --clients N            connections (100); from one address some 28,000 at most, since a system has no more ports for them
  --rooms N              rooms (0)
  --rooms-per-client N   how many of them each client joins (1)
  --room-prefix TEXT     how rooms are called: TEXT1, TEXT2, … (bench-)
  --senders N            how many clients of each room send, in turn (10)
  --rate N               messages a second to each room; without rooms, from each client (1)
  --duration TIME        how long is sent: 500ms, 30s, 2m (10s)
  --ramp N               new connections a second (250)
  --ramp-down N          connections that end in a second (four times --ramp)
  --size N               characters of {message} (100)
  --processes N          processes that share the clients (1)

Messages; {room} is a room's name, {i} a client's number, also in URL, {message} the text by which a receiver knows what it got
  --send TYPE:ACTION     what is sent
  --data JSON            its data (null)
  --expect TYPE:ACTION   what the others in the room get then; without it the answer is measured
  --join TYPE:ACTION     what is sent to enter a room, or none (system:joinRoom)
  --join-data JSON       its data ({"room":"{room}"})

Connection
  --protocol NAME        pxl or event: the envelope, offered as the subprotocol pxl.v1 or event.v1 (pxl)
  --token TEXT           a token, in which {i} is the client's number
  --token-file FILE      one token a line, for one client after the other
  --token-to PLACE       header, protocol, query or message (header)
  --header TEXT          "Name: value" with each upgrade, {i} as above; may be given several times
  --origin URL           the Origin of each upgrade
  --local-address IP     an address of this machine to connect from; several share the clients
  --insecure             takes any certificate
  --no-reconnect         clients that were lost do not come back
  --timeout TIME         how long a connection, its joins or the end of all may take (10s)

Result
  --json FILE            all figures as JSON; - is the standard output, and the table goes to the error output
  --svg FILE             the latencies as a picture
  --settle TIME          how long nothing may come until what is missing is lost (1s)
  --max-p99 TIME         ends with 1 where the p99 of the latency is more
  --max-loss PERCENT     ends with 1 where more is lost (0%)
  --quiet                does not tell how it goes
  --i-own-this-server    lets the address be another one than this machine's: 127.0.0.0/8, ::1, localhost, *.localhost
  --help                 prints this

Ends with 0; with 1 where something was lost, a client never got in, or a threshold was passed; with 2 for arguments that it does
not know. Ctrl+C ends it early, with its report.`;

export const bench: Command = {
  help: HELP,
  async run(args, terminal) {
    if (args[0] === LOAD_PROCESS && process.send) return runLoadProcess();
    const options = readBenchArguments(args, terminal.cwd);
    await checkFiles(options);
    try {
      const report = await measure(options, await tryOnce(options), terminal);
      await publish(report, options, terminal);
      return report.failures.length > 0 ? 1 : 0;
    } catch (error) {
      if (!(error instanceof BenchError)) throw error;
      terminal.err(error.message);
      return 1;
    }
  },
};

async function measure(options: BenchOptions, trial: TrialResult, terminal: Terminal): Promise<BenchReport> {
  const run = new BenchRun(options, trial.address, terminal);
  const interrupt = (): void => run.interrupt();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  try {
    return await run.run(trial.warnings);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  }
}

/** A run may take an hour: that nothing can be written is told before. */
async function checkFiles({ json, svg }: BenchOptions): Promise<void> {
  for (const [flag, path] of Object.entries({ json, svg })) {
    if (path === undefined || path === '-') continue;
    try {
      const found = await stat(path).catch(() => undefined);
      if (found?.isDirectory() === true) throw new Error(`${path} is a folder.`);
      await access(found ? path : dirname(path), constants.W_OK);
    } catch (error) {
      throw new UsageError(`--${flag} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function publish(report: BenchReport, { json, svg }: BenchOptions, { out, err }: Terminal): Promise<void> {
  for (const line of tableOf(report)) (json === '-' ? err : out)(line);
  const text = JSON.stringify(report, null, 2);
  if (json === '-') out(text);
  else if (json !== undefined) await writeFile(json, `${text}\n`);
  if (svg !== undefined) await writeFile(svg, histogramPicture(report));
}
