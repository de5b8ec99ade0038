import { CONTENDERS, FORMER } from './contenders.js';
import { profiled } from './profile.js';
import { inRounds } from './rounds.js';
import { table } from './table.js';

const WINDOW_MILLISECONDS = 400;
const PROFILE_MILLISECONDS = 4_000;
const QUICK = 10;

/** What the suites run on: which contenders, how many rounds, how long. */
export class Bench {
  /** @param options `rounds`; `only`: names of contenders, or null; `profile`: ours alone; `quick`: a tenth of all */
  constructor({ rounds, only, profile, quick }) {
    this.rounds = rounds;
    this.profile = profile;
    this.quick = quick;
    this.only = profile ? ['pxl'] : only;
  }

  /** Those of the contenders that are wanted and run here; before each of ours the same of a former build, where one is given. */
  contenders(names) {
    const all = names.flatMap((name) => [`${name}${FORMER}`, name].filter((possible) => CONTENDERS[possible]));
    const wanted = all.filter((name) => !this.only || this.only.includes(name));
    return wanted.filter((name) => {
      const absence = CONTENDERS[name].absence?.() ?? null;
      if (absence) this.log(`${CONTENDERS[name].title}: left out. ${absence}.`);
      return !absence;
    });
  }

  /** As many clients, rooms or milliseconds as asked for, or fewer where it only shall be seen that everything runs. */
  scaled(count) {
    return this.quick ? Math.ceil(count / QUICK) : count;
  }

  log(line) {
    process.stderr.write(`${line}\n`);
  }

  /**
   * Warms every entry up, then measures them in rounds. Gives the text of a table, or of profiles where they are wanted.
   *
   * @param entries `{ name, title, session }`
   * @param measure `(entry, milliseconds)` resolves with a sample
   * @param duration of a sample, ms
   * @param layout `columns`, `ratios`, `notes(rows)`: see table.js
   */
  async measure({ title, entries, measure, duration = WINDOW_MILLISECONDS, ...layout }) {
    const milliseconds = this.scaled(duration);
    for (const entry of entries) await measure(entry, this.scaled(WINDOW_MILLISECONDS));
    if (this.profile) return this.#profiles(title, entries, measure);
    return this.measureCold({ title, entries, measure: (entry) => measure(entry, milliseconds), ...layout });
  }

  /** The same without warming up. */
  async measureCold({ title, entries, measure, columns, ratios, notes = () => [] }) {
    this.log(`  ${title}`);
    const samples = await inRounds(entries, this.rounds, measure);
    const rows = entries.map((entry, index) => ({ ...entry, samples: samples[index] }));
    return table({ title, rows, columns, ratios, notes: notes(rows) });
  }

  async #profiles(title, entries, measure) {
    const profiles = [];
    for (const entry of entries) {
      const label = `${title}, ${entry.title}`;
      profiles.push(await profiled(entry.session, label, () => measure(entry, PROFILE_MILLISECONDS)));
    }
    return profiles.join('\n\n');
  }
}

/** 5000 as `5,000`. */
export function grouped(count) {
  return count.toLocaleString('en-US');
}
