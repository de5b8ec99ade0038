import type { WorkerReport } from '../console-contract.js';
import type { Tone } from './dom/parts.js';

/** How a worker is, in words. */
export function healthOf(worker: WorkerReport): [text: string, tone: Tone] {
  if (worker.kind !== 'known') return worker.kind === 'older' ? ['older version', 'none'] : ['no answer', 'bad'];
  if (worker.state === 'starting' || worker.state === 'draining') return [worker.state, 'warn'];
  if (worker.bus && !worker.bus.ready) return ['bus lost', 'bad'];
  if (!worker.ready) return ['not ready', 'bad'];
  return worker.status === 'healthy'
    ? ['ready', 'good']
    : [worker.status, worker.status === 'degraded' ? 'warn' : 'bad'];
}
