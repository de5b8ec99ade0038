# A client by `aiohttp`; what it has to do is in ../run.mjs.
import asyncio
import sys

import aiohttp

url, protocols, *texts = sys.argv[1:]


async def main():
    async with aiohttp.ClientSession() as session:
        try:
            socket = await session.ws_connect(url, protocols=protocols.split(","))
        except aiohttp.WSServerHandshakeError as error:
            print("refused", error.status)
            return
        while True:
            message = await socket.receive()
            if message.type == aiohttp.WSMsgType.TEXT:
                print("message", len(message.data.encode()), message.data[:200], flush=True)
                if texts:
                    await socket.send_str(texts.pop(0))
            elif message.type == aiohttp.WSMsgType.CLOSE:
                print("close", message.data, message.extra)
                return
            else:
                print("close", socket.close_code, message)
                return


asyncio.run(main())
