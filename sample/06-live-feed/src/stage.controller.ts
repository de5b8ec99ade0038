import { Controller, HttpCode, NotFoundException, Param, Post, Query, Sse, type MessageEvent } from '@nestjs/common';
import { distinctUntilChanged, interval, map, startWith, type Observable } from 'rxjs';
import { Machines } from './machines/machines.js';

/** The buttons of the page, and what it sees of the machines. Both come by another way than the feed, which breaks. */
@Controller('stage')
export class StageController {
  constructor(private readonly machines: Machines) {}

  @Sse()
  watch(@Query('visitor') visitor: string): Observable<MessageEvent> {
    return interval(50).pipe(
      startWith(0),
      map(() => JSON.stringify(this.machines.stateFor(visitor))),
      distinctUntilChanged(),
      map((data) => ({ data })),
    );
  }

  /** Breaks something of which the page makes use. */
  @Post(':what')
  @HttpCode(204)
  break(@Param('what') what: string, @Query('visitor') visitor: string): void {
    if (!this.machines.break(what, visitor)) throw new NotFoundException();
  }
}
