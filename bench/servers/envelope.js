/** The text of a message in the library's envelope, for contenders that send the same bytes. */
export function enveloped(text) {
  return JSON.stringify({ type: 'bench', action: 'message', data: text });
}
