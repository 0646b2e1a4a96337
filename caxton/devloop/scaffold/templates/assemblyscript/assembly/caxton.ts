// Guest ABI 1 for an agent in AssemblyScript: no packages, no imports. Change it as you like; it is yours.

let input = new StaticArray<u8>(4096);
let output = new ArrayBuffer(1);
let said = "";
let messages: i32 = 0;

// How host and guest find each other's bytes: magic "CXA1", version 1.0, flags, where input and output are.
const mailbox = new StaticArray<u32>(8);
mailbox[0] = 0x31415843;
mailbox[1] = 1 << 16;

// Ask to be told of the agent's own life; call it at the top of the source.
export function askForLife(): void {
  mailbox[1] = (1 << 16) | 1;
  mailbox[2] = 1 << 4;
}

// What a message says of the agent's own life, whose `what` is born, restarted, recovered, resumed, swapped or ending;
// empty where it is another message.
export function life(message: string): string {
  // anybody may write that ontology, nobody else may be the ams
  const fromAms = member(message, "sender").startsWith('"ams@');
  return fromAms && member(message, "ontology") == '"caxton-life"' ? member(message, "content") : "";
}

function show(): void {
  mailbox[3] = <u32>changetype<usize>(input);
  mailbox[4] = input.length;
  mailbox[5] = <u32>changetype<usize>(output);
  mailbox[6] = output.byteLength;
  mailbox[7] = output.byteLength;
}

export function caxton_abi(): usize {
  show();
  return changetype<usize>(mailbox);
}

export function caxton_alloc(bytes: i32): usize {
  if (bytes > input.length) {
    let room = input.length;
    while (room < bytes) room *= 2;
    input = new StaticArray<u8>(room);
    show();
  }
  return changetype<usize>(input);
}

// Begin a call: the text that the host passed. What was left over by the calls before is given back here, where
// nothing is in use.
export function read(at: usize, length: i32): string {
  __collect();
  said = "";
  messages = 0;
  write("");
  return String.UTF8.decodeUnsafe(at, length).trim();
}

// Leave that text for the host; gives 0.
export function write(text: string): i32 {
  output = String.UTF8.encode(text);
  show();
  if (output.byteLength == 0) mailbox[7] = 1;
  return 0;
}

// Answer the message in hand; `content` is JSON.
export function reply(performative: string, content: string): void {
  send('{"performative":"' + performative + '","content":' + content + "}");
}

// Send a message, a JSON object on one line: with `receiver`, and whatever else it shall carry.
export function send(message: string): void {
  said += message + "\n";
  messages++;
}

// A line for `caxton agent logs`. Levels: debug, info, warning, error.
export function log(level: string, text: string): void {
  said += '{"caxton":"log","level":"' + level + '","message":' + quoted(text) + "}\n";
}

// End a turn: what handle_message returns.
export function sent(): i32 {
  write(said);
  return messages;
}

// Refuse a call: drops all that was said; the text is the reason.
export function fail(reason: string): i32 {
  write(reason);
  return -1;
}

// Text as JSON.
export function quoted(text: string): string {
  let json = '"';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code == 34 || code == 92) json += "\\" + text.charAt(i);
    else if (code < 32) json += "\\u00" + (code < 16 ? "0" : "") + code.toString(16);
    else json += text.charAt(i);
  }
  return json + '"';
}

// A member of an object as it stands there, the first of that name; empty where there is none.
export function member(object: string, name: string): string {
  if (!object.startsWith("{")) return "";
  const wanted = '"' + name + '"';
  let at = 1;
  while (true) {
    at = past(object, at, 44); // ,
    const key = at;
    at = end(object, key);
    if (at < 0) return "";
    const found = object.substring(key, at) == wanted;
    at = past(object, at, 58); // :
    const value = at;
    at = end(object, value);
    if (at < 0) return "";
    if (found) return object.substring(value, at);
  }
}

// Whether a value is a whole number of at most 18 digits.
export function isNumber(value: string): bool {
  const from = value.startsWith("-") ? 1 : 0;
  if (value.length == from || value.length > 18) return false;
  for (let i = from; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}

export function number(value: string): i64 {
  return I64.parseInt(value);
}

// The first place at or after `at` that is neither white space nor that character.
function past(text: string, at: i32, also: i32): i32 {
  while (at < text.length && (text.charCodeAt(at) <= 32 || text.charCodeAt(at) == also)) at++;
  return at;
}

// Where the value that begins at `at` ends; -1 where it is cut off.
function end(text: string, at: i32): i32 {
  const from = at;
  let depth = 0;
  let inString = false;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code == 92) at++;
      else if (code == 34) {
        inString = false;
        if (depth == 0) return at + 1;
      }
    } else if (code == 34) {
      inString = true;
    } else if (code == 123 || code == 91) {
      depth++;
    } else if (code == 125 || code == 93) {
      if (depth == 0) return at > from ? at : -1;
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (code == 44 || code == 58 || code <= 32)) {
      return at > from ? at : -1;
    }
  }
  return -1;
}
