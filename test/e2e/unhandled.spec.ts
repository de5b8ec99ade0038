import { expect, it } from '@jest/globals';
import { ChildProgram } from '../support/child-program.js';
import { freePort } from '../support/free-port.js';

// What must not end a process is seen in processes of their own: Jest takes what nobody handles.

it('An application that awaits nothing lives, and is told once of each promise that failed', async () => {
  const untaken = [
    'PxlWebSocketServer.joinRoom',
    'RoomManager.addClientToRoom',
    'RoomManager.addClientToRoom',
    'WebSocketEmitter.broadcast',
    'WebSocketEmitter.configure',
    'WebSocketEmitter.publish',
    'WebSocketEmitter.toUser',
    'WebSocketService.broadcast',
    'WebSocketService.broadcast',
    'WebSocketService.broadcast',
    'WebSocketService.disconnectClients',
    'WebSocketService.disconnectRoom',
    'WebSocketService.disconnectUser',
    'WebSocketService.joinRooms',
    'WebSocketService.leaveRooms',
    'WebSocketService.leaveRooms',
    'WebSocketService.publish',
    'WebSocketService.revoke',
    'WebSocketService.send',
    'WebSocketService.sendErrorMessage',
    'WebSocketService.sendSystemMessage',
    'WebSocketService.sendToClients',
    'WebSocketService.sendToRooms',
    'WebSocketService.sendToUsers',
    'WebSocketService.sendUserMessage',
    'WsClient.call',
    'WsClient.join',
    'connect',
    'connectToServer',
    'join',
    'refresh',
    'request',
    'stream',
  ];
  const program = new ChildProgram('careless-application', String(untaken.length));
  expect(await program.next()).toEqual({
    untaken,
    told: 23,
    seen: [
      'returned: INVALID_ROOM',
      'catch: no bus',
      'then: no bus',
      'finally: no bus',
      'all: no bus',
      'allSettled: rejected',
      'await: no bus',
      'late: no bus',
    ],
  });
  expect(await program.exited).toEqual({ code: 0, signal: null, errors: '' });
});

it('An application that throws what nobody can look at lives, wherever it does, and answers each request', async () => {
  const program = new ChildProgram('hostile-application', String(await freePort()));
  expect(await program.next()).toEqual({ isEachAnswered: true, unvisited: [] });
  const { code, errors } = await program.exited;
  expect(code).toBe(0);
  // Where the application's own logger throws.
  expect(errors).toContain('Gateway.failing failed. for the log');
});
