import { Catch, type ExceptionFilter } from '@nestjs/common';
import { WsError } from 'nestjs-pxl-websocket';
import { WebSocketClientError } from 'nestjs-pxl-websocket/client';

/** What the warehouse refuses, visitors may know; without this it would be an internal error. */
@Catch(WebSocketClientError)
export class WarehouseFilter implements ExceptionFilter<WebSocketClientError> {
  catch({ code, message, retryable }: WebSocketClientError): WsError {
    return new WsError(code, message, { retryable });
  }
}
