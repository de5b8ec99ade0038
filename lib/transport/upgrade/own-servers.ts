import { createServer, type Server } from 'node:http';
import { Injectable } from '@nestjs/common';
import { ErrorReporter } from '../../errors/error-reporter.js';

/** The HTTP servers of gateways with a port of their own. They answer plain requests with 426. */
@Injectable()
export class OwnServers {
  readonly #servers: Server[] = [];

  constructor(private readonly errors: ErrorReporter) {}

  /** Resolves once the server listens; rejects when the port is not free. */
  async listen(port: number): Promise<Server> {
    const server = createServer((_request, response) => {
      response.writeHead(426, { Upgrade: 'websocket', Connection: 'Upgrade, close' }).end('Upgrade required.');
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, () => {
        server.off('error', reject);
        resolve();
      });
    });
    // A later failure (no descriptors left, for example) must not end the process.
    server.on('error', (error) => this.errors.report(`The server on port ${port} failed.`, error));
    this.#servers.push(server);
    return server;
  }

  /** Whether each that was started still listens. */
  get areListening(): boolean {
    return this.#servers.every(({ listening }) => listening);
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#servers.splice(0).map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  }
}
