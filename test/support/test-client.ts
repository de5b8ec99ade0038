export { WsTestClient as TestClient, type WsTestMessage as Received } from 'nestjs-pxl-websocket/testing';
