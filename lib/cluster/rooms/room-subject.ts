/** What stands for a room, or for a member of a room, among the subjects: an array in JSON, of the room's name and the member's key. */

export function roomSubject(roomName: string): string {
  return JSON.stringify([roomName]);
}

export function memberSubject(roomName: string, key: string): string {
  return JSON.stringify([roomName, key]);
}

/** The room, and the member's key; undefined for the room itself. */
export function readSubject(subject: string): { roomName: string; key: string | undefined } {
  const [roomName, key] = JSON.parse(subject) as [string, string | undefined];
  return { roomName, key };
}
