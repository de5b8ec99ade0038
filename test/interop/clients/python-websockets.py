# A client by `websockets` (https://websockets.readthedocs.io); what it has to do is in ../run.mjs.
import asyncio
import sys

import websockets

url, protocols, *texts = sys.argv[1:]


async def main():
    try:
        socket = await websockets.connect(url, subprotocols=protocols.split(","))
    except Exception as error:
        print("refused", error)
        return
    try:
        async for text in socket:
            print("message", len(text.encode()), text[:200], flush=True)
            if texts:
                await socket.send(texts.pop(0))
    except websockets.ConnectionClosed:
        pass
    print("close", socket.close_code, socket.close_reason)


asyncio.run(main())
