/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- the examples stand here as in the documents of the PXL framework, which give messages no type */
import {
  composeHandlers,
  defineWebSocketSubscriber,
  loggingMiddleware,
  matchByProperty,
  matchByPropertyPredicate,
  rateLimitMiddleware,
  timingMiddleware,
  WebSocketRedisSubscriberEvent,
  withErrorHandler,
  withFilter,
  withLogging,
  withRateLimit,
  withRetry,
  withValidation,
  type WebSocketSubscriberDefinition,
  type WebSocketSubscriberHandlerContext,
  type WebSocketSubscriberMiddleware,
} from 'nestjs-pxl-websocket';

/** What an application provides where the framework's context had a `queueManager`. */
export class QueueManager {
  readonly added: [name: string, data: unknown][] = [];

  add(name: string, data: unknown): void {
    this.added.push([name, data]);
  }
}

/** Where the framework's context had a `databaseInstance`: fails twice. */
export const databaseInstance = {
  queries: 0,
  query(sql: string): Promise<string> {
    return ++this.queries > 2 ? Promise.resolve(sql) : Promise.reject(new Error('The database is away.'));
  },
};

/** What the examples leave to the reader. */
export const seen: [example: string, message: unknown][] = [];

// API reference

export const customRelay = defineWebSocketSubscriber({
  name: 'customRelay',
  description: 'Forward custom events to connected clients',
  channel: 'custom',
  priority: 10,
  handle: ({ channel, message, webSocketServer }) => {
    webSocketServer.sendMessageToAll({ data: { type: 'relay', action: channel, data: message } });
  },
});

export const segmentEnrichment = defineWebSocketSubscriber({
  name: 'segmentEnrichment',
  match: [/^analytics:/, ({ message }) => message?.segment === 'vip'],
  handle: ({ moduleRef, message }) => {
    moduleRef.get(QueueManager, { strict: false }).add('analytics', message);
  },
});

/** The example of a controller, and that of `joinRoom`, inside a subscriber. */
export const game = defineWebSocketSubscriber({
  channel: 'game',
  handle: async ({ message, webSocketServer }) => {
    const player = webSocketServer.clientManager.getClient({ clientId: message.clientId });
    if (player?.ws && message.join) {
      await webSocketServer.joinRoom({
        ws: player.ws,
        userId: 123,
        username: 'Alice',
        userType: 'member',
        roomName: 'chat:general',
      });
    }
    const roomName = player?.roomName;
    if (roomName) {
      const roomClients = webSocketServer.rooms.get(roomName);
      roomClients?.forEach((id) => {
        const c = webSocketServer.clientManager.getClient({ clientId: id });
        if (c?.ws) {
          webSocketServer.sendClientMessage(c.ws, {
            type: 'game',
            action: 'moveMade',
            data: { playerId: message.clientId, move: message.move },
          });
        }
      });
    }
  },
});

// Guide: "Custom Cross-Worker Messages"

export const statusChanges = defineWebSocketSubscriber({
  channel: WebSocketRedisSubscriberEvent.Custom,
  handle: ({ message, webSocketServer }) => {
    if (message.type === 'custom' && message.action === 'userStatusChanged') {
      webSocketServer.sendMessageToAll({
        data: {
          type: 'status',
          action: 'update',
          data: {
            userId: message.userId,
            status: message.status,
          },
        },
      });
    }
  },
});

// Guide: "Subscriber Matching and Ordering"

export const queueDashboard = defineWebSocketSubscriber({
  name: 'queueDashboard',
  description: 'Forward queue updates to the live dashboard',
  channels: [WebSocketRedisSubscriberEvent.QueueJobCompleted, WebSocketRedisSubscriberEvent.QueueJobError],
  priority: 20,
  handle: ({ channel, message, webSocketServer }) => {
    webSocketServer.sendCustomMessage({
      data: {
        type: 'queue',
        action: channel === WebSocketRedisSubscriberEvent.QueueJobCompleted ? 'done' : 'errored',
        data: message,
      },
    });
  },
});

export const segmentTargeting = defineWebSocketSubscriber({
  name: 'segmentTargeting',
  match: [/^analytics:/, ({ message }) => message?.segment === 'vip'],
  handle: ({ message, moduleRef }) => {
    moduleRef.get(QueueManager, { strict: false }).add('analytics', { message });
  },
});

// Guide: "Creating Matchers"

export const byProperty = defineWebSocketSubscriber({
  match: matchByProperty('type', 'analytics'),
  handle: ({ message }) => {
    seen.push(['byProperty', message]);
  },
});

export const byPredicate = defineWebSocketSubscriber({
  match: matchByPropertyPredicate('priority', (value) => value > 5),
  handle: ({ message }) => {
    seen.push(['byPredicate', message]);
  },
});

export const byEither = defineWebSocketSubscriber({
  match: [/^analytics:/, matchByProperty('userId', 123)],
  handle: ({ message }) => {
    seen.push(['byEither', message]);
  },
});

// Guide: "Error Handling"

const failing = async ({ webSocketServer, message }: WebSocketSubscriberHandlerContext) => {
  if (message.type === 'fault') throw new Error(`no ink on a server of the type ${webSocketServer.type}`);
};

export const errorHandling = defineWebSocketSubscriber({
  channel: 'custom',
  handle: withErrorHandler(failing, (error, context) => {
    console.error(`Error in channel ${context.channel}:`, error.message);
  }),
});

// Guide: "Rate Limiting"

const updating = async ({ webSocketServer }: WebSocketSubscriberHandlerContext) => {
  webSocketServer.broadcastToAllClients({
    data: { type: 'updates', action: 'limited' },
  });
};

export const rateLimiting = defineWebSocketSubscriber({
  channel: 'updates',
  handle: withRateLimit(
    updating,
    10, // max executions
    60000, // 1 minute window
    (context) => {
      console.log('Rate limit exceeded for channel:', context.channel);
    },
  ),
});

// Guide: "Retry Logic"

const syncing = async () => {
  const result = await databaseInstance.query('SELECT ...');
  seen.push(['retryLogic', result]);
  return result;
};

export const retryLogic = defineWebSocketSubscriber({
  channel: 'database-sync',
  handle: withRetry(
    syncing,
    3, // max retries
    1000, // initial delay (1 second)
    2, // backoff multiplier (exponential)
  ),
});

// Guide: "Validation"

const forwarding = async ({ message, webSocketServer }: WebSocketSubscriberHandlerContext) => {
  webSocketServer.broadcastToAllClients({
    data: message,
  });
};

export const validation = defineWebSocketSubscriber({
  channel: 'messages',
  handle: withValidation((message) => {
    // Validate message structure
    if (!message?.type) throw new Error('Missing type');
    if (!message?.action) throw new Error('Missing action');
    if (!message?.data) throw new Error('Missing data');
  }, forwarding),
});

// Guide: "Conditional Execution"

const protecting = async ({ webSocketServer, message }: WebSocketSubscriberHandlerContext) => {
  // Only broadcast to authenticated users
  webSocketServer.broadcastToAllClients({
    data: message,
    predicate: ({ userData }) => !!userData?.userId,
  });
};

export const conditionalExecution = defineWebSocketSubscriber({
  channel: 'protected',
  handle: withFilter((context) => {
    // Only execute if conditions are met
    return context.message?.authenticated === true;
  }, protecting),
});

// Guide: "Composing Handlers"

const validateMessage = async ({ message }: WebSocketSubscriberHandlerContext) => {
  if (!message?.data) throw new Error('Invalid message');
};

const broadcastMessage = async ({ webSocketServer, message }: WebSocketSubscriberHandlerContext) => {
  webSocketServer.broadcastToAllClients({ data: message });
};

const logMetrics = async ({ channel, message }: WebSocketSubscriberHandlerContext) => {
  console.log(`Processed message on ${channel}:`, message.type);
};

export const composed = defineWebSocketSubscriber({
  channel: 'analytics',
  handle: composeHandlers([
    withLogging(validateMessage, 'validate'),
    withLogging(broadcastMessage, 'broadcast'),
    withLogging(logMetrics, 'metrics'),
  ]),
});

// Guide: "Using Built-in Middleware"

export const builtInMiddleware = defineWebSocketSubscriber({
  channels: ['updates'],
  handle: async ({ webSocketServer, message }) => {
    webSocketServer.broadcastToAllClients({
      data: message,
    });
  },
  middleware: [
    loggingMiddleware('updatesBroadcaster'),
    timingMiddleware(),
    rateLimitMiddleware(10, 60000), // 10 per minute
  ],
});

// Guide: "Custom Middleware"

const authenticationMiddleware: WebSocketSubscriberMiddleware = {
  name: 'authentication',
  onBefore: async (context) => {
    // Check if message is authenticated
    const isAuthenticated = context.message?.authenticated === true;

    if (!isAuthenticated) {
      console.warn('Unauthenticated message on channel:', context.channel);
      return false; // Skip handler execution
    }

    return true; // Proceed with handler
  },
};

const metricsMiddleware: WebSocketSubscriberMiddleware = {
  name: 'metrics',
  onAfter: async (context, result) => {
    // Record metrics after successful execution
    console.log('Handler executed successfully', {
      channel: context.channel,
      resultType: typeof result,
    });
  },
  onError: async (context, error) => {
    // Handle errors
    console.error('Handler error:', error.message);
    return false; // Don't suppress the error
  },
};

export const customMiddleware = defineWebSocketSubscriber({
  channels: ['secure-updates'],
  handle: async ({ webSocketServer, message }) => {
    webSocketServer.broadcastToAllClients({
      data: message,
    });
  },
  middleware: [authenticationMiddleware, metricsMiddleware],
});

// Guide: "Debug Redis pub/sub", which is how a `subscriberEventHandler` of the older edition is written now

export const debugging: WebSocketSubscriberDefinition = {
  channels: ['*'],
  handle: ({ channel, message }) => {
    console.log('Redis event received:', channel, message);
  },
};

// A raw definition, as `subscriberHandlers.handlers` takes it

export const raw: WebSocketSubscriberDefinition = {
  name: 'raw',
  channels: ['orders'],
  matchers: ['refunds', /^returns:/, ({ message }) => message?.segment === 'gold'],
  handle: ({ channel }) => {
    seen.push(['raw', channel]);
  },
};
