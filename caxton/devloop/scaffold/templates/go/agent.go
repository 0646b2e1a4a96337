// {{name}}: counts. request {"add": k} (1 where it is missing) -> inform {"count": n}.
//
// The host calls handle for every message; what is said there goes out after the call. caxton.go says how to read a
// message and how to write one.
package main

import (
	"errors"
	"strconv"
)

// Of one step, so that the count never runs over.
const largest = 1_000_000_000

var count int64

func handle(message Value, turn *Turn) error {
	if message.Get("performative").Text() != "request" {
		return nil
	}
	add, given := message.Get("content").Get("add").Number()
	if !given {
		add = 1
	}
	if add < -largest || add > largest {
		turn.Reply("refuse", `{"reason":"add is out of range"}`)
		return nil
	}
	count += add
	turn.Reply("inform", `{"count":`+strconv.FormatInt(count, 10)+`}`)
	return nil
}

// The state, for the next build of this agent, and for after a crash.
func snapshot() string {
	return `{"v":1,"count":` + strconv.FormatInt(count, 10) + `}`
}

// The state of the build before; to refuse what this one cannot read keeps that one running.
func restore(state Value) error {
	version, _ := state.Get("v").Number()
	kept, given := state.Get("count").Number()
	if version != 1 || !given {
		return errors.New("not a counter's state, version 1")
	}
	count = kept
	return nil
}
