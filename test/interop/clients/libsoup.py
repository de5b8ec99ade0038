# A client by libsoup 3, GNOME's; what it has to do is in ../run.mjs.
import os
import sys

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib, Soup  # noqa: E402

url, protocols, *texts = sys.argv[1:]
loop = GLib.MainLoop()
request = Soup.Message.new("GET", url)


def received(socket, _kind, data):
    text = data.get_data().decode()
    print("message", data.get_size(), text[:200], flush=True)
    if texts:
        socket.send_text(texts.pop(0))


def closed(socket):
    print("close", socket.get_close_code(), socket.get_close_data())
    loop.quit()


def connected(session, result):
    try:
        socket = session.websocket_connect_finish(result)
    except GLib.Error as error:
        print("refused", int(request.get_status()), error.message)
        loop.quit()
        return
    global kept
    kept = socket
    if "PXL_DEFAULTS" not in os.environ:
        socket.set_max_incoming_payload_size(16 * 2**20)
    socket.connect("message", received)
    socket.connect("error", lambda _socket, error: print("error", error.message, flush=True))
    socket.connect("closed", closed)


session = Soup.Session()
session.websocket_connect_async(request, None, protocols.split(","), GLib.PRIORITY_DEFAULT, None, connected)
loop.run()
