/** The token of the connection to Redis that applications may use: see `InjectWsRedis`. */
export const PXL_WS_REDIS = Symbol('PXL_WS_REDIS');
