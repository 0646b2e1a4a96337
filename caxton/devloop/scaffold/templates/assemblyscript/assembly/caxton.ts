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
  mailbox[2] |= 1 << 4;
}

// Ask to put messages back; call it at the top of the source.
export function askToPutBack(): void {
  mailbox[1] = (1 << 16) | 1;
  mailbox[2] |= 1 << 5;
}

// What a message says of the agent's own life, whose `what` is born, restarted, recovered, resumed, swapped or ending;
// empty where it is another message.
export function life(message: string): string {
  // anybody may write that ontology, nobody else may be the ams
  const fromAms = member(message, "sender").startsWith('"ams@');
  return fromAms && member(message, "ontology") == '"caxton-life"' ? member(message, "content") : "";
}

// ---- open questions, and the message in hand

class Question {
  constructor(
    public key: string,
    public to: string,
    public ms: i64,
    public back: string,
    public context: string,
  ) {}
}

// A timer that rings so soon is not called off: what it says is dropped.
const NEAR_MS: i64 = 2000;

let questions: Question[] = [];
let openBefore = 0;
let inHand = "";
let back = ""; // what a reply has, where the message in hand is an answer
let asked = 0;
let wrong = "";

// Send a message to one `receiver`, and have the function that isAnswer is given called with `context`, some JSON, when
// its answer or nothing has come. An agree is passed over, what comes too late is dropped. Open questions are part of
// the state by themselves; a turn that fails has asked nothing.
export function ask(message: string, timeoutMs: i64, context: string): void {
  const to = member(message, "receiver");
  if (!to.startsWith('"')) wrong = "ask asks one agent, by its name as receiver";
  const id = member(inHand, "id");
  const key = "ask~" + id.substring(1, id.length - 1) + "." + asked.toString();
  send('{"reply_with":"' + key + '",' + message.substring(1));
  toTimer(key, '{"after_ms":' + timeoutMs.toString() + ',"tag":"' + key + '"}');
  questions.push(new Question(key, to, timeoutMs, back == "" ? wayBack() : back, context));
  asked++;
}

// Whether a message is about a question that was asked. Where it is the answer, `answered` was called with the context and
// the whole message, which may be a refuse or failure; or with an empty text where the time is over.
export function isAnswer(message: string, answered: (context: string, answer: string) => void): bool {
  const about = member(message, "in_reply_to");
  if (!about.startsWith('"ask~')) return false;
  const timed = about.endsWith('t"');
  const key = about.substring(1, about.length - (timed ? 2 : 1));
  for (let at = 0; at < questions.length; at++) {
    const one = questions[at];
    if (one.key != key) continue;
    if (!mayAnswer(timed ? '"timer"' : one.to, member(message, "sender"))) return false;
    const act = member(message, "performative");
    if (act == '"agree"') return true;
    questions.splice(at, 1);
    openBefore--;
    back = one.back;
    if (!timed && one.ms > NEAR_MS) toTimer(key, '{"cancel":"' + key + '"}');
    answered(one.context, timed && act == '"inform"' ? "" : message);
    back = "";
    return true;
  }
  return true; // too late
}

// The one that was asked, with or without its platform; or the platform, which could not reach it.
function mayAnswer(asked: string, sender: string): bool {
  return sender == asked || sender.startsWith('"ams@') || sender.startsWith(asked.substring(0, asked.length - 1) + "@");
}

function toTimer(key: string, content: string): void {
  send('{"performative":"request","receiver":"timer","reply_with":"' + key + 't","content":' + content + "}");
}

// What a reply to the message in hand has.
function wayBack(): string {
  const to = member(inHand, "reply_to");
  const names = ["conversation_id", "protocol", "language", "ontology", "reply_with"];
  let found = ',"receiver":' + (to != "" ? to : member(inHand, "sender"));
  for (let i = 0; i < names.length; i++) {
    const value = member(inHand, names[i]);
    const name = names[i] == "reply_with" ? "in_reply_to" : names[i];
    if (value != "") found += ',"' + name + '":' + value;
  }
  return found;
}

// The state with the open questions before it.
function withQuestions(state: string): string {
  let open = "";
  for (let i = 0; i < questions.length; i++) {
    const one = questions[i];
    open += (i > 0 ? "," : "") + '{"key":"' + one.key + '","to":' + one.to + ',"ms":' + one.ms.toString();
    open += ',"back":{"":0' + one.back + '},"context":' + one.context + "}";
  }
  return '{"caxton_questions":[' + open + '],"state":' + state + "}";
}

function takeQuestions(list: string): void {
  questions = [];
  for (let at = 1; ; ) {
    const from = past(list, at, 44); // ,
    at = end(list, from);
    if (at < 0) return;
    const one = list.substring(from, at);
    const key = member(one, "key");
    const way = member(one, "back");
    const ms = number(member(one, "ms"));
    questions.push(
      new Question(
        key.substring(1, key.length - 1), member(one, "to"), ms, way.substring(5, way.length - 1), member(one, "context"),
      ),
    );
  }
}

// ---- the mailbox

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
  said = wrong = back = "";
  messages = asked = 0;
  put("");
  inHand = String.UTF8.decodeUnsafe(at, length).trim();
  const open = member(inHand, "caxton_questions");
  if (open != "") takeQuestions(open);
  openBefore = questions.length;
  return open != "" ? member(inHand, "state") : inHand;
}

// Leave the state for the host; gives 0.
export function write(state: string): i32 {
  return put(questions.length > 0 ? withQuestions(state) : state);
}

function put(text: string): i32 {
  output = String.UTF8.encode(text);
  show();
  if (output.byteLength == 0) mailbox[7] = 1;
  return 0;
}

// Answer the message in hand; in `answered` the message on which the question was asked. `content` is JSON.
export function reply(performative: string, content: string): void {
  send('{"performative":"' + performative + '","content":' + content + back + "}");
}

// Send a message, a JSON object on one line: with `receiver`, and whatever else it shall carry.
export function send(message: string): void {
  said += message + "\n";
  messages++;
}

// Put the message in hand back: it comes again after the next turn. What was changed stays; nothing may be sent.
export function putBack(): void {
  said += '{"caxton":"put-back"}\n';
}

// A line for `caxton agent logs`. Levels: debug, info, warning, error.
export function log(level: string, text: string): void {
  said += '{"caxton":"log","level":"' + level + '","message":' + quoted(text) + "}\n";
}

// End a turn: what handle_message returns.
export function sent(): i32 {
  if (wrong != "") return fail(wrong);
  put(said);
  return messages;
}

// Refuse a call: drops all that was said; the text is the reason.
export function fail(reason: string): i32 {
  questions.splice(openBefore);
  put(reason);
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
