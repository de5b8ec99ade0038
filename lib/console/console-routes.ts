import type { ErrorReporter } from '../errors/error-reporter.js';
import { WsError } from '../errors/ws.error.js';
import { fieldsOf } from '../routing/message-fields.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Inspector } from '../server/inspection/inspector.js';
import { ClusterLists, MOST_PER_PAGE } from './cluster-lists.js';
import type { ClientReport, ConsoleAbout, ConsoleAction, ConsoleContract } from './console-contract.js';
import type { ConsoleActions } from './console-actions.js';
import type { ResolvedConsole } from './console.options.js';
import { ConsoleSocket, type ConsoleHandlers } from './console-socket.js';
import { ConsoleTraces, TRACE_LIMITS } from './console-traces.js';
import { LiveSamples } from './live-samples.js';
import { RouteTimes } from './route-times.js';

type Routes = ConsoleContract['routes'];
/** Every request of the contract, as `type:action`. */
type RouteName = { [Type in keyof Routes]: `${Type}:${keyof Routes[Type] & string}` }[keyof Routes];
type Answer = (socket: ConsoleSocket, data: unknown) => unknown;

/** Answers what pages ask, one function for each request of the contract. */
export class ConsoleRoutes implements ConsoleHandlers {
  readonly #samples: LiveSamples;
  readonly #times: RouteTimes;
  readonly #lists: ClusterLists;
  readonly #traces: ConsoleTraces;
  readonly #answers: Readonly<Record<RouteName, Answer>> = {
    'console:about': (socket) => this.#about(socket),
    'live:watch': (socket) => this.#samples.watch(socket),
    'live:unwatch': (socket) => this.#samples.unwatch(socket),
    'routes:list': () => this.#times.read(),
    'rooms:list': (_socket, data) => this.#lists.rooms(data),
    'users:list': (_socket, data) => this.#lists.users(data),
    'clients:list': (_socket, data) => this.#lists.clients(data),
    'clients:get': (_socket, data) => this.#client(data),
    'trace:start': (socket, data) => this.#trace(socket, data),
    'trace:stop': (socket, data) => this.#traces.stop(socket, fieldsOf(data).traceId),
    'action:disconnect': (socket, data) => this.#act('disconnect', socket, data),
    'action:leave': (socket, data) => this.#act('leave', socket, data),
    'action:notice': (socket, data) => this.#act('notice', socket, data),
    'action:revoke': (socket, data) => this.#act('revoke', socket, data),
  };

  constructor(
    private readonly options: ResolvedConsole,
    private readonly inspector: Inspector,
    private readonly actions: ConsoleActions,
    private readonly errors: ErrorReporter,
    runtime: Runtime,
  ) {
    const push = (sockets: Iterable<object>, sample: object): void => {
      for (const socket of sockets) if (socket instanceof ConsoleSocket) socket.push('live', 'sample', sample);
    };
    this.#samples = new LiveSamples(inspector, runtime, push, (error) => this.failed(error));
    this.#times = new RouteTimes(inspector, runtime);
    this.#lists = new ClusterLists(inspector);
    this.#traces = new ConsoleTraces(inspector, options.payloads, runtime);
  }

  answer(socket: ConsoleSocket, name: string, data: unknown): unknown {
    if (isRoute(name, this.#answers)) return this.#answers[name](socket, data);
    throw new WsError('UNKNOWN_ROUTE', 'There is no such route.');
  }

  failed(error: unknown): void {
    this.errors.report('The console failed.', error);
  }

  left(socket: ConsoleSocket): void {
    this.#samples.unwatch(socket);
    this.#traces.stopAll(socket);
  }

  #about({ visitor }: ConsoleSocket): ConsoleAbout {
    const { allow, payloads } = this.options;
    const limits = { ...TRACE_LIMITS, page: MOST_PER_PAGE };
    return { ...this.inspector.origin, who: visitor.who, allow, payloads, limits };
  }

  async #client(data: unknown): Promise<ClientReport> {
    const { clientId } = fieldsOf(data);
    if (typeof clientId !== 'string') throw new WsError('BAD_MESSAGE', 'clientId is a text.');
    const { payloads } = this.options;
    const { answers } = await this.inspector.ask<'client'>({ what: 'client', clientId, payloads });
    const report = answers.map(({ value }) => value).find((value) => value !== null);
    if (!report) throw new WsError('NOT_FOUND', 'There is no such client (any more).');
    return report;
  }

  #trace(socket: ConsoleSocket, data: unknown): Promise<unknown> {
    return this.#traces.start(socket, data, {
      events: (batch) => socket.push('trace', 'events', batch),
      ended: (traceId, reason) => socket.push('trace', 'ended', { traceId, reason }),
      failed: (error) => this.failed(error),
    });
  }

  #act(action: ConsoleAction, { visitor }: ConsoleSocket, data: unknown): Promise<null> {
    return this.actions.run(action, data, visitor);
  }
}

function isRoute(name: string, answers: Readonly<Record<RouteName, Answer>>): name is RouteName {
  return Object.hasOwn(answers, name);
}
