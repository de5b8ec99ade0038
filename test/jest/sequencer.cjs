const { default: Sequencer } = require('@jest/test-sequencer');

/** It takes a core for minutes. */
const LONGEST = /\/packing\.spec\.ts$/;
/** Its tests hold deadlines of a Redis Cluster, which they miss beside packing. */
const IN_THE_MIDDLE = /\/broadcasters\.spec\.ts$/;

/** Jest's own order, in which the longest files come first as soon as it knows them, with two exceptions. */
module.exports = class TestSequencer extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const take = (name) => {
      const at = sorted.findIndex(({ path }) => name.test(path));
      return at < 0 ? [] : sorted.splice(at, 1);
    };
    const [longest, waiting] = [take(LONGEST), take(IN_THE_MIDDLE)];
    const middle = sorted.length / 2;
    return [...longest, ...sorted.slice(0, middle), ...waiting, ...sorted.slice(middle)];
  }
};
