# A client by Qt's QWebSocket; what it has to do is in ../run.mjs.
import sys

from PyQt6.QtCore import QCoreApplication, QUrl
from PyQt6.QtNetwork import QNetworkRequest
from PyQt6.QtWebSockets import QWebSocket, QWebSocketHandshakeOptions

url, protocols, *texts = sys.argv[1:]
application = QCoreApplication([])
socket = QWebSocket()


def received(text):
    print("message", len(text.encode()), text[:200], flush=True)
    if texts:
        socket.sendTextMessage(texts.pop(0))


def ended():
    print("close", socket.closeCode().value, socket.closeReason(), flush=True)
    application.quit()


socket.textMessageReceived.connect(received)
socket.disconnected.connect(ended)
failed = socket.errorOccurred if hasattr(socket, "errorOccurred") else socket.error
failed.connect(lambda _code: print("refused", socket.errorString(), flush=True))
options = QWebSocketHandshakeOptions()
options.setSubprotocols(protocols.split(","))
socket.open(QNetworkRequest(QUrl(url)), options)
application.exec()
