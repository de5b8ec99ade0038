import type { AddressInfo, Server } from 'node:net';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PxlWebSocketModule, WebSocketService, type WsVerdict } from 'nestjs-pxl-websocket';
import { createCertificate, type Certificate } from '../support/certificate.js';
import { RawClient } from '../support/raw-client.js';
import { PLATFORMS } from '../support/test-app.js';
import { TestClient } from '../support/test-client.js';

@Controller('rest')
class Rest {
  @Get()
  get(): string {
    return 'got';
  }
}

describe.each(PLATFORMS)('a server that speaks TLS (%s)', (platform) => {
  let certificate: Certificate;
  let app: INestApplication;
  let port: number;

  beforeAll(async () => {
    certificate = createCertificate();
    const authenticate = ({ request }: { request: { url?: string } }): WsVerdict =>
      request.url === '/ws?who=stranger' ? null : { anonymous: true };
    const module = await Test.createTestingModule({
      imports: [PxlWebSocketModule.forRoot({ auth: { authenticate } })],
      controllers: [Rest],
    }).compile();
    app =
      platform === 'fastify'
        ? module.createNestApplication(new FastifyAdapter({ https: certificate }), { logger: false })
        : module.createNestApplication({ httpsOptions: certificate, logger: false });
    await app.listen(0, '127.0.0.1');
    ({ port } = (app.getHttpServer() as Server).address() as AddressInfo);
  });

  const clients: RawClient[] = [];

  async function connect(): Promise<RawClient> {
    const client = await RawClient.connect(port, certificate.cert);
    clients.push(client);
    return client;
  }

  afterEach(() => {
    for (const { socket } of clients.splice(0)) socket.destroy();
  });

  afterAll(() => app.close());

  it('upgrades and broadcasts', async () => {
    const client = await TestClient.connect(`wss://127.0.0.1:${port}/ws`, { ca: certificate.cert });

    await app.get(WebSocketService).broadcast({ type: 'news', action: 'flash', data: 'é'.repeat(100_000) });

    expect((await client.next('news', 'flash')).data).toBe('é'.repeat(100_000));
    expect((await client.close()).code).toBe(1000);
  });

  it.each([
    ['/elsewhere', 404],
    ['/ws?who=stranger', 401],
  ])('refuses an upgrade of %s with a complete response', async (path, status) => {
    const client = await connect();

    client.requestUpgrade(path);

    const response = await client.response();
    await client.ended;
    expect(response.status).toBe(status);
    expect(response.headers).toMatchObject({ connection: 'close', 'content-length': String(response.body.length) });
    expect(client.unread).toHaveLength(0);
  });

  it('serves an upgrade to h2c as the request that it also is', async () => {
    const client = await connect();

    for (let times = 0; times < 2; times++) {
      client.write('GET /rest HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n');
      expect(await client.response()).toMatchObject({ status: 200, body: 'got' });
    }
  });
});
