const { default: Sequencer } = require('@jest/test-sequencer');

/** It takes a core for minutes. */
const LONGEST = /\/packing\.spec\.ts$/;
/** Its tests hold deadlines of a Redis Cluster, which they miss beside packing. */
const IN_THE_MIDDLE = /\/broadcasters\.spec\.ts$/;

/** They take a second or less each: with them at the end no worker is left alone with a long file. */
const AT_THE_END = /\/test\/unit\//;

/**
 * Jest's own order, in which the longest files come first as soon as it knows them, with some exceptions. In a fresh clone it
 * knows none of them, and takes the largest for the longest.
 */
module.exports = class TestSequencer extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const take = (name) => {
      const taken = sorted.filter(({ path }) => name.test(path));
      for (const test of taken) sorted.splice(sorted.indexOf(test), 1);
      return taken;
    };
    const [longest, waiting, short] = [LONGEST, IN_THE_MIDDLE, AT_THE_END].map(take);
    const middle = sorted.length / 2;
    return [...longest, ...sorted.slice(0, middle), ...waiting, ...sorted.slice(middle), ...short];
  }
};
