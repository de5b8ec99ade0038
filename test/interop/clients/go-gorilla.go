// A client by gorilla/websocket; what it has to do is in ../run.mjs.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gorilla/websocket"
)

func main() {
	url, protocols, texts := os.Args[1], strings.Split(os.Args[2], ","), os.Args[3:]
	dialer := websocket.Dialer{Subprotocols: protocols}
	socket, response, err := dialer.Dial(url, nil)
	if err != nil {
		if response == nil {
			fmt.Println("refused", err)
		} else {
			fmt.Println("refused", response.StatusCode)
		}
		return
	}
	for {
		_, text, err := socket.ReadMessage()
		var end *websocket.CloseError
		if errors.As(err, &end) {
			fmt.Println("close", end.Code, end.Text)
			return
		}
		if err != nil {
			fmt.Println("close 1006", err)
			return
		}
		fmt.Println("message", len(text), string(text[:min(200, len(text))]))
		if len(texts) > 0 {
			socket.WriteMessage(websocket.TextMessage, []byte(texts[0]))
			texts = texts[1:]
		}
	}
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
