/** Rooms whose answer is remembered. */
const MOST_REMEMBERED = 10_000;

/** A function of the application that is asked for each room: its answers are remembered, as it always answers the same. */
export function remembered<Answer>(of: (roomName: string) => Answer): (roomName: string) => Answer {
  const answers = new Map<string, Answer>();
  return (roomName) => {
    const known = answers.get(roomName);
    if (known !== undefined) return known;
    const answer = of(roomName);
    if (answers.size >= MOST_REMEMBERED) answers.clear();
    answers.set(roomName, answer);
    return answer;
  };
}
