/** What helps against failures of which the tool, or what it was told, is the reason. By the codes of `Ending`, and by step. */
const REMEDIES: Readonly<Partial<Record<string, string>>> = {
  join:
    'Clients join rooms by themselves only where the option rooms.open or rooms.authorize says so. Name a route of the application ' +
    'that joins with --join, say --join none where its clients are in rooms anyway, or leave --rooms out.',
  whisper:
    'Clients say something to a room by themselves only where the option rooms.whisper says so. Name a route of the application with ' +
    '--send, --data and --expect, or leave --rooms out.',
  'HTTP 400': 'The server may not speak this envelope: see --protocol.',
  'HTTP 401': 'The server asks who it is: give --token or --token-file, or --token-to another place.',
  'HTTP 403': 'The server may take pages of certain origins only: give --origin.',
  'HTTP 404': 'Nobody serves this path: by default it is /ws.',
  'HTTP 429': 'One machine is one address: limits.connectionsPerIp of the server counts all clients as its own.',
  'HTTP 503':
    'The server takes up no more at this moment (limits.acceptsPerSecond, or it starts or stops): a lower --ramp may help.',
  'closed with 4003': 'The server asks who it is: give --token or --token-file, or --token-to another place.',
  'closed with 4001': 'The server waits for a token as a message: --token-to message.',
  'closed with 4004': 'The server wants encrypted frames, which this tool does not write.',
  'closed with 4009': 'A limit of the server was reached: limits.messagesPerSecond, or limits.connections….',
  'no welcome in time':
    'Servers of this library greet each client: is this one, and does it wait for a token as a message (--token-to message)?',
  'no answer in time':
    'Without --expect the answer is measured, which the server has to give: see --expect, and --timeout.',
  ECONNREFUSED: 'Nobody listens there.',
  EADDRNOTAVAIL:
    'The system has no address or no port to connect from: to one server it has some 28,000 for each address of its own ' +
    '(net.ipv4.ip_local_port_range). Give --local-address, several of them for more clients, or use several machines.',
  EMFILE: 'A process may open so many files and connections only (ulimit -n): raise it, or take more --processes.',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'For a certificate of your own give --insecure, or the environment NODE_EXTRA_CA_CERTS.',
  SELF_SIGNED_CERT_IN_CHAIN: 'For a certificate of your own give --insecure, or the environment NODE_EXTRA_CA_CERTS.',
};

/** A sentence about what may help against a failure; undefined where none is known. */
export function remedyOf(code: string): string | undefined {
  const [step = ''] = code.split(':');
  return REMEDIES[code] ?? (code.endsWith('FORBIDDEN') ? REMEDIES[step] : undefined);
}
