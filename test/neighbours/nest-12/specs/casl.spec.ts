import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defineAbility, subject, type MongoAbility } from '@casl/ability';
import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { ConnectedSocket, MessageBody, WebSocketGateway } from '@nestjs/websockets';
import { WsRoute, type WsClient } from 'nestjs-pxl-websocket';
import { startsApps } from '../support/app.js';

const Can = (action: string, what: string) => SetMetadata('can', [action, what]);

function abilityOf(client: WsClient): MongoAbility {
  return defineAbility((can) => {
    can('read', 'Article');
    can('update', 'Article', { author: client.user?.userId });
  });
}

/** Written as for HTTP, with `getRequest().user`, which is the client's verified user here. */
@Injectable()
class PoliciesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const wanted = this.reflector.getAllAndOverride<[string, string] | undefined>('can', [
      context.getHandler(),
      context.getClass(),
    ]);
    const client = context.switchToHttp().getRequest<WsClient>();
    return !wanted || abilityOf(client).can(...wanted);
  }
}

@WebSocketGateway()
class Gateway {
  @WsRoute('article', 'delete')
  @Can('delete', 'Article')
  remove() {}

  @WsRoute('article', 'update')
  @Can('update', 'Article')
  update(@ConnectedSocket() client: WsClient, @MessageBody() article: { author: string }) {
    return abilityOf(client).can('update', subject('Article', article));
  }
}

describe('@casl/ability', () => {
  const start = startsApps();

  it('a guard of policies as `APP_GUARD` refuses with FORBIDDEN by the client’s user, and handlers ask about what they have loaded', async () => {
    const { client } = await start({
      providers: [Gateway, { provide: APP_GUARD, useClass: PoliciesGuard }],
      options: { auth: { authenticate: () => ({ userId: 'ada' }) } },
    });
    const tester = await client();
    await assert.rejects(tester.request('article', 'delete'), { code: 'FORBIDDEN' });
    assert.equal(await tester.request('article', 'update', { author: 'ada' }), true);
    assert.equal(await tester.request('article', 'update', { author: 'bob' }), false);
  });
});
