import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as library from 'nestjs-pxl-websocket';
import ts from 'typescript';

const INDEX = new URL('../../lib/index.ts', import.meta.url);

/** The names that `lib/index.ts` exports, by whether they are types only; the file is a list of names and nothing else. */
function exportedNames(): { values: string[]; types: string[] } {
  const source = ts.createSourceFile('index.ts', readFileSync(INDEX, 'utf8'), ts.ScriptTarget.Latest);
  const names: { values: string[]; types: string[] } = { values: [], types: [] };
  for (const statement of source.statements) {
    if (!ts.isExportDeclaration(statement) || !statement.exportClause || !ts.isNamedExports(statement.exportClause)) {
      throw new Error(`lib/index.ts names what it exports, one by one: ${statement.getText(source)}`);
    }
    for (const { name, isTypeOnly } of statement.exportClause.elements) {
      (statement.isTypeOnly || isTypeOnly ? names.types : names.values).push(name.text);
    }
  }
  return { values: names.values.sort(), types: names.types.sort() };
}

describe('The public names', () => {
  it('that exist at run time are these', () => {
    expect(Object.keys(library).sort()).toEqual(exportedNames().values);
    expect(Object.keys(library).sort()).toMatchInlineSnapshot(`
      [
        "ClientId",
        "ClientManager",
        "ConnectionCandidate",
        "DuplicateWsRouteError",
        "ERROR_CODES",
        "PxlWebSocketModule",
        "PxlWebSocketOptionsError",
        "PxlWebSocketServer",
        "PxlWebSocketSetupError",
        "RoomManager",
        "ServerVerbs",
        "UseConnectionGuards",
        "WebSocketService",
        "WsClient",
        "WsError",
        "WsFallback",
        "WsRateLimit",
        "WsRequest",
        "WsRoute",
        "WsUser",
      ]
    `);
  });

  it('that are types are these', () => {
    expect(exportedNames().types).toMatchInlineSnapshot(`
      [
        "AddClientOptions",
        "AddClientToRoomOptions",
        "AuthOptions",
        "Authenticate",
        "AuthorizeRoom",
        "BroadcastToAllOptions",
        "CallOptions",
        "ClientByKey",
        "ClientEntry",
        "ClientListOptions",
        "ClientMetadata",
        "ClientPredicate",
        "ClientQuery",
        "ClientReference",
        "CloseOptions",
        "ConnectionGuard",
        "DebugOptions",
        "ErrorCode",
        "EventMessage",
        "EventOptions",
        "GivenUser",
        "HeartbeatOptions",
        "InactiveClientsOptions",
        "InboundOptions",
        "JoinRoomOptions",
        "JwtAlgorithm",
        "JwtKeyProvider",
        "JwtOptions",
        "LimitName",
        "LimitOptions",
        "MemberProfiler",
        "Origins",
        "ProfileOfMember",
        "PxlWebSocketModuleOptions",
        "PxlWebSocketOptionsFactory",
        "Rate",
        "RevokeOptions",
        "RoomAuthorizeOption",
        "RoomAuthorizer",
        "RoomEntrant",
        "RoomMove",
        "RoomOptions",
        "RoomProfileOption",
        "RoomRequest",
        "RoomUser",
        "RoomVerdict",
        "RoutingOptions",
        "SendDestination",
        "SendOptions",
        "SendRequest",
        "ShutdownOptions",
        "TimeoutOptions",
        "TokenPlace",
        "TypedMessage",
        "UpgradeOptions",
        "UserConnectionsLimit",
        "WebSocketHealth",
        "WebSocketMessage",
        "WsAuthenticate",
        "WsAuthenticator",
        "WsClientState",
        "WsCredentials",
        "WsErrorOptions",
        "WsIdentity",
        "WsRequestInfo",
        "WsTokenInfo",
        "WsUserInfo",
        "WsVerdict",
      ]
    `);
  });
});
