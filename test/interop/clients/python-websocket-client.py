# A client by `websocket-client`; what it has to do is in ../run.mjs.
import sys

import websocket

url, protocols, *texts = sys.argv[1:]
try:
    socket = websocket.create_connection(url, subprotocols=protocols.split(","))
except websocket.WebSocketBadStatusException as error:
    print("refused", error.status_code)
    sys.exit()
while True:
    opcode, data = socket.recv_data()
    if opcode == websocket.ABNF.OPCODE_CLOSE:
        print("close", int.from_bytes(data[:2], "big"), data[2:].decode())
        break
    print("message", len(data), data.decode()[:200], flush=True)
    if texts:
        socket.send(texts.pop(0))
