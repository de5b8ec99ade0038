import { runSpec } from '../programs.mjs';

/** Specs that need a program which the tests of every day do without. */
export const entries = [
  { name: 'Failover', run: () => runSpec('test/e2e/history-chaos.spec.ts') },
  { name: 'Firefox', run: () => runSpec('test/e2e/client-firefox.spec.ts') },
];
