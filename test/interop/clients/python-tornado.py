# A client by `tornado`; what it has to do is in ../run.mjs.
import asyncio
import sys

from tornado.httpclient import HTTPClientError
from tornado.websocket import websocket_connect

url, protocols, *texts = sys.argv[1:]


async def main():
    try:
        socket = await websocket_connect(url, subprotocols=protocols.split(","))
    except HTTPClientError as error:
        print("refused", error.code)
        return
    while (text := await socket.read_message()) is not None:
        print("message", len(text.encode()), text[:200], flush=True)
        if texts:
            await socket.write_message(texts.pop(0))
    print("close", socket.close_code, socket.close_reason)


asyncio.run(main())
