package main

// Guest ABI 1 for an agent in Go: no packages but the standard library. Change it as you like; it is yours.
// encoding/json works too, and doubles the size of the module and the time that it takes to compile.

import (
	"strconv"
	"strings"
	"unsafe"
)

// Turn is what one turn says.
type Turn struct {
	out      []byte
	messages int32
}

// Reply answers the message in hand; content is JSON.
func (turn *Turn) Reply(performative, content string) {
	turn.Send(`{"performative":` + Quoted(performative) + `,"content":` + content + `}`)
}

// Send sends a message, a JSON object on one line: with "receiver", and whatever else it shall carry.
func (turn *Turn) Send(message string) {
	turn.out = append(append(turn.out, message...), '\n')
	turn.messages++
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
		rest = strings.TrimLeft(rest, ","+space)
		at := end(rest)
		if at <= 0 {
			break
		}
		key := rest[:at]
		rest = strings.TrimLeft(rest[at:], ":"+space)
		at = end(rest)
		if at <= 0 {
			break
		}
		if key == `"`+name+`"` {
			return Value(rest[:at])
		}
		rest = rest[at:]
	}
	return ""
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

func main() {}

//go:wasmexport caxton_abi
func abi() unsafe.Pointer {
	mailbox.magic, mailbox.version = 0x31415843, 1<<16
	if Life != nil {
		mailbox.version, mailbox.flags = 1<<16|1, 1<<4
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

//go:wasmexport handle_message
func handleMessage(_ unsafe.Pointer, length int32) int32 {
	turn, message, hear := Turn{}, passed(length), handle
	// anybody may write that ontology, nobody else may be the ams
	ams := strings.HasPrefix(message.Get("sender").Text(), "ams@")
	if Life != nil && ams && message.Get("ontology").Text() == "caxton-life" {
		message, hear = message.Get("content"), Life
	}
	if err := hear(message, &turn); err != nil {
		return fail(err)
	}
	put(string(turn.out))
	return turn.messages
}

//go:wasmexport caxton_snapshot
func caxtonSnapshot() int32 {
	put(snapshot())
	return 0
}

//go:wasmexport caxton_restore
func caxtonRestore(_ unsafe.Pointer, length int32) int32 {
	if err := restore(passed(length)); err != nil {
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
