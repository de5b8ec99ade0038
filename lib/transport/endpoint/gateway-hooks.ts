import type { IncomingMessage } from 'node:http';
import type { ConnectionCandidate } from '../../auth/connection-candidate.js';
import type { ConnectionPreparation } from '../../auth/connection-preparation.js';
import type { WsClient } from '../../ws-client/ws-client.js';
import type { WsRequest } from '../../ws-client/ws-request.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { DiscoveredGateway } from '../../routing/discovery/ws-explorer.js';
import type { ConnectionStage, PreparedArguments } from '../../routing/pipeline/connection-stage.js';
import type { WsPipeline } from '../../routing/pipeline/ws-pipeline.js';

type Hook = (...args: unknown[]) => unknown;

const NONE: PreparedArguments = new Map();

/** Calls the connection hooks of one gateway, on the instance that serves the client. */
export class GatewayHooks implements ConnectionPreparation {
  /** What pipes have made for a connection, until its hook is called. */
  readonly #prepared = new WeakMap<WsRequest, PreparedArguments>();

  /** @param stage what stands around `handleConnection`; null: nothing does */
  constructor(
    private readonly gateway: DiscoveredGateway,
    private readonly pipeline: WsPipeline,
    private readonly stage: ConnectionStage | null,
  ) {}

  get name(): string {
    return this.gateway.name;
  }

  /** Whether the gateway has neither hook, and no interceptors in their place. */
  get isEmpty(): boolean {
    const { instance } = this.gateway.wrapper as { instance: Record<string, unknown> };
    const hasHook = typeof instance.handleConnection === 'function' || typeof instance.handleDisconnect === 'function';
    return !hasHook && !this.stage;
  }

  /** Whether its pipes can refuse a connection. */
  get hasPipes(): boolean {
    return this.stage?.hasPipes ?? false;
  }

  /** {@link ConnectionPreparation.prepare} */
  async prepare(candidate: ConnectionCandidate): Promise<void> {
    const { request } = candidate;
    // An anonymous client that is connected already may still tell who it is.
    if (!this.stage || this.#prepared.has(request)) return;
    this.#prepared.set(request, await this.stage.prepare(candidate));
  }

  async handleConnection({ client }: ClientSession, request: IncomingMessage): Promise<void> {
    const { stage } = this;
    if (!stage) {
      await this.#call('handleConnection', client, [client, request]);
      return;
    }
    const args = stage.argumentsOf(await this.#take(stage, client), client, request);
    await stage.run(client, () => this.#call('handleConnection', client, args));
  }

  async handleDisconnect({ client }: ClientSession, code: number, reason: string): Promise<void> {
    await this.#call('handleDisconnect', client, [client, reason, code]);
  }

  /** What was prepared; for an adopted socket, which nobody has asked to let in, it is made now. */
  async #take(stage: ConnectionStage, client: WsClient): Promise<PreparedArguments> {
    const { request } = client;
    const prepared = this.#prepared.get(request) ?? (await stage.prepare(client));
    this.#prepared.set(request, NONE);
    return prepared;
  }

  async #call(name: string, client: WsClient, args: unknown[]): Promise<void> {
    const instance = await this.pipeline.instanceFor(this.gateway.wrapper, client);
    const hook = (instance as Record<string, Hook | undefined>)[name];
    await hook?.apply(instance, args);
  }
}
