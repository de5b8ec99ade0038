import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import * as library from 'nestjs-pxl-websocket';
import * as client from 'nestjs-pxl-websocket/client';
import * as consoleEntry from 'nestjs-pxl-websocket/console';
import * as emitter from 'nestjs-pxl-websocket/emitter';
import * as react from 'nestjs-pxl-websocket/react';
import * as testing from 'nestjs-pxl-websocket/testing';
import * as vue from 'nestjs-pxl-websocket/vue';
import ts from 'typescript';

const LIBRARY = new URL('../../lib/', import.meta.url);

/** The names that an entry exports, by whether they are types only; its file is a list of names and nothing else. */
function exportedNames(file = 'index.ts'): { values: string[]; types: string[] } {
  const source = ts.createSourceFile(file, readFileSync(new URL(file, LIBRARY), 'utf8'), ts.ScriptTarget.Latest);
  const names: { values: string[]; types: string[] } = { values: [], types: [] };
  for (const statement of source.statements) {
    // A directive, as 'use client'.
    if (ts.isExpressionStatement(statement) && ts.isStringLiteral(statement.expression)) continue;
    if (!ts.isExportDeclaration(statement) || !statement.exportClause || !ts.isNamedExports(statement.exportClause)) {
      throw new Error(`lib/${file} names what it exports, one by one: ${statement.getText(source)}`);
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
        "ClientManager",
        "ConnectionCandidate",
        "DuplicateWsRouteError",
        "InjectWebSocketClient",
        "InjectWsRedis",
        "PXL_WS_BROADCASTER",
        "PXL_WS_REDIS",
        "PxlWebSocketClientModule",
        "PxlWebSocketEmitterModule",
        "PxlWebSocketHealthIndicator",
        "PxlWebSocketModule",
        "PxlWebSocketOptionsError",
        "PxlWebSocketServer",
        "PxlWebSocketSetupError",
        "RemoteClient",
        "RoomManager",
        "SendVerbs",
        "ServerVerbs",
        "UseConnectionGuards",
        "UseConnectionInterceptors",
        "UseConnectionPipes",
        "WS_ERROR_CODES",
        "WebSocketChannels",
        "WebSocketClientController",
        "WebSocketClientStates",
        "WebSocketDefaults",
        "WebSocketEmitter",
        "WebSocketEvents",
        "WebSocketMessageTypes",
        "WebSocketQueueEvents",
        "WebSocketRedisSubscriberEvent",
        "WebSocketService",
        "WsClient",
        "WsClientId",
        "WsError",
        "WsFallback",
        "WsLocalBroadcaster",
        "WsParam",
        "WsQuery",
        "WsRateLimit",
        "WsRequest",
        "WsRoomsError",
        "WsRoute",
        "WsSubscriber",
        "WsUser",
        "WsWebhookVerificationError",
        "composeHandlers",
        "defineWebSocketSubscriber",
        "errorRecoveryMiddleware",
        "forwardQueueEvents",
        "getNestedProperty",
        "getWebSocketClientToken",
        "loggingMiddleware",
        "matchAll",
        "matchByProperty",
        "matchByPropertyPredicate",
        "rateLimitMiddleware",
        "readRoomKey",
        "readWsEnvelope",
        "readWsToken",
        "roomKey",
        "timingMiddleware",
        "validationMiddleware",
        "verifyWebhook",
        "withDebounce",
        "withErrorHandler",
        "withFilter",
        "withLogging",
        "withMetadata",
        "withRateLimit",
        "withRetry",
        "withThrottle",
        "withValidation",
        "writeWsEnvelope",
        "wsContext",
        "wsLogFields",
      ]
    `);
  });

  it('that are types are these', () => {
    expect(exportedNames().types).toMatchInlineSnapshot(`
      [
        "AddClientOptions",
        "AddClientToRoomOptions",
        "AnyClient",
        "BroadcastToAllOptions",
        "CallAction",
        "CallData",
        "CallReply",
        "CallType",
        "ClientByKey",
        "ClientEntry",
        "ClientMetadata",
        "ClientModuleEventMap",
        "ClientModuleEvents",
        "ClientPredicate",
        "ClientQuery",
        "ClientReference",
        "ClientRoutingOptions",
        "ClientShutdownOptions",
        "ClientVerbs",
        "ClusterEventMessages",
        "ConnectionGuard",
        "ConnectionInterceptor",
        "ConnectionPipe",
        "ForwardQueueEventsOptions",
        "HistoryMessage",
        "PushAction",
        "PushData",
        "PushMessage",
        "PushType",
        "PxlWebSocketClientModuleOptions",
        "PxlWebSocketClientOptionsFactory",
        "PxlWebSocketModuleOptions",
        "PxlWebSocketOptionsFactory",
        "RoomMove",
        "RoomVerbs",
        "RouteAction",
        "RouteData",
        "RouteReply",
        "RouteType",
        "SentAction",
        "SentEvent",
        "SentMessage",
        "SentType",
        "StreamAction",
        "StreamValue",
        "WebSocketContract",
        "WebSocketEmitterOptions",
        "WebSocketHealth",
        "WebSocketHistogramBucket",
        "WebSocketMatchAll",
        "WebSocketMessage",
        "WebSocketMetric",
        "WebSocketRoute",
        "WebSocketSubscriberDefinition",
        "WebSocketSubscriberHandler",
        "WebSocketSubscriberHandlerContext",
        "WebSocketSubscriberMatcher",
        "WebSocketSubscriberMiddleware",
        "WebSocketSubscriberOptions",
        "WebSocketSubscriberPredicate",
        "WebSocketType",
        "WhisperAction",
        "WhisperData",
        "WsAnonymousIdentity",
        "WsAnyAction",
        "WsAppend",
        "WsAppended",
        "WsAuthOptions",
        "WsAuthenticate",
        "WsAuthenticateOption",
        "WsAuthenticator",
        "WsAuthorizeRoom",
        "WsBroadcaster",
        "WsBusHealth",
        "WsCallOptions",
        "WsClientListOptions",
        "WsClientState",
        "WsCloseOptions",
        "WsClusterOptions",
        "WsContent",
        "WsContractRoute",
        "WsCredentials",
        "WsDebugOptions",
        "WsDeliveryOptions",
        "WsEncryptionOpen",
        "WsEncryptionOptions",
        "WsEncryptionTransform",
        "WsEndpointLimitOptions",
        "WsEndpointOptions",
        "WsEnvelope",
        "WsEnvelopeNumber",
        "WsEnvelopeOrigin",
        "WsErrorCode",
        "WsErrorOptions",
        "WsEventMessage",
        "WsEventOptions",
        "WsExchangedKeys",
        "WsExclude",
        "WsExclusion",
        "WsFailure",
        "WsFilteredMember",
        "WsGivenUser",
        "WsHealthDetails",
        "WsHealthResult",
        "WsHeartbeatOptions",
        "WsHistoryCommonOptions",
        "WsHistoryEntry",
        "WsHistoryOfRoom",
        "WsHistoryOption",
        "WsHistoryPage",
        "WsHistoryQuery",
        "WsHistoryRange",
        "WsIdentity",
        "WsInactiveClientsOptions",
        "WsInboundOptions",
        "WsJoinRoomOptions",
        "WsJwtAlgorithm",
        "WsJwtKeyProvider",
        "WsJwtOptions",
        "WsKeptMessage",
        "WsKeptMessages",
        "WsKeyHandshake",
        "WsLimitName",
        "WsLimitOptions",
        "WsLogFields",
        "WsLossReason",
        "WsMayRead",
        "WsMayWhisper",
        "WsMember",
        "WsMemberList",
        "WsMemberProfiler",
        "WsMembersQuery",
        "WsMessageCheck",
        "WsMetadataOf",
        "WsMetricsOptions",
        "WsMetricsRegistry",
        "WsNamedDestination",
        "WsNamespaceOfClient",
        "WsNamespaced",
        "WsNumberedMessage",
        "WsOrigins",
        "WsOutboundEvent",
        "WsOutboundTransformer",
        "WsParamOptions",
        "WsParamPipe",
        "WsPosition",
        "WsPresenceChange",
        "WsPresenceOfRoom",
        "WsPresenceOption",
        "WsPresencePush",
        "WsPresenceRules",
        "WsPresentMember",
        "WsPresentMembers",
        "WsProfileOfMember",
        "WsProtocolName",
        "WsQueueEventsOptions",
        "WsQueueJobEnd",
        "WsQueueJobProgress",
        "WsQueueJobReport",
        "WsQueueProgressOptions",
        "WsRate",
        "WsReadRequest",
        "WsReceivedEnvelope",
        "WsReceivedText",
        "WsReceiver",
        "WsRedisBroadcaster",
        "WsRedisClient",
        "WsRedisClusterOption",
        "WsRedisOption",
        "WsReplayOptions",
        "WsRequestContext",
        "WsRequestContextOptions",
        "WsRequestInfo",
        "WsRequestParams",
        "WsRequestQuery",
        "WsRetention",
        "WsRevokeOptions",
        "WsRoomAuthorizeOption",
        "WsRoomAuthorizer",
        "WsRoomEntrant",
        "WsRoomFilter",
        "WsRoomHistoryOptions",
        "WsRoomInterest",
        "WsRoomLeftReason",
        "WsRoomName",
        "WsRoomOptions",
        "WsRoomPresenceOptions",
        "WsRoomProfileOption",
        "WsRoomRequest",
        "WsRoomSendOptions",
        "WsRoomStore",
        "WsRoomUser",
        "WsRoomVerdict",
        "WsRoutingOptions",
        "WsScheme",
        "WsSecretOption",
        "WsSendDestination",
        "WsSendOptions",
        "WsSendRequest",
        "WsShutdownOptions",
        "WsSlowConsumerCounts",
        "WsSlowConsumerPolicy",
        "WsStandardResult",
        "WsStandardSchema",
        "WsSubscriberOptions",
        "WsTarget",
        "WsTimeoutOptions",
        "WsTokenInfo",
        "WsTokenPlace",
        "WsTraceContext",
        "WsTracingOptions",
        "WsTransformedEvent",
        "WsTypedMessage",
        "WsUntypedMessage",
        "WsUpgradeOptions",
        "WsUserConnectionsLimit",
        "WsUserIdentity",
        "WsUserInfo",
        "WsUserInterest",
        "WsUserPayload",
        "WsVerdict",
        "WsWebhook",
        "WsWebhookData",
        "WsWebhookEndpoint",
        "WsWebhookEventName",
        "WsWebhookHeaders",
        "WsWebhookOptions",
        "WsWebhookQueueOptions",
        "WsWebhookVerificationCode",
        "WsWhere",
        "WsWindowOfRoom",
        "WsWorkerPhase",
      ]
    `);
  });
});

describe('The public names of the entry ./testing', () => {
  it('that exist at run time are these', () => {
    expect(Object.keys(testing).sort()).toEqual(exportedNames('testing/index.ts').values);
    expect(Object.keys(testing).sort()).toMatchInlineSnapshot(`
      [
        "WsTestClient",
        "WsTestRefusalError",
        "createWsTestApp",
        "describeBroadcaster",
      ]
    `);
  });

  it('that are types are these', () => {
    expect(exportedNames('testing/index.ts').types).toMatchInlineSnapshot(`
      [
        "BusWorker",
        "SuiteRunner",
        "TestedBus",
        "WsTestApp",
        "WsTestAppClientOptions",
        "WsTestAppOptions",
        "WsTestClientOptions",
        "WsTestClose",
        "WsTestJoinOptions",
        "WsTestJoined",
        "WsTestMessage",
      ]
    `);
  });
});

describe('The names of the entry ./client', () => {
  it('that exist at run time are these', () => {
    expect(Object.keys(client).sort()).toEqual(exportedNames('client/index.ts').values);
    expect(Object.keys(client).sort()).toMatchInlineSnapshot(`
      [
        "WebSocketClient",
        "WebSocketClientError",
      ]
    `);
  });

  it('that are types are these', () => {
    expect(exportedNames('client/index.ts').types).toMatchInlineSnapshot(`
      [
        "CallAction",
        "CallData",
        "CallHandler",
        "CallReply",
        "CallType",
        "ClientEncryption",
        "ClientEventMap",
        "ClientEvents",
        "ClientHeartbeatOptions",
        "ClientState",
        "ConnectionStatus",
        "DataArgument",
        "DataArguments",
        "DroppedMessage",
        "EncryptedSocket",
        "EncryptionSession",
        "HistoryPage",
        "HistoryRange",
        "JoinOptions",
        "JoinedRoom",
        "LeaveOptions",
        "PresenceChange",
        "PresentMembers",
        "PushAction",
        "PushData",
        "PushHandler",
        "PushMessage",
        "PushType",
        "PushedMessage",
        "QueueOptions",
        "ReconnectOptions",
        "RequestOptions",
        "RoomHandle",
        "RoomMember",
        "RoomOptions",
        "RoomPosition",
        "RoomPresence",
        "RoomRecovery",
        "RouteAction",
        "RouteData",
        "RouteReply",
        "RouteType",
        "StateChange",
        "StateListener",
        "StreamAction",
        "StreamValue",
        "Unsubscribe",
        "WebSocketClientErrorOptions",
        "WebSocketClientOptions",
        "WebSocketConstructor",
        "WebSocketContract",
        "WebSocketLike",
        "Welcome",
        "WelcomeHeartbeat",
        "WelcomeLimits",
        "WelcomeRooms",
        "WhisperAction",
        "WhisperData",
        "Whisperer",
        "WsAnyAction",
        "WsErrorCode",
        "WsLossReason",
        "WsMember",
        "WsPosition",
        "WsRoomLeftReason",
      ]
    `);
  });
});

describe('The public names of the entry ./console', () => {
  it('that exist at run time are these', () => {
    expect(Object.keys(consoleEntry).sort()).toEqual(exportedNames('console/index.ts').values);
    expect(Object.keys(consoleEntry).sort()).toMatchInlineSnapshot(`
      [
        "PxlWebSocketConsoleModule",
        "consoleAccessOf",
      ]
    `);
  });

  it('that are types are these', () => {
    expect(exportedNames('console/index.ts').types).toMatchInlineSnapshot(`
      [
        "ConsoleAccess",
        "ConsoleAction",
        "ConsoleContract",
        "ConsoleTarget",
        "PxlWebSocketConsoleOptions",
      ]
    `);
  });
});

describe('The public names of the entry ./emitter', () => {
  it('that exist at run time are these', () => {
    expect(Object.keys(emitter).sort()).toEqual(exportedNames('emitter/index.ts').values);
    expect(Object.keys(emitter).sort()).toMatchInlineSnapshot(`
      [
        "PxlWebSocketOptionsError",
        "WS_ERROR_CODES",
        "WebSocketEmitter",
        "WsError",
        "readRoomKey",
        "roomKey",
      ]
    `);
  });

  it('that are types are these', () => {
    expect(exportedNames('emitter/index.ts').types).toMatchInlineSnapshot(`
      [
        "HistoryMessage",
        "PushMessage",
        "SentMessage",
        "WebSocketContract",
        "WebSocketEmitterOptions",
        "WebSocketMessage",
        "WsErrorCode",
        "WsErrorOptions",
        "WsEventMessage",
        "WsExclude",
        "WsHistoryCommonOptions",
        "WsHistoryOfRoom",
        "WsHistoryOption",
        "WsHistoryQuery",
        "WsKeptMessage",
        "WsKeptMessages",
        "WsLossReason",
        "WsNamespaced",
        "WsPosition",
        "WsRedisClusterOption",
        "WsRedisOption",
        "WsReplayOptions",
        "WsRoomHistoryOptions",
        "WsRoomName",
        "WsSecretOption",
        "WsTypedMessage",
        "WsWhere",
      ]
    `);
  });
});

describe('The names of the entry ./react', () => {
  it('that exist at run time are these', () => {
    expect(Object.keys(react).sort()).toEqual(exportedNames('react/index.ts').values);
    expect(Object.keys(react).sort()).toMatchInlineSnapshot(`
      [
        "SocketProvider",
        "createSocketHooks",
        "useConnectionState",
        "usePresence",
        "usePush",
        "useRequest",
        "useRoom",
        "useSocketClient",
      ]
    `);
  });

  it('that are types are these', () => {
    expect(exportedNames('react/index.ts').types).toMatchInlineSnapshot(`
      [
        "AskedRequest",
        "ConnectionState",
        "RoomStatus",
        "SocketHooks",
        "SocketProviderProps",
        "UseRoomOptions",
        "UsedPresence",
      ]
    `);
  });
});

describe('The names of the entry ./vue', () => {
  it('that exist at run time are these', () => {
    expect(Object.keys(vue).sort()).toEqual(exportedNames('vue/index.ts').values);
    expect(Object.keys(vue).sort()).toMatchInlineSnapshot(`
      [
        "createSocketHooks",
        "socketPlugin",
        "useConnectionState",
        "usePresence",
        "usePush",
        "useRequest",
        "useRoom",
        "useSocketClient",
      ]
    `);
  });

  it('that are types are these', () => {
    expect(exportedNames('vue/index.ts').types).toMatchInlineSnapshot(`
      [
        "AskedRequest",
        "ConnectionState",
        "RoomStatus",
        "SocketHooks",
        "UseRoomOptions",
        "UsedPresence",
      ]
    `);
  });
});
