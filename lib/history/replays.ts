import type { ClientSession } from '../clients/session/client-session.js';
import { WsError } from '../errors/ws.error.js';
import type { Cursor } from './cursor.js';
import type { HistoryCounts } from './history-counts.js';
import type { ReadRule } from './read-rule.js';
import type { ReplayBudget } from './replay-budget.js';
import type { RoomAudience } from './room-audience.js';
import type { ReplayRequest, ReplayVerdict, WsLossReason } from './room-history.interface.js';
import type { RoomLog } from './room-log.js';
import type { WsPosition } from './room-store.interface.js';

/** Decides what a member gets of the messages from before its join. One verdict is all or nothing. */
export class Replays {
  constructor(
    private readonly rule: ReadRule,
    private readonly budget: ReplayBudget,
    private readonly counts: HistoryCounts,
  ) {}

  /**
   * Holds the member, and decides from where it goes on.
   *
   * @throws WsError UNAVAILABLE, CONFLICT when it has left meanwhile; a member that was not held before is not held then
   */
  async admit(
    log: RoomLog,
    audience: RoomAudience,
    client: ClientSession,
    request: ReplayRequest,
  ): Promise<ReplayVerdict> {
    const cursor = audience.of(client);
    if (!cursor) throw leftMeanwhile();
    const wasMember = audience.hold(cursor);
    try {
      await log.settle();
      const { since, history = 0, was } = request;
      if (was !== undefined) cursor.was = was;
      const allowance = since || history > 0 ? await this.rule.allowanceAtJoin(client, log.roomName) : 0;
      const verdict = since
        ? await this.#return(log, cursor, since, allowance)
        : await this.#greet(log, cursor, Math.min(history, allowance));
      // It has left meanwhile, and maybe come again.
      if (audience.of(client) !== cursor) throw leftMeanwhile();
      return verdict;
    } catch (error) {
      if (wasMember) audience.release(cursor);
      throw error;
    }
  }

  /** A client comes back with a position. */
  async #return(log: RoomLog, cursor: Cursor, since: WsPosition, allowance: number): Promise<ReplayVerdict> {
    const { client } = cursor;
    const refuse = (reason: WsLossReason): ReplayVerdict => {
      place(cursor, log.delivered);
      this.counts.lost[reason]++;
      return { position: log.position, recovered: false, reason, replayed: 0 };
    };
    const accept = (replayed: number): ReplayVerdict => {
      place(cursor, since.offset);
      this.counts.recovered++;
      return { position: since, recovered: true, replayed };
    };
    // It may have come from a worker that was ahead of this one; or it is made up.
    if (since.epoch !== log.epoch || since.offset > log.highest) await log.verifyAnew();
    if (since.epoch !== log.epoch || since.offset > log.highest) return refuse('epoch');
    const from = since.offset + 1;
    if (from > log.delivered) return accept(0);
    if (log.delivered - since.offset > allowance) return refuse('limit');
    log.frames.expire();
    const verdict = await log.frames.reach(from, this.budget.leftOf(client), (lack) => {
      if (since.epoch !== log.epoch || lack === 'epoch') return null;
      if (lack !== undefined) return refuse(lack);
      const bytes = log.frames.bytesFrom(from);
      if (bytes > this.budget.leftOf(client)) return refuse('limit');
      const accepted = accept(log.frames.countFrom(from, (exclusion) => cursor.isExcluded(exclusion)));
      this.budget.spend(client, bytes);
      return accepted;
    });
    if (verdict) return verdict;
    // The store has told it before the log knows: the position has to be one of the new epoch.
    await log.verifyAnew();
    return refuse('epoch');
  }

  /** A client comes without a position; it may want the last messages. */
  async #greet(log: RoomLog, cursor: Cursor, history: number): Promise<ReplayVerdict> {
    if (!cursor.isNew && history === 0) {
      // What it was sent is what it knows; a loss that was not told yet follows the answer.
      return { position: { epoch: log.epoch, offset: cursor.told }, replayed: 0 };
    }
    const { client } = cursor;
    const stand = (offset: number, replayed: number): ReplayVerdict => {
      place(cursor, offset);
      return { position: { epoch: log.epoch, offset }, replayed };
    };
    log.frames.expire();
    const from = Math.max(1, log.delivered - history + 1);
    if (from > log.delivered) return stand(log.delivered, 0);
    const left = this.budget.leftOf(client);
    return log.frames.reach(from, left, () => {
      let first = Math.max(from, log.frames.oldest);
      while (first <= log.delivered && log.frames.bytesFrom(first) > left) first++;
      this.budget.spend(client, log.frames.bytesFrom(first));
      return stand(
        first - 1,
        log.frames.countFrom(first, (exclusion) => cursor.isExcluded(exclusion)),
      );
    });
  }
}

/** @throws WsError CONFLICT when the client was let go meanwhile: it goes on from where it was */
function place(cursor: Cursor, offset: number): void {
  if (cursor.state !== 'held') throw leftMeanwhile();
  cursor.notice = null;
  cursor.promise(offset);
}

function leftMeanwhile(): WsError {
  return new WsError('CONFLICT', 'The room was left while it was being joined.');
}
