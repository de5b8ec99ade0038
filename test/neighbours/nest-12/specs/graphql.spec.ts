import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule, Query, Resolver, Subscription } from '@nestjs/graphql';
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius';
import { WebSocketGateway } from '@nestjs/websockets';
import { createClient } from 'graphql-ws';
import { WsRoute } from 'nestjs-pxl-websocket';
import { WebSocket } from 'ws';
import { startsApps, type AppOptions } from '../support/app.js';

@Resolver()
class Numbers {
  @Query(() => String)
  hello() {
    return 'hello';
  }

  @Subscription(() => String)
  async *letters() {
    for (const letters of ['a', 'b', 'c']) yield { letters };
  }
}

@WebSocketGateway()
class Gateway {
  @WsRoute('test', 'echo')
  echo(_client: unknown, data: unknown) {
    return data;
  }
}

const apollo = GraphQLModule.forRoot<ApolloDriverConfig>({
  driver: ApolloDriver,
  autoSchemaFile: true,
  subscriptions: { 'graphql-ws': true },
});
const mercurius = GraphQLModule.forRoot<MercuriusDriverConfig>({
  driver: MercuriusDriver,
  autoSchemaFile: true,
  subscription: true,
});

describe('graphql-ws, @nestjs/graphql, @nestjs/apollo, @nestjs/mercurius', () => {
  const start = startsApps();

  async function check(parts: AppOptions) {
    const { client, origin, url } = await start({ providers: [Numbers, Gateway], ...parts });
    const ours = await client();
    const graphql = createClient({ url: url('/graphql'), webSocketImpl: WebSocket });
    for (let times = 0; times < 2; times++) {
      const letters: unknown[] = [];
      for await (const { data } of graphql.iterate({ query: 'subscription { letters }' })) letters.push(data?.letters);
      assert.deepEqual(letters, ['a', 'b', 'c']);
      assert.equal(await ours.request('test', 'echo', times), times);
    }
    const answer = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ hello }' }),
    });
    assert.deepEqual(((await answer.json()) as { data: unknown }).data, { hello: 'hello' });
    await graphql.dispose();
    assert.equal(await (await client()).request('test', 'echo', 3), 3);
  }

  describe('Express', () => {
    it('subscriptions of graphql-ws at `/graphql`, queries and our clients work side by side', () =>
      check({ imports: [apollo] }));
  });

  describe('Fastify', () => {
    it('subscriptions of graphql-ws at `/graphql`, queries and our clients work side by side', () => {
      return check({ imports: [mercurius], platform: 'Fastify' });
    });
  });
});
