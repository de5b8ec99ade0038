import { count, ms, number, percent } from './figures.js';
import type { BenchReport, Quantiles } from './report.js';
import type { Codes } from '../measures/tally.js';

const COLUMNS = ['p50', 'p90', 'p99', 'p999', 'max'] as const;
const WIDTH = 10;
const NAME_WIDTH = 22;

/** The report as lines for a terminal of 80 columns. */
export function tableOf(report: BenchReport): string[] {
  const { latency, measures, codes, warnings, failures } = report;
  const rows: [string, Quantiles][] = [
    [measures === 'deliveries' ? 'delivery' : 'answer', latency.delivery],
    ['  from its write', latency.fromWrite],
    ['connection', latency.connection],
    ['join', latency.join],
    ['away until back', latency.away],
    ['written too late by', latency.lateness],
  ];
  const heads = ['p50', 'p90', 'p99', 'p99.9', 'max'].map((head) => head.padStart(WIDTH));
  return [
    ...titleOf(report),
    '',
    `${''.padEnd(NAME_WIDTH)}${heads.join('')}`,
    ...rows
      .filter(([, { count: times }]) => times > 0)
      .map(([name, times]) => name.padEnd(NAME_WIDTH) + COLUMNS.map((q) => ms(times[q]).padStart(WIDTH)).join('')),
    '',
    ...factsOf(report),
    ...codesOf('did not get in', codes.failures),
    ...codesOf('ended with', codes.closes),
    ...codesOf('refused', codes.errors),
    ...section('Warning', warnings),
    ...section('Failed', failures),
  ];
}

function titleOf({ url, load, seconds, interrupted }: BenchReport): string[] {
  const { clients, rooms, roomsPerClient, rate, send, expect, protocol, size } = load;
  const where =
    rooms > 0 ? `${count(rooms, 'room')}${roomsPerClient > 1 ? `, ${roomsPerClient} each` : ''}` : 'no rooms';
  const what = expect === null ? `${send} until its answer` : `${send} until ${expect}`;
  const pace = `${Number(rate.toPrecision(6))} a second ${rooms > 0 ? 'to each room' : 'from each client'}`;
  return [
    `${url} (${protocol}.v1): ${count(clients, 'client')}, ${where}`,
    `${what}, ${pace}, ${size} bytes, for ${Number(seconds.toFixed(1))} s${interrupted ? ' (ended early)' : ''}`,
  ];
}

function factsOf({ clients, messages, loss, seconds, tool, measures }: BenchReport): string[] {
  const perSecond = seconds > 0 ? messages.received / seconds : 0;
  const { lost, missed, repeated, outOfOrder, unsent } = messages;
  const busiest = Math.max(...tool.processes.map(({ loop }) => loop));
  const latest = Math.max(...tool.processes.map(({ delayP99 }) => delayP99));
  const machine = tool.machineBusy === null ? '' : `, all ${tool.processors} processors ${percent(tool.machineBusy)}`;
  const got = measures === 'deliveries' ? 'received' : 'answered';
  return [
    fact(
      'messages',
      `${number(messages.sent)} sent, ${number(messages.received)} of ${number(messages.expected)} ${got} (${number(perSecond)}/s)`,
    ),
    fact('lost', `${number(lost)} lost, ${number(missed)} missed while away (${percent(loss)} together)`),
    fact('', `${number(repeated)} repeated, ${number(outOfOrder)} out of order, ${number(unsent)} not sent`),
    fact(
      'clients',
      `${number(clients.wereIn)} got in, ${number(clients.neverIn)} never; ${number(clients.losses)} lost their connection, ${number(clients.returns)} came back`,
    ),
    fact(
      'the tool',
      `${count(tool.processes.length, 'process', 'processes')}, busy ${percent(busiest)}, loop late ${ms(latest)} (p99)${machine}`,
    ),
  ];
}

function codesOf(name: string, codes: Codes): string[] {
  const entries = Object.entries(codes).sort(([, one], [, other]) => other - one);
  return entries.length === 0
    ? []
    : [fact(name, entries.map(([code, times]) => `${code} × ${number(times)}`).join(', '))];
}

function fact(name: string, text: string): string {
  return name.padEnd(NAME_WIDTH) + text;
}

function section(title: string, sentences: readonly string[]): string[] {
  return sentences.length === 0 ? [] : ['', ...sentences.map((sentence) => `${title}: ${sentence}`)];
}
