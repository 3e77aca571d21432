// A varlink service for org.example.ping on the Go library, with a dispatch written by hand.
// Usage: ping UNIX-ADDRESS DESCRIPTION-FILE
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/varlink/go/varlink"
)

type ping struct {
	description string
}

func (p *ping) VarlinkGetName() string        { return "org.example.ping" }
func (p *ping) VarlinkGetDescription() string { return p.description }

func (p *ping) VarlinkDispatch(ctx context.Context, call varlink.Call, method string) error {
	switch method {
	case "Ping":
		var in struct {
			Ping string `json:"ping"`
		}
		if err := call.GetParameters(&in); err != nil {
			return call.ReplyInvalidParameter(ctx, "ping")
		}
		var out struct {
			Pong string `json:"pong"`
		}
		out.Pong = in.Ping
		return call.Reply(ctx, &out)
	case "Echo":
		var text struct {
			Text string `json:"text"`
		}
		if err := call.GetParameters(&text); err != nil {
			return call.ReplyInvalidParameter(ctx, "text")
		}
		return call.Reply(ctx, &text)
	case "Count":
		var in struct {
			N int64 `json:"n"`
		}
		if err := call.GetParameters(&in); err != nil || !call.WantsMore() {
			return call.ReplyInvalidParameter(ctx, "n")
		}
		var out struct {
			I int64 `json:"i"`
		}
		for ; out.I < in.N; out.I++ {
			call.Continues = out.I+1 < in.N
			if err := call.Reply(ctx, &out); err != nil {
				return err
			}
		}
		return nil
	}
	return call.ReplyMethodNotFound(ctx, method)
}

func serve(address, file string) error {
	description, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	service, err := varlink.NewService("Example", "Ping", "1", "https://example.org/ping")
	if err != nil {
		return err
	}
	if err = service.RegisterInterface(&ping{description: string(description)}); err != nil {
		return err
	}
	ctx := context.Background()
	if err = service.Bind(ctx, address); err != nil {
		return err
	}
	fmt.Println("ready")
	return service.DoListen(ctx, 0)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: ping UNIX-ADDRESS DESCRIPTION-FILE")
		os.Exit(2)
	}
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
