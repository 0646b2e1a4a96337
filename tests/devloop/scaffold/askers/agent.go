// Asks whom its request names, and says what came of it: {"said": act or null, "content": …, "context": …}.
package main

import (
	"errors"
	"strconv"
)

var asked int64

func init() {
	Answered = answered
	PutsBack = true
}

func handle(message Value, turn *Turn) error {
	content := message.Get("content")
	if content.Get("then").Text() == "wait" && asked == 0 {
		turn.PutBack()
		return nil
	}
	to := content.Get("to").Text()
	if to == "" {
		return errors.New("whom?")
	}
	ms, given := content.Get("ms").Number()
	if !given {
		ms = 300
	}
	asked++
	question := `{"performative":"request","receiver":` + Quoted(to) + `,"content":` + string(content) + `}`
	if err := turn.Ask(question, ms, `{"asked":`+strconv.FormatInt(asked, 10)+`}`); err != nil {
		return err
	}
	if content.Get("then").Text() == "fail" {
		return errors.New("as it was told")
	}
	return nil
}

func answered(context, answer Value, turn *Turn) error {
	part := func(name string) string {
		if value := answer.Get(name); value != "" {
			return string(value)
		}
		return "null"
	}
	turn.Reply("inform",
		`{"said":`+part("performative")+`,"content":`+part("content")+`,"context":`+string(context)+`}`)
	return nil
}

func snapshot() string {
	return strconv.FormatInt(asked, 10)
}

func restore(state Value) error {
	kept, given := state.Number()
	if !given {
		return errors.New("not my state")
	}
	asked = kept
	return nil
}
