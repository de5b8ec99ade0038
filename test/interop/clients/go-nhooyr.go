// A client by nhooyr.io/websocket; what it has to do is in ../run.mjs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"nhooyr.io/websocket"
)

func main() {
	url, protocols, texts := os.Args[1], strings.Split(os.Args[2], ","), os.Args[3:]
	background := context.Background()
	socket, response, err := websocket.Dial(background, url, &websocket.DialOptions{Subprotocols: protocols})
	if err != nil {
		if response == nil {
			fmt.Println("refused", err)
		} else {
			fmt.Println("refused", response.StatusCode)
		}
		return
	}
	if os.Getenv("PXL_DEFAULTS") == "" {
		socket.SetReadLimit(16 << 20)
	}
	for {
		_, text, err := socket.Read(background)
		var end websocket.CloseError
		if errors.As(err, &end) {
			fmt.Println("close", int(end.Code), end.Reason)
			return
		}
		if err != nil {
			fmt.Println("close 1006", err)
			return
		}
		fmt.Println("message", len(text), string(text[:min(200, len(text))]))
		if len(texts) > 0 {
			socket.Write(background, websocket.MessageText, []byte(texts[0]))
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
