import { describe, expect, it } from '@jest/globals';
import { siblingsOf } from '../../lib/lifecycle/worker-siblings.js';

const SEVERAL = 'PM2 runs this application in several processes';

describe('other workers of an application are known of', () => {
  it.each<[string, number | undefined, Record<string, string>, string | undefined]>([
    ['nowhere in a process by itself', undefined, {}, undefined],
    ['from the second worker of a node:cluster on', 1, {}, undefined],
    ['by its number', 2, {}, 'This process is worker 2 of a node:cluster'],
    ['under PM2 by the number of its processes', 1, { pm_id: '0', instances: '4', NODE_APP_INSTANCE: '0' }, SEVERAL],
    ['under PM2 by which one it is', undefined, { pm_id: '7', NODE_APP_INSTANCE: '1' }, SEVERAL],
    ['not under PM2 with other applications', 5, { pm_id: '5', instances: '1', NODE_APP_INSTANCE: '0' }, undefined],
    ['not by the variables of something else', undefined, { instances: '4' }, undefined],
  ])('%s', (_how, workerId, env, expected) => {
    expect(siblingsOf({ workerId, env })).toBe(expected);
  });
});
