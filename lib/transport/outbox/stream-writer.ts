import type { Duplex } from 'node:stream';
import { ENGINE } from '../../runtime/engine.js';
import type { WaitingFrames } from './frame-writer.js';
import { TextRun } from './text-run.js';
import { WsWriter } from './ws-writer.js';
import type { SendCallback, RawSendOptions, WsData } from './ws-send.js';

/** Writes text frames to the network socket past ws, all that wait in one write. Everything else goes by ws. */
export class StreamWriter extends WsWriter {
  /** False once ws has something that it writes later. */
  #isAhead = true;

  override get bufferedAmount(): number {
    return this.stream && this.#isAhead ? this.stream.writableLength : super.bufferedAmount;
  }

  override write(frames: WaitingFrames, behind?: WaitingFrames | null): void {
    const { stream } = this;
    if (!stream || !this.#isAhead) {
      super.write(frames, behind);
      return;
    }
    const text = !behind && frames instanceof TextRun && isIdle(stream) ? frames.latin1() : null;
    if (text !== null) {
      stream.write(text, 'latin1');
      return;
    }
    const chunks = frames.chunks();
    if (!behind && !Array.isArray(chunks)) {
      stream.write(chunks);
      return;
    }
    stream.cork();
    for (const chunk of [chunks, behind?.chunks() ?? []].flat()) stream.write(chunk);
    stream.uncork();
  }

  override send(data: WsData, options: RawSendOptions, done?: SendCallback): void {
    // ws reads a Blob later and queues what follows meanwhile, which a frame written past it would overtake.
    if (data instanceof Blob) this.#isAhead = false;
    super.send(data, options, done);
  }
}

/**
 * Whether a short string is on its way before `write` returns: Node copies it to its stack, and hands it to the system from
 * there, at less than the cost of a buffer. While something waits in the stream, a string would wait there too, in the heap.
 */
function isIdle(stream: Duplex): boolean {
  return ENGINE === 'node' && stream.writableLength === 0;
}
