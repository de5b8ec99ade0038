import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { ClientAddress } from '../auth/client-address.js';
import { isSameHost } from '../auth/origin-policy.js';
import type { ModuleLogger } from '../errors/module-logger.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { pxlCodec } from '../protocol/pxl.codec.js';
import { closeOrCut } from '../runtime/close-or-cut.js';
import type { Runtime, RuntimeTimer } from '../runtime/runtime.js';
import { acceptAndClose } from '../transport/upgrade/close-refusal.js';
import { refuseUpgrade } from '../transport/upgrade/http-refusal.js';
import { offeredProtocols, problemOfHandshake } from '../transport/upgrade/upgrade-request.js';
import { REFUSALS } from '../transport/upgrade/upgrade-refusals.js';
import { visitorOf, type ConsoleGuard } from './console-guard.js';
import { ConsoleSocket, MAX_PAYLOAD, type ConsoleHandlers, type ConsoleVisitor } from './console-socket.js';

/** Pages that may look at a time, on one worker. */
const MOST = 20;
/** Milliseconds between two looks at each connection: whether it is alive, and whether the guard still lets it in. */
const LOOK = 60_000;

/**
 * The connections of the pages: a ws server of its own, apart from the endpoints of the application. So no count, limit, hook,
 * room or list of the application's clients has them in it.
 */
export class ConsoleSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PAYLOAD,
    perMessageDeflate: false,
    handleProtocols: (offered) => offered.has(pxlCodec.name) && pxlCodec.name,
  });
  readonly #sockets = new Set<ConsoleSocket>();
  #pending = 0;
  #isOpen = true;
  #timer: RuntimeTimer | null = null;

  constructor(
    private readonly guard: ConsoleGuard,
    private readonly handlers: ConsoleHandlers,
    private readonly addresses: ClientAddress,
    private readonly logger: ModuleLogger,
    private readonly runtime: Runtime,
  ) {}

  /** Takes the upgrade of a page. */
  take(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const problem = problemOfHandshake(request);
    const isFull = this.#sockets.size + this.#pending >= MOST;
    // A cookie, or what the browser keeps of a log-in, comes with the upgrades of any other site's page as well.
    const isForeign = request.headers.origin !== undefined && !isSameHost(request.headers.origin, request);
    const refusal = problem ?? (!this.#isOpen ? REFUSALS.closed : isFull ? REFUSALS.tooMany : undefined);
    if (refusal) refuseUpgrade(stream, refusal, this.runtime);
    else if (isForeign) {
      const origin = JSON.stringify(request.headers.origin?.slice(0, 200));
      this.logger.warn(
        `Console: a page of another origin, ${origin}, was refused. A proxy has to pass the header Host on.`,
      );
      refuseUpgrade(stream, REFUSALS.origin, this.runtime);
    } else void this.#ask(request, stream, head);
  }

  /** Closes all connections, for good. */
  close(): void {
    this.#isOpen = false;
    this.#timer?.cancel();
    for (const socket of this.#sockets) closeOrCut(socket.ws, CLOSE_CODES.GOING_AWAY, this.runtime);
  }

  async #ask(request: IncomingMessage, stream: Duplex, head: Buffer): Promise<void> {
    const response = new ServerResponse(request);
    this.#pending++;
    const refused = await this.guard.ask({ kind: 'connection' }, request, response);
    this.#pending--;
    if (stream.destroyed || !this.#isOpen) {
      stream.destroy();
      return;
    }
    if (refused !== undefined) {
      // A page cannot read the status of an upgrade.
      const protocol = offeredProtocols(request)?.includes(pxlCodec.name) ? pxlCodec.name : undefined;
      acceptAndClose(request, stream, protocol, CLOSE_CODES.FORBIDDEN, this.runtime);
      return;
    }
    const visitor: ConsoleVisitor = { request, response, ip: this.addresses.of(request), who: visitorOf(request) };
    this.#server.handleUpgrade(request, stream, head, (ws) => {
      const socket = new ConsoleSocket(ws, visitor, this.handlers, this.runtime);
      this.#sockets.add(socket);
      ws.once('close', () => this.#sockets.delete(socket));
      this.#timer ??= this.#lookLater();
      socket.welcome();
    });
  }

  #lookLater(): RuntimeTimer {
    return this.runtime.timeout(LOOK, () => {
      for (const socket of this.#sockets) void this.#look(socket);
      this.#timer = this.#sockets.size > 0 ? this.#lookLater() : null;
    });
  }

  async #look(socket: ConsoleSocket): Promise<void> {
    if (!socket.isAlive()) return;
    const { request, response } = socket.visitor;
    const refused = await this.guard.ask({ kind: 'connection' }, request, response);
    if (refused !== undefined) closeOrCut(socket.ws, CLOSE_CODES.FORBIDDEN, this.runtime);
  }
}
