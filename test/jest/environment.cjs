const { ModuleMocker } = require('jest-mock');

const EVENT_HANDLERS = Symbol.for('EVENT_HANDLERS');

/** The process itself, set back after each spec file: environment variables, console, and what Jest leaves of the file. */
module.exports = class ProcessEnvironment {
  global = globalThis;
  fakeTimers = null;
  fakeTimersModern = null;
  moduleMocker = new ModuleMocker(globalThis);
  #console = globalThis.console;
  #exit = process.exit;
  #variables = { ...process.env };

  setup() {}

  teardown() {
    globalThis.console = this.#console;
    process.exit = this.#exit;
    for (const name of Object.keys(process.env)) if (!(name in this.#variables)) delete process.env[name];
    Object.assign(process.env, this.#variables);
    delete globalThis[EVENT_HANDLERS];
  }

  getVmContext() {
    return null;
  }
};
