/** The `readyState` of a socket on which messages can be sent. */
export const OPEN = 1;
/** The `readyState` of a socket whose closing handshake has begun. */
export const CLOSING = 2;
