import { openEntry, withEntries } from '../lib/session.js';
import { costOfRequests } from './metrics.js';

const ASKING = 50;

export const context = {
  name: 'context',
  about: 'Ours alone: what `requestContext` costs a request, beside the same without it, in the same rounds.',

  async run(bench) {
    const open = (name) => openEntry(name, ASKING);
    return withEntries(bench.contenders(['pxl', 'pxl-context']), open, async (entries) => {
      const tables = [];
      for (const inFlight of [1, 10]) tables.push(await costOfRequests(bench, entries, inFlight));
      return tables;
    });
  },
};
