import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readBenchArguments } from '../../lib/cli/bench/options/bench-options.js';
import { offsetOf } from '../../lib/cli/bench/processes/machine-clock.js';
import { isOwnHost } from '../../lib/cli/bench/options/own-hosts.js';
import { Receipts } from '../../lib/cli/bench/clients/receipts.js';
import { Stamps } from '../../lib/cli/bench/clients/stamp.js';
import { Streams } from '../../lib/cli/bench/clients/streams.js';
import { Tally } from '../../lib/cli/bench/measures/tally.js';
import { histogramPicture } from '../../lib/cli/bench/report/histogram-picture.js';
import { tableOf } from '../../lib/cli/bench/report/report-table.js';
import { reportOf } from '../../lib/cli/bench/report/report.js';
import { run } from '../../lib/cli/commands.js';

const URL_OF_TEST = 'ws://localhost:3000/ws';
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
writeFileSync(join(folder, 'empty'), '\n');
afterAll(() => rmSync(folder, { recursive: true }));

function optionsOf(line: string): ReturnType<typeof readBenchArguments> {
  return readBenchArguments([URL_OF_TEST, ...line.split(' ').filter(Boolean)], folder);
}

describe('bench takes as this machine', () => {
  it.each(['127.0.0.1', '127.255.0.9', '[::1]', 'localhost', 'LOCALHOST', 'api.localhost', '[::ffff:127.0.0.1]'])(
    '%s',
    (host) => {
      expect(isOwnHost(new URL(`ws://${host}/`).hostname)).toBe(true);
    },
  );

  it.each([
    ...[
      '0.0.0.0',
      '[::]',
      '128.0.0.1',
      '10.0.0.1',
      '[::2]',
      '[::ffff:8.8.8.8]',
      'example.com',
      'localhost.example.com',
    ],
    ...['notlocalhost', '127.0.0.1.nip.io', 'localhost.localdomain'],
  ])('not %s', (host) => {
    expect(isOwnHost(new URL(`ws://${host}/`).hostname)).toBe(false);
  });
});

describe('The arguments of bench', () => {
  it('have defaults: answers without rooms, whispers with them', () => {
    expect(optionsOf('')).toMatchObject({
      url: URL_OF_TEST,
      ...{ clients: 100, rooms: 0, rate: 1, duration: 10_000, ramp: 250, rampDown: 1_000, processes: 1, maxLoss: 0 },
      send: { type: 'system', action: 'ping' },
      expect: null,
      join: null,
    });
    expect(optionsOf('--rooms 5 --ramp 10 --duration 2m --max-p99 250ms --max-loss 0.5%')).toMatchObject({
      ...{ rampDown: 40, duration: 120_000, maxP99: 250, maxLoss: 0.005 },
      send: { type: 'system', action: 'whisper' },
      expect: { type: 'whisper', action: 'bench' },
      join: { type: 'system', action: 'joinRoom', data: '{"roomName":"{room}"}' },
    });
  });

  it.each([
    ['--clients 0', '--clients has to be a whole number from 1'],
    ['--clients 5k', '--clients has to be a whole number from 1'],
    ['--rate 0', '--rate has to be a number above 0'],
    ['--duration 10', '--duration has to be a time with its unit, as 500ms, 30s or 2m, not "10".'],
    ['--max-loss 101', '--max-loss has to be a percentage'],
    ['--protocol ignis', '--protocol has to be pxl or event, not "ignis".'],
    ['--client 5', 'There is no option --client; did you mean --clients?'],
    ['--clients', "Option '--clients <value>' argument missing"],
    ['ws://localhost/other', 'There is one address'],
    ['--send chat:say --data {room}', '--data is no JSON'],
    ['--send :', '--send has to be the name of a message, as chat:say, not ":".'],
    ['--expect chat:said', '--expect and --data go with --send.'],
    ['--send chat:say --expect chat:said', '--expect is what the others in a room get: give --rooms too.'],
    ['--rooms 2 --send chat:say --expect chat:said --data {}', '--data has to have {message}'],
    ['--join chat:enter', '--join goes with --rooms.'],
    ['--rooms 2 --join-data {}', '--join-data goes with --join TYPE:ACTION.'],
    ['--rooms 51', '100 clients are too few for 51 rooms: each room needs two, one that sends and one that gets it.'],
    ['--rooms 2 --rooms-per-client 3', '--rooms-per-client is more than --rooms.'],
    ['--processes 65', '--processes is at most 64'],
    ['--token a --token-file b', 'Give --token or --token-file, not both.'],
    ['--token-to query', '--token-to goes with --token or --token-file.'],
    ['--token-file nowhere', '--token-file cannot be read: '],
    ['--token-file empty', 'There is no token in empty.'],
    ['--header nothing', '--header has to be "Name: value", not "nothing".'],
    ['--local-address eth0', '--local-address has to be an address of this machine, not eth0.'],
    ['--svg -', '--svg has to be a file.'],
  ])('%s: refused with a sentence', (line, sentence) => {
    expect(() => optionsOf(line)).toThrow(sentence);
  });

  it.each([
    ['nowhere', 'nowhere is no address of a WebSocket server'],
    ['ftp://localhost', 'is no address of a WebSocket server'],
    ['ws://ada:secret@localhost', 'The address has no user and no password'],
    ['wss://example.com/ws', 'example.com is not this machine'],
    ['ws://0.0.0.0:3000', 'For this machine write 127.0.0.1.'],
  ])('%s is refused', (url, sentence) => {
    expect(() => readBenchArguments([url], folder)).toThrow(sentence);
  });

  it('are told by --help, and end with 2 where they are wrong', async () => {
    const lines: string[] = [];
    const say = (line: string): void => void lines.push(line);
    const terminal = { cwd: folder, out: say, err: say };
    expect(await run(['bench', '--help'], terminal)).toBe(0);
    expect(lines.join('\n')).toContain('--i-own-this-server');
    expect(await run(['bench', 'wss://example.com', '--rooms', '3'], terminal)).toBe(2);
    expect(await run(['bench'], terminal)).toBe(2);
    expect(await run(['bench', URL_OF_TEST, '--svg', 'nowhere/picture.svg'], terminal)).toBe(2);
    expect(lines.at(-2)).toContain('--svg cannot be written: ');
    expect(lines.at(-1)).toBe('See nestjs-pxl-websocket bench --help.');
  });

  it('may name a foreign host, where that is one’s own', () => {
    expect(readBenchArguments(['https://example.com/ws', '--i-own-this-server'], folder).url).toBe(
      'wss://example.com/ws',
    );
  });
});

describe('Receipts', () => {
  it('tell what is missing, late, and repeated', () => {
    const receipts = new Receipts();
    expect([0, 1, 4, 2, 2, 4, 100, 3].map((number) => receipts.take(number))).toEqual([
      0,
      0,
      2,
      -1,
      null,
      null,
      95,
      -1,
    ]);
    expect([0, 4, 5, 99, 100, 5_000].map((number) => receipts.has(number))).toEqual([
      true,
      true,
      false,
      false,
      true,
      false,
    ]);
  });
});

describe('Streams', () => {
  it('share clients among rooms, each in as many as it is told', () => {
    const streams = new Streams(optionsOf('--clients 7 --rooms 3 --rooms-per-client 2 --senders 2'));
    expect([0, 1, 2].map((room) => streams.membersOf(room))).toEqual([
      [0, 2, 3, 5, 6],
      [0, 1, 3, 4, 6],
      [1, 2, 4, 5],
    ]);
    for (let client = 0; client < 7; client++) {
      expect(streams.roomsOf(client).every((room) => streams.membersOf(room).includes(client))).toBe(true);
    }
    expect(streams.toRoom(1).map(({ sender, room }) => [sender, room])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(streams.ofSender(0).map(({ room }) => room)).toEqual([0, 1]);
  });

  it.each(['--clients 6 --rooms 3 --rate 8', '--clients 40 --rooms 2 --rate 3 --senders 20', '--clients 5 --rate 4'])(
    '%s: spread evenly at the rate that was asked for',
    (line) => {
      const options = optionsOf(line);
      const streams = new Streams(options);
      const dues = streams.all.flatMap((stream) =>
        Array.from({ length: 400 }, (_, number) => streams.dueAt(stream, number)).filter((due) => due < 10_000),
      );
      const perSecond = options.rate * (options.rooms || options.clients);
      expect(dues).toHaveLength(10 * perSecond);
      dues.sort((one, other) => one - other);
      for (const [at, due] of dues.entries()) expect(due).toBeCloseTo((at * 1_000) / perSecond, 6);
    },
  );
});

describe('Stamps', () => {
  it('are found wherever they stand, and only those of this run', () => {
    const stamps = new Stamps('abc');
    const stamp = stamps.write(7, 12, 345);
    expect(stamps.read(`{"data":{"text":"<b>${stamp.padEnd(100, '.')}"}}`)).toEqual({
      stream: 7,
      number: 12,
      lateness: 345,
    });
    expect(stamps.write(10_000_000, 99_999_999, 9_999_999_999).length).toBeLessThanOrEqual(64);
    for (const text of [
      '',
      'pxl-bench-abc:',
      'pxl-bench-abc:1:2',
      'pxl-bench-abc:1:x:2;',
      new Stamps('abd').write(1, 2, 3),
    ]) {
      expect(stamps.read(text).stream).toBe(-1);
    }
  });
});

describe('The clocks of two processes', () => {
  it('agree as far as can be seen, or are corrected', () => {
    expect(offsetOf(100, 101, 104)).toBe(0);
    expect(offsetOf(100, 5_102, 104)).toBe(-5_000);
    expect(offsetOf(100, 2, 104)).toBe(100);
  });
});

describe('The verdict', () => {
  const options = optionsOf('--max-p99 50ms --max-loss 1%');
  const tally = new Tally();
  for (let ms = 1; ms <= 100; ms++) tally.durations.delivery.record(ms);
  Object.assign(tally.counts, { sent: 100, expected: 100, received: 98, lost: 1, missed: 1 });
  const outcome = {
    ...{ options, startedAt: new Date(0), seconds: 10, tally, in: 99, wereIn: 99, machineBusy: 0.2, timeline: [] },
    ...{ warnings: [], isInterrupted: false, processes: [{ loop: 0.2, delayP99: 1, delayMost: 5 }] },
  };

  it('names each threshold that was passed, and who never got in', () => {
    expect(reportOf(outcome)).toMatchObject({
      latency: { delivery: { count: 100, min: 1, max: 100 } },
      failures: [
        '1 client never got in.',
        '2 % of what was expected was not answered, or was refused: more than 1 %, which --max-loss allows.',
        expect.stringMatching(/^The p99 is 99\.\d ms: more than 50\.0 ms, which --max-p99 allows\.$/),
      ],
      tool: { wasBottleneck: false },
    });
  });

  it.each([
    ['had work for 95 % of the time', { loop: 0.95, delayP99: 1, delayMost: 5 }],
    ['its event loop was 30.0 ms late', { loop: 0.5, delayP99: 30, delayMost: 50 }],
  ])('says where the tool measured itself: %s', (sign, busyness) => {
    const report = reportOf({ ...outcome, processes: [...outcome.processes, busyness] });
    expect(report.tool.wasBottleneck).toBe(true);
    expect(tableOf(report).join('\n')).toContain(sign);
    expect(histogramPicture(report)).toContain('a bottleneck itself');
  });
});
