const LONGEST = 128;

/** Whether that can be the label of a member in a room: none, or a text of at most 128 characters. */
export function isUsername(username: unknown): username is string | undefined {
  return username === undefined || (typeof username === 'string' && username.length <= LONGEST);
}
