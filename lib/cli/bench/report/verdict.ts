import type { BenchOptions } from '../options/bench-options.js';
import { count, ms, percent } from './figures.js';
import { remedyOf } from '../clients/remedies.js';
import type { BenchReport } from './report.js';
import type { Busyness } from '../measures/loop-watch.js';

/** From here on a process of the tool, or the machine, is told to have been too busy. */
const BUSY = 0.9;
/** ms by which the tool may be late before it is told: a timer is up to about one late, and a busy minute of the machine some. */
const LATE = 10;

/** Why a run is not a success, one sentence each. */
export function failuresOf(
  { clients, messages, latency, loss }: Pick<BenchReport, 'clients' | 'messages' | 'latency' | 'loss'>,
  { maxLoss, maxP99, expect }: BenchOptions,
): string[] {
  const failures: string[] = [];
  if (clients.neverIn > 0) failures.push(`${count(clients.neverIn, 'client')} never got in.`);
  if (messages.sent === 0) failures.push('Nothing was sent.');
  if (loss > maxLoss) {
    const what = expect ? 'did not come' : 'was not answered, or was refused';
    failures.push(
      `${percent(loss)} of what was expected ${what}: more than ${percent(maxLoss)}, which --max-loss allows.`,
    );
  }
  if (maxP99 !== undefined && latency.delivery.p99 > maxP99) {
    failures.push(`The p99 is ${ms(latency.delivery.p99)}: more than ${ms(maxP99)}, which --max-p99 allows.`);
  }
  return failures;
}

/** What has to be known to believe the figures. */
export function warningsOf({
  clients,
  messages,
  latency,
  processes,
  machineBusy,
  isOwnHost,
  codes,
}: Pick<BenchReport, 'clients' | 'messages' | 'latency' | 'codes'> & {
  readonly processes: readonly Busyness[];
  readonly machineBusy: number | null;
  readonly isOwnHost: boolean;
}): { readonly wasBottleneck: boolean; readonly sentences: readonly string[] } {
  const sentences: string[] = [];
  const busiest = Math.max(...processes.map(({ loop }) => loop));
  const latest = Math.max(...processes.map(({ delayP99 }) => delayP99));
  const signs = [
    busiest >= BUSY ? `one of its processes had work for ${percent(busiest)} of the time` : '',
    latest > LATE ? `its event loop was ${ms(latest)} late (p99)` : '',
    latency.lateness.p99 > LATE ? `messages were written ${ms(latency.lateness.p99)} late (p99)` : '',
  ].filter(Boolean);
  if (signs.length > 0) {
    sentences.push(
      `The tool was a bottleneck itself: ${signs.join(', ')}. These latencies are its own as much as the server's: take more --processes, ` +
        'fewer clients, or another machine.',
    );
  }
  if (isOwnHost && machineBusy !== null && machineBusy >= BUSY) {
    sentences.push(
      `All processors of this machine together were busy for ${percent(machineBusy)} of the time: server and tool took it from each other.`,
    );
  }
  if (messages.unsent > 0) {
    sentences.push(`${count(messages.unsent, 'message')} had no sender that was connected, and were not sent.`);
  }
  if (messages.missed > 0) {
    sentences.push(`${count(messages.missed, 'receipt')} were missed by clients that were away: they count as losses.`);
  }
  if (messages.repeated > 0)
    sentences.push(`${count(messages.repeated, 'message')} came to a client that had it already.`);
  if (messages.astray > 0) {
    sentences.push(`${count(messages.astray, 'message')} came to clients that are not in the room.`);
  }
  sentences.push(...new Set(Object.keys(codes.failures).flatMap((code) => remedyOf(code) ?? [])));
  if ('RATE_LIMITED' in codes.errors) {
    sentences.push(
      'Messages were refused by a rate of the server (limits.messagesPerSecond, @WsRateLimit): more --senders share it.',
    );
  }
  const away = clients.wereIn - clients.in;
  if (away > 0) sentences.push(`${count(away, 'client')} had lost their connection at the end.`);
  return { wasBottleneck: signs.length > 0, sentences };
}
