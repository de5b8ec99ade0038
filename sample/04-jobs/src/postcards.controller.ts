import { BadRequestException, Body, Controller, Get, Post, Query, type OnApplicationShutdown } from '@nestjs/common';
import { Queue } from 'bullmq';
import { POSTCARDS, REDIS_URL, type Postcard } from './postcards.js';

@Controller('postcards')
export class PostcardsController implements OnApplicationShutdown {
  readonly #queue = new Queue<Postcard, string>(POSTCARDS, { connection: { url: REDIS_URL, maxRetriesPerRequest: 1 } });

  /** Orders one: the answer does not wait for the painting. */
  @Post()
  async order(@Body() { userId, place }: Partial<Record<keyof Postcard, unknown>>) {
    if (typeof userId !== 'string' || typeof place !== 'string' || !/^.{1,40}$/.test(place.trim())) {
      throw new BadRequestException('The name of a place has between 1 and 40 characters.');
    }
    const { id } = await this.#queue.add('paint', { userId, place: place.trim() }, { removeOnComplete: 100 });
    return { id };
  }

  /** Where a visitor's orders stand: what was told while a page was not connected, it learns here. */
  @Get()
  async orders(@Query('userId') userId: string) {
    const jobs = (await this.#queue.getJobs()).filter(({ data }) => data.userId === userId);
    return jobs.map(({ id, data: { place }, progress, returnvalue: picture, failedReason }) => {
      return { id, place, progress, picture, hasFailed: Boolean(failedReason) };
    });
  }

  onApplicationShutdown(): Promise<void> {
    return this.#queue.close();
  }
}
