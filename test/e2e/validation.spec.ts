import { describe, expect, it } from '@jest/globals';
import { ParseArrayPipe, UsePipes, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { MessageBody, WsException } from '@nestjs/websockets';
import { Type } from 'class-transformer';
import { IsInt, IsString, Min } from 'class-validator';
import { WsRoute } from 'nestjs-pxl-websocket';
import { type TestAppOptions, startsOneApp } from '../support/test-app.js';

const start = startsOneApp();

class Move {
  @IsString()
  piece!: string;

  @IsInt()
  @Min(1)
  @Type(() => Number)
  steps!: number;

  describe() {
    return `${this.piece} by ${this.steps}`;
  }
}

/** What of it the client would read. */
function plain({ ...fields }: object): object {
  return fields;
}

class Open {
  @WsRoute('v', 'move')
  move(@MessageBody() move: Move) {
    return move instanceof Move ? [move.describe(), plain(move)] : ['not transformed', move];
  }
}

class OfMethod {
  @WsRoute('v', 'move')
  @UsePipes(new ValidationPipe({ transform: true, whitelist: true }))
  move(@MessageBody() move: Move) {
    return [move.describe(), plain(move)];
  }
}

class OfParam {
  @WsRoute('v', 'move')
  move(@MessageBody(new ValidationPipe({ transform: true, whitelist: true })) move: Move) {
    return [move.describe(), plain(move)];
  }
}

const pipe = new ValidationPipe({ transform: true, whitelist: true });

describe.each<[string, TestAppOptions]>([
  ['useGlobalPipes', { providers: [Open], configure: (app) => void app.useGlobalPipes(pipe) }],
  ['APP_PIPE', { providers: [Open, { provide: APP_PIPE, useValue: pipe }] }],
  ['a method', { providers: [OfMethod] }],
  ['a parameter', { providers: [OfParam] }],
])('a ValidationPipe of %s', (_where, options) => {
  it('transforms and whitelists what fits, and refuses the rest with the fields in details', async () => {
    const { client } = await start(options);
    const tester = await client();
    expect(await tester.request('v', 'move', { piece: 'rook', steps: '3', extra: 1 })).toEqual([
      'rook by 3',
      { piece: 'rook', steps: 3 },
    ]);
    const refusal = await tester.call('v', 'move', { piece: 5, steps: 0 });
    expect(refusal.data).toEqual({
      error: 'The data is not valid.',
      code: 'VALIDATION_FAILED',
      retryable: false,
      type: 'v',
      action: 'move',
      details: ['piece must be a string', 'steps must not be less than 1'],
    });
  });

  it.each([[null], [undefined], [5], ['text'], [[]]])('refuses %j', async (data) => {
    const { client } = await start(options);
    await expect((await client()).request('v', 'move', data)).rejects.toThrow('VALIDATION_FAILED');
  });
});

it('without a ValidationPipe, the data comes as it was sent', async () => {
  const { client } = await start({ providers: [Open] });
  expect(await (await client()).request('v', 'move', { steps: '3' })).toEqual(['not transformed', { steps: '3' }]);
});

it('an exceptionFactory that makes a WsException keeps its code', async () => {
  const exceptionFactory = (): Error => new WsException({ code: 'BAD_MOVE', message: 'Not that way.' });
  const { client } = await start({
    providers: [Open],
    configure: (app) => void app.useGlobalPipes(new ValidationPipe({ exceptionFactory })),
  });
  await expect((await client()).request('v', 'move', {})).rejects.toThrow('BAD_MOVE: Not that way.');
});

it("Nest's parsing pipes refuse with VALIDATION_FAILED", async () => {
  class Gateway {
    @WsRoute('v', 'list')
    list(@MessageBody('ids', new ParseArrayPipe({ items: Number })) ids: number[]) {
      return ids;
    }
  }
  const { client } = await start({ providers: [Gateway] });
  const tester = await client();
  expect(await tester.request('v', 'list', { ids: '1,2' })).toEqual([1, 2]);
  await expect(tester.request('v', 'list', { ids: 'x' })).rejects.toThrow('VALIDATION_FAILED');
});
