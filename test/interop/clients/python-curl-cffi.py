# A client by curl's WebSockets, as `curl_cffi` has them; what it has to do is in ../run.mjs.
import select
import sys

from curl_cffi import CurlError, CurlInfo, CurlOpt, CurlWsFlag, WebSocket
from curl_cffi.const import CurlECode

# curl keeps the pongs that it makes by itself until something else is sent, so the program sends its own.
NO_AUTO_PONG = 2

url, protocols, *texts = sys.argv[1:]
socket = WebSocket(autoclose=False)
try:
    headers = {"Sec-WebSocket-Protocol": ", ".join(protocols.split(","))}
    socket.connect(url, headers=headers, curl_options={CurlOpt.WS_OPTIONS: NO_AUTO_PONG})
except CurlError as error:
    print("refused", error)
    sys.exit()


def parts():
    while True:
        try:
            yield socket.recv_fragment()
        except CurlError as error:
            if error.code != CurlECode.AGAIN:
                raise
            select.select([socket.curl.getinfo(CurlInfo.ACTIVESOCKET)], [], [])


message = b""
for part, frame in parts():
    if frame.flags & CurlWsFlag.PING:
        socket.curl.ws_send(part, CurlWsFlag.PONG)  # `socket.send` sends no frame without bytes
    elif frame.flags & CurlWsFlag.CLOSE:
        print("close", socket.close_code, socket.close_reason)
        break
    elif frame.flags & CurlWsFlag.TEXT:
        message += part
        if frame.bytesleft == 0 and not frame.flags & CurlWsFlag.CONT:
            print("message", len(message), message.decode()[:200], flush=True)
            message = b""
            if texts:
                socket.send(texts.pop(0).encode(), CurlWsFlag.TEXT)
