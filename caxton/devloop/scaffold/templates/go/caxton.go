package main

// Guest ABI 1 for an agent in Go: no packages but the standard library. Change it as you like; it is yours.
// encoding/json works too, and doubles the size of the module and the time that it takes to compile.

import (
	"errors"
	"strconv"
	"strings"
	"unsafe"
)

// Turn is what one turn says.
type Turn struct {
	out      []byte
	messages int32
	// the id of the message in hand, what a reply to whoever's message began all this has, whether this is an answer
	id, back string
	answers  bool
	asked    []question
}

// Reply answers the message in hand; in Answered the message on which the question was asked. content is JSON.
func (turn *Turn) Reply(performative, content string) {
	back := ""
	if turn.answers {
		back = turn.back
	}
	turn.Send(`{"performative":` + Quoted(performative) + `,"content":` + content + back + `}`)
}

// Ask sends a message to one "receiver", and has Answered called with context, some JSON, when its answer or nothing has
// come. An agree is passed over, what comes too late is dropped. Open questions are part of the state.
func (turn *Turn) Ask(message string, timeoutMs int64, context string) error {
	to := Value(message).Get("receiver").Text()
	if to == "" {
		return errors.New("ask asks one agent, by its name as receiver")
	}
	key := "ask~" + turn.id + "." + strconv.Itoa(len(turn.asked))
	turn.Send(`{"reply_with":"` + key + `",` + message[1:])
	turn.toTimer(key, `{"after_ms":`+strconv.FormatInt(timeoutMs, 10)+`,"tag":"`+key+`"}`)
	turn.asked = append(turn.asked, question{key, to, turn.back, context, timeoutMs})
	return nil
}

func (turn *Turn) toTimer(key, content string) {
	turn.Send(`{"performative":"request","receiver":"timer","reply_with":"` + key + `t","content":` + content + `}`)
}

// Send sends a message, a JSON object on one line: with "receiver", and whatever else it shall carry.
func (turn *Turn) Send(message string) {
	turn.out = append(append(turn.out, message...), '\n')
	turn.messages++
}

// PutBack puts the message in hand back: it comes again after the next turn. What was changed stays; nothing may be sent.
func (turn *Turn) PutBack() {
	turn.out = append(turn.out, "{\"caxton\":\"put-back\"}\n"...)
}

// Log writes a line for `caxton agent logs`. Levels: debug, info, warning, error.
func (turn *Turn) Log(level, text string) {
	line := `{"caxton":"log","level":` + Quoted(level) + `,"message":` + Quoted(text) + `}`
	turn.out = append(append(turn.out, line...), '\n')
}

// Quoted is text as JSON.
func Quoted(text string) string {
	var json strings.Builder
	json.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			json.WriteByte('\\')
			json.WriteRune(c)
		case c < ' ':
			json.WriteString(`\u00`)
			json.WriteByte("01"[c>>4])
			json.WriteByte("0123456789abcdef"[c&15])
		default:
			json.WriteRune(c)
		}
	}
	json.WriteByte('"')
	return json.String()
}

// Value is a JSON value as it stands in the message; empty where there is none.
type Value string

const space = " \t\r\n"

// Get is a member of an object, the first of that name.
func (value Value) Get(name string) Value {
	rest, found := strings.CutPrefix(string(value), "{")
	for found {
		var key, member string
		key, rest = first(rest)
		member, rest = first(rest)
		if member == "" {
			break
		}
		if key == `"`+name+`"` {
			return Value(member)
		}
	}
	return ""
}

// The first value of a text, and what is behind it; both empty at the end, and where it is cut off.
func first(text string) (value, rest string) {
	text = strings.TrimLeft(text, ",:"+space)
	if at := end(text); at > 0 {
		return text[:at], text[at:]
	}
	return "", ""
}

// Text is a string that is written without escapes, as performatives and names are.
func (value Value) Text() string {
	if len(value) < 2 || value[0] != '"' || strings.Contains(string(value), `\`) {
		return ""
	}
	return string(value[1 : len(value)-1])
}

// Number is a whole number, and whether the value is one.
func (value Value) Number() (int64, bool) {
	number, err := strconv.ParseInt(string(value), 10, 64)
	return number, err == nil
}

// Where the value that the text begins with ends; -1 where it is cut off.
func end(text string) int {
	depth, quoted := 0, false
	for at := 0; at < len(text); at++ {
		switch c := text[at]; {
		case quoted:
			if c == '\\' {
				at++
			} else if c == '"' {
				quoted = false
				if depth == 0 {
					return at + 1
				}
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth == 0 {
				return at
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case depth == 0 && strings.IndexByte(",:"+space, c) >= 0:
			return at
		}
	}
	return -1
}

// ---- open questions

// A timer that rings so soon is not called off: what it says is dropped.
const nearMs = 2000

type question struct {
	key, to, back, context string
	ms                     int64
}

var questions []question

// As it lies in the state.
func (one question) json() string {
	return `{"key":"` + one.key + `","to":` + Quoted(one.to) + `,"ms":` + strconv.FormatInt(one.ms, 10) +
		`,"back":{"":0` + one.back + `},"context":` + one.context + `}`
}

func questionsOf(rest string) (found []question) {
	for {
		var text string
		if text, rest = first(rest); text == "" {
			return found
		}
		kept := Value(text)
		back := strings.TrimPrefix(string(kept.Get("back")), `{"":0`)
		ms, _ := kept.Get("ms").Number()
		found = append(found, question{
			kept.Get("key").Text(), kept.Get("to").Text(), strings.TrimSuffix(back, "}"), string(kept.Get("context")), ms,
		})
	}
}

// The one that was asked, with or without its platform; the timer when the time is over; or the platform, which could
// not reach it.
func (one question) mayAnswer(sender string, timed bool) bool {
	asked := one.to
	if timed {
		asked = "timer"
	}
	rest, found := strings.CutPrefix(sender, asked)
	return strings.HasPrefix(sender, "ams@") || found && (rest == "" || rest[0] == '@')
}

// What a reply to that message has.
func wayBack(message Value) string {
	to := message.Get("reply_to")
	if to == "" {
		to = message.Get("sender")
	}
	back := `,"receiver":` + string(to)
	for _, name := range []string{"conversation_id", "protocol", "language", "ontology"} {
		if value := message.Get(name); value != "" {
			back += `,"` + name + `":` + string(value)
		}
	}
	if value := message.Get("reply_with"); value != "" {
		back += `,"in_reply_to":` + string(value)
	}
	return back
}

// ---- what the host calls

// How host and guest find each other's bytes. Addresses have 32 bits there, Go's own pointers have 64.
var mailbox struct {
	magic, version, flags          uint32
	in, inCap, out, outLen, outCap uint32
}

var input, output []byte

// Life is called with what happened to the agent itself: "what" is born, restarted, recovered, resumed, swapped or
// ending. An agent that wants to hear of it sets this in its func init.
var Life func(what Value, turn *Turn) error

// PutsBack says that the agent may put messages back. An agent that does sets it in its func init.
var PutsBack bool

func main() {}

//go:wasmexport caxton_abi
func abi() unsafe.Pointer {
	mailbox.magic, mailbox.version = 0x31415843, 1<<16
	if Life != nil {
		mailbox.version, mailbox.flags = 1<<16|1, 1<<4
	}
	if PutsBack {
		mailbox.version, mailbox.flags = 1<<16|1, mailbox.flags|1<<5
	}
	alloc(4096)
	put("")
	return unsafe.Pointer(&mailbox)
}

//go:wasmexport caxton_alloc
func alloc(bytes int32) unsafe.Pointer {
	if int(bytes) > len(input) {
		input = make([]byte, max(int(bytes), 2*len(input)))
		mailbox.in, mailbox.inCap = address(input), uint32(len(input))
	}
	return unsafe.Pointer(&input[0])
}

// Answered is called with what came of a question: context as it was given to Ask, and the whole message that answers
// it, which may be a refuse or failure; empty where none came in time. An agent that asks sets this in its func init.
var Answered func(context, answer Value, turn *Turn) error

//go:wasmexport handle_message
func handleMessage(_ unsafe.Pointer, length int32) int32 {
	message := passed(length)
	turn := Turn{id: message.Get("id").Text(), back: wayBack(message)}
	if err := hear(message, &turn); err != nil {
		return fail(err)
	}
	// a turn that fails has asked nothing
	questions = append(questions, turn.asked...)
	put(string(turn.out))
	return turn.messages
}

func hear(message Value, turn *Turn) error {
	// anybody may write that ontology, nobody else may be the ams
	ams := strings.HasPrefix(message.Get("sender").Text(), "ams@")
	if Life != nil && ams && message.Get("ontology").Text() == "caxton-life" {
		return Life(message.Get("content"), turn)
	}
	about := message.Get("in_reply_to").Text()
	if Answered == nil || !strings.HasPrefix(about, "ask~") {
		return handle(message, turn)
	}
	key, timed := strings.CutSuffix(about, "t")
	act := message.Get("performative").Text()
	for at, one := range questions {
		if one.key != key {
			continue
		}
		if !one.mayAnswer(message.Get("sender").Text(), timed) {
			return handle(message, turn)
		}
		if act == "agree" {
			return nil
		}
		questions = append(questions[:at], questions[at+1:]...)
		turn.back, turn.answers = one.back, true
		if !timed && one.ms > nearMs {
			turn.toTimer(key, `{"cancel":"`+key+`"}`)
		}
		if timed && act == "inform" {
			message = ""
		}
		return Answered(Value(one.context), message, turn)
	}
	return nil // too late
}

//go:wasmexport caxton_snapshot
func caxtonSnapshot() int32 {
	state := snapshot()
	if len(questions) > 0 {
		open := make([]string, len(questions))
		for at, one := range questions {
			open[at] = one.json()
		}
		state = `{"caxton_questions":[` + strings.Join(open, ",") + `],"state":` + state + `}`
	}
	put(state)
	return 0
}

//go:wasmexport caxton_restore
func caxtonRestore(_ unsafe.Pointer, length int32) int32 {
	state := passed(length)
	if open := state.Get("caxton_questions"); open != "" {
		questions = questionsOf(string(open[1:]))
		state = state.Get("state")
	}
	if err := restore(state); err != nil {
		return fail(err)
	}
	return 0
}

func passed(length int32) Value {
	return Value(strings.Trim(string(input[:length]), space))
}

func put(text string) {
	output = append([]byte(text), 0)
	mailbox.out, mailbox.outLen, mailbox.outCap = address(output), uint32(len(text)), uint32(cap(output))
}

func fail(err error) int32 {
	put(err.Error())
	return -1
}

func address(bytes []byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(&bytes[0])))
}
