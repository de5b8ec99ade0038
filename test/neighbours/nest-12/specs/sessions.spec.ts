import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Controller, HttpCode, type ExecutionContext, Injectable, Post, Req, UseGuards } from '@nestjs/common';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { ConnectedSocket, WebSocketGateway } from '@nestjs/websockets';
import type { Request } from 'express';
import { WebSocketService, WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { Strategy } from 'passport-local';
import { AppModule } from '../src/app.module.js';
import { PassportSessionAuthenticator, sessions } from '../src/passport-session.authenticator.js';
import { startsApps } from '../support/app.js';

@Injectable()
class LocalStrategy extends PassportStrategy(Strategy) {
  validate(username: string, password: string) {
    return password === 'right' ? { id: username } : null;
  }
}

/** Logs in, so that the session knows the user. */
class LoginGuard extends AuthGuard('local') {
  override async canActivate(context: ExecutionContext) {
    const isAllowed = Boolean(await super.canActivate(context));
    await super.logIn(context.switchToHttp().getRequest<Request>());
    return isAllowed;
  }
}

@Controller()
class Login {
  constructor(private readonly sockets: WebSocketService) {}

  @Post('login')
  @UseGuards(LoginGuard)
  @HttpCode(204)
  login() {}

  @Post('logout')
  @HttpCode(204)
  async logout(@Req() request: Request) {
    const { id } = request.user as { id: string };
    await new Promise((resolve) => request.logout(resolve));
    await this.sockets.disconnectUser({ userId: id });
  }
}

@WebSocketGateway()
class Gateway {
  @WsRoute('account', 'id')
  id(@ConnectedSocket() client: WsClient) {
    return client.user?.userId;
  }
}

const LOGIN = { method: 'POST', headers: { 'content-type': 'application/json' } };

function cookieOf(response: Response): string {
  return response.headers.get('set-cookie')?.split(';')[0] ?? '';
}

describe('express-session, @nestjs/passport, passport', () => {
  const start = startsApps();

  it('a WebSocket is the user who has logged in on the page, with the first recipe', async () => {
    const { client, origin } = await start({ module: AppModule, options: false });
    const cookie = cookieOf(await fetch(`${origin}/login`, { method: 'POST' }));
    const tester = await client({ headers: { cookie } });
    assert.equal(tester.userId, 'ada');
    assert.equal(await tester.request('account', 'name'), 'ada');
    await assert.rejects(client({ headers: { cookie: cookie.replace(/.$/, 'x') } }), /401/);
    await assert.rejects(client(), /401/);
  });

  it('so it is with the session of passport and the second recipe; a log-out ends the sockets of the user', async () => {
    const { client, origin } = await start({
      imports: [PassportModule],
      providers: [LocalStrategy, Gateway],
      controllers: [Login],
      options: { auth: { authenticate: PassportSessionAuthenticator } },
      configure: (app) => void app.use(...sessions),
    });
    const login = (password: string) => {
      return fetch(`${origin}/login`, { ...LOGIN, body: JSON.stringify({ username: 'ada', password }) });
    };
    assert.equal((await login('wrong')).status, 401);
    const cookie = cookieOf(await login('right'));
    const tester = await client({ headers: { cookie } });
    assert.equal(await tester.request('account', 'id'), 'ada');
    assert.equal((await fetch(`${origin}/logout`, { method: 'POST', headers: { cookie } })).status, 204);
    await tester.closed;
    await assert.rejects(client({ headers: { cookie } }), /401/);
  });

  it('a guard of passport on a route refuses each message: it looks for credentials in an HTTP request', async () => {
    @WebSocketGateway()
    class Guarded {
      @WsRoute('account', 'id')
      @UseGuards(LoginGuard)
      id() {}
    }
    const { client } = await start({ imports: [PassportModule], providers: [LocalStrategy, Guarded] });
    const tester = await client();
    await assert.rejects(tester.request('account', 'id', { username: 'ada', password: 'right' }), {
      code: 'UNAUTHENTICATED',
    });
  });
});
