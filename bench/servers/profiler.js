import { mkdir, writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { dirname } from 'node:path';

const SAMPLE_MICROSECONDS = 200;

/** V8's CPU profiler over this process. */
export class Profiler {
  static async start() {
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROSECONDS });
    await session.post('Profiler.start');
    return new Profiler(session);
  }

  #session;

  constructor(session) {
    this.#session = session;
  }

  async stop(file) {
    const { profile } = await this.#session.post('Profiler.stop');
    this.#session.disconnect();
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(profile));
  }
}
