import { describe, expect, it } from '@jest/globals';
import { ParseArrayPipe, StandardSchemaValidationPipe, UsePipes, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { MessageBody, WsException } from '@nestjs/websockets';
import { Type } from 'class-transformer';
import { IsInt, IsString, Min } from 'class-validator';
import { WsRoute } from 'nestjs-pxl-websocket';
import { z } from 'zod';
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

describe('a Standard Schema (zod)', () => {
  const Message = z.object({ room: z.string().min(1), count: z.coerce.number().default(1) });

  class Gateway {
    @WsRoute('z', 'whole')
    whole(@MessageBody({ schema: Message }) message: z.infer<typeof Message>) {
      return message;
    }

    @WsRoute('z', 'field')
    field(@MessageBody('room', { schema: z.string().toUpperCase() }) room: string) {
      return room;
    }

    @WsRoute('z', 'own')
    own(@MessageBody({ schema: Message, pipes: [new StandardSchemaValidationPipe()] }) message: unknown) {
      return message;
    }
  }

  it.each(['whole', 'own'])(
    'gives the parsed value, or VALIDATION_FAILED with the fields in details (%s)',
    async (action) => {
      const { client } = await start({
        providers: [Gateway],
        configure: (app) => {
          if (action === 'whole') app.useGlobalPipes(new StandardSchemaValidationPipe());
        },
      });
      const tester = await client();
      expect(await tester.request('z', action, { room: 'a', extra: 1 })).toEqual({ room: 'a', count: 1 });
      const { data } = await tester.call('z', action, { room: '', count: 'x' });
      expect(data).toMatchObject({ code: 'VALIDATION_FAILED', error: 'The data is not valid.' });
      expect((data as { details: string[] }).details).toEqual([
        expect.stringMatching(/^room: /),
        expect.stringMatching(/^count: /),
      ]);
    },
  );

  it('may stand on one field', async () => {
    const { client } = await start({
      providers: [Gateway],
      configure: (app) => void app.useGlobalPipes(new StandardSchemaValidationPipe()),
    });
    const tester = await client();
    expect(await tester.request('z', 'field', { room: 'a' })).toBe('A');
    await expect(tester.request('z', 'field', {})).rejects.toThrow('VALIDATION_FAILED');
  });
});
