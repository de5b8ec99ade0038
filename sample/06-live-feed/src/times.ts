/** How many times faster than people like to watch; the test is in a hurry. */
const HASTE = Number(process.env.HASTE) || 1;

/** Milliseconds. */
export const TIMES = {
  /** From one message of the feed to the next. */
  message: 250 / HASTE,
  /** A message that is later than this was not delivered at once. Also in haste a busy machine needs some time. */
  late: Math.max(400, 1_000 / HASTE),
  /** Of a cut network, and of a worker's cut link. */
  cut: 5_000 / HASTE,
  /** Longer than the room keeps messages: at least so long. */
  longCut: 30_000 / HASTE,
  /** For which the visitor leaves the page. */
  leave: 4_000 / HASTE,
  /** For which Redis stands still: what it does not answer within a second is refused, however hasty one is. */
  freeze: 2_000,
  /** Until a killed process is started again. */
  restart: 2_000 / HASTE,
};
