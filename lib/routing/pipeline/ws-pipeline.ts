import {
  Inject,
  Injectable,
  type ArgumentMetadata,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import {
  ApplicationConfig,
  ContextIdFactory,
  ModuleRef,
  ModulesContainer,
  type ContextId,
  type NestContainer,
} from '@nestjs/core';
import { ModuleLogger } from '../../errors/module-logger.js';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import type { InboundMessage } from '../../protocol/messages.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import type { AckSource, RouteHandler } from '../../clients/session/route.interface.js';
import { filtered } from './filter-step.js';
import {
  ACK,
  extractorOf,
  FROM_CLIENT,
  kindOf,
  PARAM,
  UNDECORATED,
  unknownParams,
  withClient,
  type ParamsMetadata,
} from './handler-params.js';
import {
  BaseExceptionFilterContext,
  ContextUtils,
  EXCEPTION_FILTERS_METADATA,
  ExecutionContextHost,
  GUARDS_METADATA,
  GuardsConsumer,
  GuardsContextCreator,
  Injector,
  INTERCEPTORS_METADATA,
  InterceptorsConsumer,
  InterceptorsContextCreator,
  ParamsTokenFactory,
  PIPES_METADATA,
  PipesContextCreator,
  ROUTE_ARGS_METADATA,
  selectExceptionFilterMetadata,
  STATIC_CONTEXT,
  type ExceptionFilterMetadata,
  type InstanceWrapper,
} from './nest-internals.js';
import { NoHttpResponse } from './no-http-response.js';
import { copyServers } from './request-scope.js';
import {
  callMethod,
  guarded,
  ignoreReturn,
  intercepted,
  type ContextArgs,
  type Method,
  type Param,
  type Step,
} from './pipeline-steps.js';

/** A method of a provider (or controller) that handles messages. */
export interface HandlerSource {
  readonly wrapper: InstanceWrapper<object>;
  readonly methodName: string;
  /** What `getPattern()` of the execution context returns. */
  readonly pattern: string;
  /** True: the handler's data is the whole message. */
  readonly takesWhole?: boolean;
}

type HandlerMethod = Pick<HandlerSource, 'wrapper' | 'methodName'>;

/** Who has sent a message. */
export interface Peer {
  /** What `@ConnectedSocket()` gives, and what guards, interceptors and filters see as the client. */
  readonly client: object;
}

/** The metadata keys of enhancers, and the method that an enhancer of each kind has. */
const ENHANCERS = {
  [GUARDS_METADATA]: 'canActivate',
  [INTERCEPTORS_METADATA]: 'intercept',
  [PIPES_METADATA]: 'transform',
  [EXCEPTION_FILTERS_METADATA]: 'catch',
} as const;

/** The execution context that enhancers get for a message. */
class MessageContext extends ExecutionContextHost {
  #response: NoHttpResponse | null = null;

  constructor(args: ContextArgs, instance: object, method: Method) {
    super(args, instance.constructor as Type, method);
    this.setType('ws');
  }

  /**
   * For enhancers written for HTTP: the request is the client, with `ip`, `headers` and `user`; the response is a
   * stand-in.
   */
  override switchToHttp(): ReturnType<ExecutionContext['switchToHttp']> {
    const response = (this.#response ??= new NoHttpResponse());
    return Object.assign(super.switchToHttp(), { getResponse: () => response as never });
  }
}

class MessageInterceptors extends InterceptorsConsumer {
  override createContext(args: unknown[], instance: object, method: Method): MessageContext {
    return new MessageContext(args as ContextArgs, instance, method);
  }
}

class FiltersContext extends BaseExceptionFilterContext {
  constructor(
    container: NestContainer,
    private readonly config: ApplicationConfig | undefined,
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
    const filters: unknown[] = [...(this.config?.getGlobalFilters() ?? [])];
    if (this.config && (contextId !== STATIC_CONTEXT || inquirerId)) {
      for (const wrapper of this.config.getGlobalRequestFilters()) {
        const host = wrapper.getInstanceByContextId(this.getContextId(contextId, wrapper), inquirerId);
        // One that failed to resolve for the request stands here unconstructed. (Nest 11.1 has no `isInstantiated`.)
        if (wrapper.isNotMetatype || host.isConstructorCalled) filters.push(host.instance);
      }
    }
    return filters as T;
  }
}

/**
 * Compiles a method into guards → interceptors → pipes → method → filters, with the parts that Nest's own packages are
 * built from.
 */
@Injectable()
export class WsPipeline {
  readonly #guards: GuardsContextCreator;
  readonly #interceptors: InterceptorsContextCreator;
  readonly #pipes: PipesContextCreator;
  readonly #filters: FiltersContext;
  readonly #guardsConsumer = new GuardsConsumer();
  readonly #interceptorsConsumer = new MessageInterceptors();
  readonly #paramTokens = new ParamsTokenFactory();
  readonly #contextUtils = new ContextUtils();
  readonly #injector = new Injector();
  readonly #logger = new ModuleLogger();
  /** The warnings that were logged: a method with several routes gets one. */
  readonly #told = new Set<string>();

  constructor(
    modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly moduleRef: ModuleRef,
    @Inject(PXL_WS_OPTIONS) private readonly options: Pick<ResolvedOptions, 'routing'>,
  ) {
    // Nest's classes use the modules of the container only.
    const container = { getModules: () => modules } as NestContainer;
    // Without a configuration they leave app-wide guards and filters out.
    this.#guards = new GuardsContextCreator(container, options.routing.globalGuards ? config : undefined);
    this.#interceptors = new InterceptorsContextCreator(container, config);
    this.#pipes = new PipesContextCreator(container, config);
    this.#filters = new FiltersContext(container, options.routing.globalFilters ? config : undefined);
  }

  /**
   * Compiles the handler once when everything that it depends on is static. Otherwise it is resolved for each message,
   * so that request-scoped guards are not skipped.
   *
   * @throws PxlWebSocketSetupError when Nest has not created a guard (or other enhancer) that the method names
   */
  compile(source: HandlerSource): RouteHandler<Peer> {
    const { wrapper } = source;
    this.#checkEnhancers(source);
    this.#tellUnknownParams(source);
    const argsOf = this.#argsOf(source);
    if (this.#isStatic(wrapper)) {
      const run = this.#compileFor(wrapper.instance, source, STATIC_CONTEXT);
      return ({ client }, message, acks) => run(argsOf(client, message, acks));
    }
    return async ({ client }, message, acks) => {
      const args = argsOf(client, message, acks);
      const { instance, contextId } = await this.#resolve(wrapper, client);
      return this.#compileFor(instance, source, contextId, wrapper.id)(args);
    };
  }

  /** The module reference of a provider's own module. */
  moduleRefOf(wrapper: InstanceWrapper<object>): ModuleRef {
    const ofModule = hostOf(wrapper).getProviderByKey<ModuleRef>(ModuleRef) as InstanceWrapper<ModuleRef> | undefined;
    return ofModule?.instance ?? this.moduleRef;
  }

  /** The instance that serves a client outside of messages: for the connection hooks of its gateway. */
  async instanceFor(wrapper: InstanceWrapper<object>, client: object): Promise<object> {
    return wrapper.isDependencyTreeStatic() ? wrapper.instance : (await this.#resolve(wrapper, client)).instance;
  }

  #isStatic(wrapper: InstanceWrapper<object>): boolean {
    return wrapper.isDependencyTreeStatic() && this.#globalRequestScoped().length === 0;
  }

  #globalRequestScoped(): InstanceWrapper[] {
    const { config, options } = this;
    return [
      ...(options.routing.globalGuards ? config.getGlobalRequestGuards() : []),
      ...config.getGlobalRequestInterceptors(),
      ...config.getGlobalRequestPipes(),
      ...(options.routing.globalFilters ? config.getGlobalRequestFilters() : []),
    ];
  }

  async #resolve(
    wrapper: InstanceWrapper<object>,
    client: object,
  ): Promise<{ instance: object; contextId: ContextId }> {
    const module = hostOf(wrapper);
    const contextId = ContextIdFactory.getByRequest(client);
    this.moduleRef.registerRequestByContextId(
      wrapper.isDependencyTreeDurable() ? contextId.payload : client,
      contextId,
    );
    const collection = module.controllers.has(wrapper.token) ? module.controllers : module.providers;
    const instance = await this.#injector.loadPerContext(wrapper.instance, module, collection, contextId, wrapper);
    copyServers(wrapper.instance, instance);
    // Nest binds app-wide enhancers to controllers and gateways only; here any provider may have routes.
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

    let step = callMethod(instance, method, params);
    if (this.takesAck(source)) step = ignoreReturn(step);
    if (interceptors.length > 0) step = this.#intercepted(step, interceptors, instance, method);
    if (guards.length > 0) step = this.#guarded(step, guards, instance, method);
    if (filters.length > 0) step = this.#filtered(step, filters, instance, method);
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
    const metadata = this.#paramsMetadata(instance, methodName);
    const paramtypes = utils.reflectCallbackParamtypes(instance, methodName) as unknown[] | undefined;
    const contextFactory = (args: unknown[]): MessageContext =>
      new MessageContext(args as ContextArgs, instance, method);
    const types = Object.keys(metadata).map(kindOf);
    const params = Object.values(metadata).map(({ index, data, pipes: own, factory, schema }, at): Param => {
      const type = types[at];
      const isCustom = typeof type === 'string';
      const ownPipes = this.#pipes.createConcreteContext<unknown[], PipeTransform[]>(own, contextId, inquirerId);
      // Pipes get what the client sent and what custom decorators return, never the client itself.
      const applied = isCustom || FROM_CLIENT.has(type) ? [...pipes, ...ownPipes] : [];
      const argument: ArgumentMetadata = {
        metatype: paramtypes?.[index] as ArgumentMetadata['metatype'],
        type: this.#paramTokens.exchangeEnumForString(type as never),
        data: data as string,
        schema,
      };
      const custom = isCustom ? utils.getCustomFactory(factory as never, data, contextFactory) : undefined;
      return {
        index,
        extract: custom ? (args) => custom(...args) : extractorOf(type, data),
        pipes: applied,
        argument,
      };
    });
    const described = Object.values(metadata).map((param, at) => ({ ...param, type: types[at] as never }));
    const checks: Partial<Pick<ContextUtils, 'warnOnMissingParamtypes'>> = utils; // Nest 11.1 has it not
    checks.warnOnMissingParamtypes?.call(utils, instance, methodName, paramtypes, pipes, described);
    return params;
  }

  #paramsMetadata(instance: object, methodName: string): ParamsMetadata {
    const decorated = this.#decorated(instance, methodName);
    return (decorated ? withClient(decorated) : UNDECORATED) as ParamsMetadata;
  }

  #decorated(instance: object, methodName: string): ParamsMetadata | undefined {
    return this.#contextUtils.reflectCallbackMetadata<ParamsMetadata>(instance, methodName, ROUTE_ARGS_METADATA);
  }

  #tellUnknownParams({ wrapper: { instance }, methodName }: HandlerSource): void {
    const name = `${instance.constructor.name}.${methodName}`;
    const { length = 0 } = (instance as Record<string, Method>)[methodName] ?? {};
    const params = Object.values(this.#paramsMetadata(instance, methodName));
    const line = unknownParams(name, params, length, this.#decorated(instance, methodName) !== undefined);
    if (line === undefined || this.#told.has(line)) return;
    this.#told.add(line);
    this.#logger.warn(line);
  }

  /** Whether the method wants an ack function. */
  takesAck(source: HandlerMethod): boolean {
    return this.takes(source, ACK);
  }

  /** Whether the method has a parameter of a kind. */
  takes({ wrapper, methodName }: HandlerMethod, kind: number): boolean {
    return Object.keys(this.#paramsMetadata(wrapper.instance, methodName)).some((key) => kindOf(key) === kind);
  }

  /** The parameters of the endpoint's path that the method names. */
  pathParamsOf({ wrapper, methodName }: HandlerMethod): string[] {
    const params = Object.entries(this.#decorated(wrapper.instance, methodName) ?? {});
    const names = params.map(([key, { data }]): unknown => (kindOf(key) === PARAM ? data : undefined));
    return names.filter((name) => typeof name === 'string' && name !== '') as string[];
  }

  /** Makes the arguments that guards, interceptors, pipes and filters get of a message. */
  #argsOf(source: HandlerSource): (client: object, message: InboundMessage, acks: AckSource) => ContextArgs {
    const { pattern, takesWhole } = source;
    if (this.takesAck(source)) {
      return (client, { data, whole }, acks) => [client, takesWhole ? whole : data, acks.expectAck(), pattern];
    }
    return (client, { data, whole }) => [client, takesWhole ? whole : data, pattern];
  }

  /**
   * Nest creates the enhancers of classes that it constructs. For the product of a factory it would silently skip a
   * guard.
   */
  #checkEnhancers({ wrapper, methodName }: HandlerSource): void {
    const { constructor, [methodName]: method } = wrapper.instance as Record<string, Method>;
    const { injectables } = hostOf(wrapper);
    const check = (enhancers: readonly unknown[], ability: string): void => {
      for (const enhancer of enhancers) {
        if (typeof enhancer !== 'function' || injectables.has(enhancer) || ability in enhancer) continue;
        throw new PxlWebSocketSetupError(
          `${constructor.name}.${methodName} names the class ${enhancer.name}, of which Nest has made no instance for ` +
            'the product of a factory: give it an instance, or provide the gateway as a class.',
        );
      }
    };
    for (const [key, ability] of Object.entries(ENHANCERS)) {
      for (const target of [constructor, method]) {
        check((target && (Reflect.getMetadata(key, target) as unknown[] | undefined)) ?? [], ability);
      }
    }
    for (const { pipes } of Object.values(this.#paramsMetadata(wrapper.instance, methodName)))
      check(pipes, 'transform');
  }

  #guarded(step: Step, guards: CanActivate[], instance: object, method: Method): Step {
    const contextOf = (args: ContextArgs): ExecutionContext => new MessageContext(args, instance, method);
    return guarded(step, guards, contextOf, (verdict) => this.#guardsConsumer.pickResult(verdict));
  }

  #intercepted(step: Step, interceptors: NestInterceptor[], instance: object, method: Method): Step {
    const consumer = this.#interceptorsConsumer;
    return intercepted(step, (args, next) => consumer.intercept(interceptors, args, instance, method, next, 'ws'));
  }

  #filtered(step: Step, filters: ExceptionFilterMetadata[], instance: object, method: Method): Step {
    const contextOf = (args: ContextArgs): ExecutionContext => new MessageContext(args, instance, method);
    const choose = (exception: unknown): ExceptionFilterMetadata | undefined =>
      selectExceptionFilterMetadata(filters, exception);
    return filtered(step, choose, contextOf);
  }
}

function hostOf(wrapper: InstanceWrapper): NonNullable<InstanceWrapper['host']> {
  if (!wrapper.host) throw new TypeError(`${String(wrapper.name)} belongs to no module.`);
  return wrapper.host;
}
