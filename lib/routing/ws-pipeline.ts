import { Injectable, type CanActivate, type NestInterceptor, type PipeTransform } from '@nestjs/common';
import {
  CUSTOM_ROUTE_ARGS_METADATA,
  EXCEPTION_FILTERS_METADATA,
  ROUTE_ARGS_METADATA,
  selectExceptionFilterMetadata,
  type ExceptionFilterMetadata,
} from '@nestjs/common/internal';
import {
  ApplicationConfig,
  ContextIdFactory,
  ModuleRef,
  ModulesContainer,
  type ContextId,
  type NestContainer,
} from '@nestjs/core';
import {
  BaseExceptionFilterContext,
  ContextUtils,
  ExecutionContextHost,
  GuardsConsumer,
  GuardsContextCreator,
  Injector,
  InterceptorsConsumer,
  InterceptorsContextCreator,
  PipesConsumer,
  PipesContextCreator,
  STATIC_CONTEXT,
  type InstanceWrapper,
  type ParamProperties,
} from '@nestjs/core/internal';
import { catchError, defer, EMPTY, from, isObservable, lastValueFrom, mergeMap, of, type Observable } from 'rxjs';
import type { WsClient } from '../clients/ws-client.js';
import { WsError } from '../errors/ws.error.js';
import { AnswerStream, streamOf } from './answer-stream.js';
import type { RouteHandler } from './handler.interface.js';

/** A method of a provider (or controller) that handles messages. */
export interface HandlerSource {
  readonly wrapper: InstanceWrapper<object>;
  readonly methodName: string;
  /** What `getPattern()` of an execution context answers. */
  readonly pattern: string;
}

type Method = (...args: unknown[]) => unknown;
/** What guards, interceptors and filters see as `getArgs()`: client, data, pattern. */
type ContextArgs = [client: WsClient, data: unknown, pattern: string];
type Step = (args: ContextArgs) => unknown;

interface Param {
  readonly index: number;
  readonly extract: (args: ContextArgs) => unknown;
  readonly pipes: PipeTransform[];
  readonly metadata: Parameters<PipesConsumer['apply']>[1];
}

/** The kinds of parameters that Nest's own decorators write; anything else in `__routeArguments__` is a custom one. */
const SOCKET = 0;
const PAYLOAD = 3;

/** An undecorated handler gets `(client, data)`. */
const DEFAULT_PARAMS = {
  [`${SOCKET}:0`]: { index: 0, data: undefined, pipes: [] },
  [`${PAYLOAD}:1`]: { index: 1, data: undefined, pipes: [] },
};

class FiltersContext extends BaseExceptionFilterContext {
  constructor(
    container: NestContainer,
    private readonly config: ApplicationConfig,
  ) {
    super(container);
  }

  /** The filters of a handler, the innermost first. */
  create(
    instance: object,
    method: Method,
    moduleKey: string,
    contextId: ContextId,
    inquirerId?: string,
  ): ExceptionFilterMetadata[] {
    this.moduleContext = moduleKey;
    const filters = this.createContext<unknown[], ExceptionFilterMetadata[]>(
      instance,
      method,
      EXCEPTION_FILTERS_METADATA,
      contextId,
      inquirerId,
    );
    return filters.reverse();
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the signature is Nest's
  override getGlobalMetadata<T extends unknown[]>(contextId: ContextId = STATIC_CONTEXT, inquirerId?: string): T {
    const filters: unknown[] = [...this.config.getGlobalFilters()];
    if (contextId !== STATIC_CONTEXT || inquirerId) {
      for (const wrapper of this.config.getGlobalRequestFilters()) {
        const host = wrapper.getInstanceByContextId(this.getContextId(contextId, wrapper), inquirerId);
        if (this.isInstantiated(wrapper, host)) filters.push(host.instance);
      }
    }
    return filters as T;
  }
}

/**
 * Compiles a method into guards → interceptors → pipes → method → filters, with the parts that Nest's own packages are
 * built from. The only file that may import Nest's `/internal` entries, which can change with any release: these are
 * static imports, so Node names a missing one when the application starts.
 */
@Injectable()
export class WsPipeline {
  readonly #guards: GuardsContextCreator;
  readonly #interceptors: InterceptorsContextCreator;
  readonly #pipes: PipesContextCreator;
  readonly #filters: FiltersContext;
  readonly #guardsConsumer = new GuardsConsumer();
  readonly #interceptorsConsumer = new InterceptorsConsumer();
  readonly #pipesConsumer = new PipesConsumer();
  readonly #contextUtils = new ContextUtils();
  readonly #injector = new Injector();

  constructor(
    modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly moduleRef: ModuleRef,
  ) {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- they only ask for its modules
    const container = { getModules: () => modules } as NestContainer;
    this.#guards = new GuardsContextCreator(container, config);
    this.#interceptors = new InterceptorsContextCreator(container, config);
    this.#pipes = new PipesContextCreator(container, config);
    this.#filters = new FiltersContext(container, config);
  }

  /**
   * Compiles once where everything the handler depends on is static. Otherwise the handler is resolved per message: a
   * request-scoped guard left out of a handler that was compiled once would be a guard skipped.
   */
  compile(source: HandlerSource): RouteHandler {
    const { wrapper, pattern } = source;
    if (this.#isStatic(wrapper)) {
      const run = this.#compileFor(wrapper.instance, source, STATIC_CONTEXT);
      return (client, message) => run([client, message.data, pattern]);
    }
    return async (client, message) => {
      const { instance, contextId } = await this.#resolve(wrapper, client);
      return this.#compileFor(instance, source, contextId, wrapper.id)([client, message.data, pattern]);
    };
  }

  /** The instance that serves a client outside of any message: its gateway's connection hooks. */
  async instanceFor(wrapper: InstanceWrapper<object>, client: WsClient): Promise<object> {
    return wrapper.isDependencyTreeStatic() ? wrapper.instance : (await this.#resolve(wrapper, client)).instance;
  }

  #isStatic(wrapper: InstanceWrapper<object>): boolean {
    return wrapper.isDependencyTreeStatic() && this.#globalRequestScoped().length === 0;
  }

  #globalRequestScoped(): InstanceWrapper[] {
    const { config } = this;
    return [
      ...config.getGlobalRequestGuards(),
      ...config.getGlobalRequestInterceptors(),
      ...config.getGlobalRequestPipes(),
      ...config.getGlobalRequestFilters(),
    ];
  }

  async #resolve(
    wrapper: InstanceWrapper<object>,
    client: WsClient,
  ): Promise<{ instance: object; contextId: ContextId }> {
    const module = hostOf(wrapper);
    const contextId = ContextIdFactory.getByRequest(client);
    this.moduleRef.registerRequestByContextId(
      wrapper.isDependencyTreeDurable() ? contextId.payload : client,
      contextId,
    );
    const collection = module.controllers.has(wrapper.token) ? module.controllers : module.providers;
    const instance = await this.#injector.loadPerContext(wrapper.instance, module, collection, contextId, wrapper);
    // Nest binds app-wide enhancers to controllers and gateways only; any provider may have routes here.
    for (const enhancer of this.#globalRequestScoped()) {
      await this.#injector.loadInjectable(enhancer, hostOf(enhancer), contextId, wrapper);
    }
    return { instance, contextId };
  }

  #compileFor(instance: object, source: HandlerSource, contextId: ContextId, inquirerId?: string): Step {
    const moduleKey = hostOf(source.wrapper).token;
    const method = (instance as Record<string, Method>)[source.methodName];
    if (!method) throw new TypeError(`${instance.constructor.name} has no method ${source.methodName}.`);
    const guards = this.#guards.create(instance, method, moduleKey, contextId, inquirerId);
    const interceptors = this.#interceptors.create(instance, method, moduleKey, contextId, inquirerId);
    const filters = this.#filters.create(instance, method, moduleKey, contextId, inquirerId);
    const params = this.#params(instance, source, method, contextId, inquirerId);

    let step = this.#withParams(instance, method, params);
    if (interceptors.length > 0) step = this.#withInterceptors(step, interceptors, instance, method);
    if (guards.length > 0) step = this.#withGuards(step, guards, instance, method);
    if (filters.length > 0) step = this.#withFilters(step, filters, instance, method);
    return step;
  }

  #params(
    instance: object,
    { methodName, wrapper }: HandlerSource,
    method: Method,
    contextId: ContextId,
    inquirerId?: string,
  ): Param[] {
    const utils = this.#contextUtils;
    const moduleKey = hostOf(wrapper).token;
    const pipes = this.#pipes.create(instance, method, moduleKey, contextId, inquirerId);
    const decorated = utils.reflectCallbackMetadata<Record<string, ParamProperties> | undefined>(
      instance,
      methodName,
      ROUTE_ARGS_METADATA,
    );
    const metadata = (decorated ?? DEFAULT_PARAMS) as Record<string, ParamProperties & { factory?: Method }>;
    const paramtypes = utils.reflectCallbackParamtypes(instance, methodName) as unknown[] | undefined;
    const contextFactory = utils.getContextFactory('ws', instance, method);
    const params = Object.entries(metadata).map(([key, { index, data, pipes: own, factory, schema }]) => {
      const isCustom = key.includes(CUSTOM_ROUTE_ARGS_METADATA);
      const type = isCustom ? utils.mapParamType(key) : Number(utils.mapParamType(key));
      const ownPipes = this.#pipes.createConcreteContext<unknown[], PipeTransform[]>(own, contextId, inquirerId);
      const extract = isCustom
        ? (args: ContextArgs) => utils.getCustomFactory(factory as never, data, contextFactory)(...args)
        : extractorOf(type as number, data as string | undefined);
      // The client itself is not for pipes: only what it sent, and what custom decorators make of it.
      const takesPipes = isCustom || type === PAYLOAD;
      return {
        index,
        extract,
        pipes: takesPipes ? [...pipes, ...ownPipes] : [],
        metadata: { metatype: paramtypes?.[index] as never, type: type as never, data: data as string, schema },
      };
    });
    utils.warnOnMissingParamtypes(
      instance,
      methodName,
      paramtypes,
      pipes,
      Object.values(metadata).map((param, at) => ({ ...param, type: params[at]?.metadata.type as never })),
    );
    return params;
  }

  #withParams(instance: object, method: Method, params: readonly Param[]): Step {
    const length = Math.max(0, ...params.map(({ index }) => index + 1));
    return (args) => {
      const values = new Array<unknown>(length).fill(undefined);
      let pending: Promise<void>[] | null = null;
      for (const { index, extract, pipes, metadata } of params) {
        const value = extract(args);
        if (pipes.length === 0 && !isThenable(value)) {
          values[index] = value;
          continue;
        }
        const piped = this.#pipesConsumer.apply(value, metadata, pipes).then((result) => {
          values[index] = result;
        });
        (pending ??= []).push(piped);
      }
      if (!pending) return method.apply(instance, values);
      return Promise.all(pending).then(() => method.apply(instance, values));
    };
  }

  #withInterceptors(step: Step, interceptors: NestInterceptor[], instance: object, method: Method): Step {
    return (args) => {
      const next = async (): Promise<unknown> => {
        const result = await step(args);
        const stream = streamOf(result);
        if (!stream) return result;
        answer.begin();
        return stream;
      };
      const values = defer(() =>
        this.#interceptorsConsumer.intercept(interceptors, args, instance, method, next, 'ws'),
      ).pipe(mergeMap((result) => (isObservable(result) ? result : of(result))));
      const answer = new AnswerStream(values);
      return answer;
    };
  }

  #withGuards(step: Step, guards: CanActivate[], instance: object, method: Method): Step {
    return async (args) => {
      const allowed = await this.#guardsConsumer.tryActivate(guards, args, instance, method, 'ws');
      if (!allowed) throw new WsError('FORBIDDEN', 'Forbidden resource.');
      return step(args);
    };
  }

  #withFilters(step: Step, filters: ExceptionFilterMetadata[], instance: object, method: Method): Step {
    const filter = async (exception: unknown, args: ContextArgs): Promise<unknown> => {
      const chosen = selectExceptionFilterMetadata(filters, exception);
      if (!chosen) throw exception;
      const context = new ExecutionContextHost(args, instance.constructor as never, method);
      context.setType('ws');
      const value: unknown = await chosen.func(exception, context);
      return isObservable(value) ? lastValueFrom(value, { defaultValue: undefined }) : value;
    };
    const filterStream = (values: Observable<unknown>, args: ContextArgs): Observable<unknown> =>
      values.pipe(
        catchError((exception: unknown) =>
          from(filter(exception, args)).pipe(mergeMap((value) => (value === undefined ? EMPTY : of(value)))),
        ),
      );
    return async (args) => {
      try {
        const result = await step(args);
        if (result instanceof AnswerStream) return result.through((values) => filterStream(values, args));
        const stream = streamOf(result);
        return stream ? filterStream(stream, args) : result;
      } catch (exception) {
        return filter(exception, args);
      }
    };
  }
}

function hostOf(wrapper: InstanceWrapper): NonNullable<InstanceWrapper['host']> {
  if (!wrapper.host) throw new TypeError(`${String(wrapper.name)} belongs to no module.`);
  return wrapper.host;
}

function extractorOf(type: number, property: string | undefined): Param['extract'] {
  if (type === SOCKET) return ([client]) => client;
  if (type !== PAYLOAD) return () => null;
  if (property === undefined) return ([, data]) => data;
  return ([, data]) => (data as Record<string, unknown> | null | undefined)?.[property];
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
