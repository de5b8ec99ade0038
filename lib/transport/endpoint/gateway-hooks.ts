import type { IncomingMessage } from 'node:http';
import type { WsClient } from '../../ws-client/ws-client.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { DiscoveredGateway } from '../../routing/discovery/ws-explorer.js';
import type { WsPipeline } from '../../routing/pipeline/ws-pipeline.js';

type Hook = (client: WsClient, ...args: unknown[]) => unknown;

/** Calls the connection hooks of one gateway, on the instance that serves the client. */
export class GatewayHooks {
  constructor(
    private readonly gateway: DiscoveredGateway,
    private readonly pipeline: WsPipeline,
  ) {}

  get name(): string {
    return this.gateway.name;
  }

  /** Whether the gateway has either hook. */
  get isEmpty(): boolean {
    const { instance } = this.gateway.wrapper as { instance: Record<string, unknown> };
    return typeof instance.handleConnection !== 'function' && typeof instance.handleDisconnect !== 'function';
  }

  async handleConnection({ client }: ClientSession, request: IncomingMessage): Promise<void> {
    await this.#call('handleConnection', client, request);
  }

  async handleDisconnect({ client }: ClientSession, code: number, reason: string): Promise<void> {
    await this.#call('handleDisconnect', client, reason, code);
  }

  async #call(name: string, client: WsClient, ...args: unknown[]): Promise<void> {
    const instance = await this.pipeline.instanceFor(this.gateway.wrapper, client);
    const hook = (instance as Record<string, Hook | undefined>)[name];
    await hook?.call(instance, client, ...args);
  }
}
