//! Guest ABI 1 for an agent in Rust: no crates, no imports. Change it as you like; it is yours.

use std::cell::UnsafeCell;

/// What an agent is: one message at a time, each to its end.
pub trait Agent: Default {
    /// Handle a message; an error drops all that was said and is this turn's failure.
    fn handle(&mut self, message: Value, turn: &mut Turn) -> Result<(), String>;
    /// Whether the agent wants to hear of its own life.
    const LIVES: bool = false;
    /// Whether the agent may put messages back.
    const PUTS_BACK: bool = false;
    /// What happened to the agent itself: `what` is born, restarted, recovered, resumed, swapped or ending.
    fn life(&mut self, _what: Value, _turn: &mut Turn) -> Result<(), String> {
        Ok(())
    }
    /// What came of a question: `context` as it was given to `ask`, and the whole message that answers it, which may be a
    /// refuse or failure; None where none came in time.
    fn answered(&mut self, _context: Value, _answer: Option<Value>, _turn: &mut Turn) -> Result<(), String> {
        Ok(())
    }
    /// The state as text.
    fn snapshot(&self) -> String;
    /// Take over a state; an error refuses it.
    fn restore(&mut self, state: Value) -> Result<(), String>;
}

/// What one turn says.
#[derive(Default)]
pub struct Turn {
    out: String,
    messages: i32,
    /// The id of the message in hand, and what a reply to whoever's message began all this has, as JSON's members.
    id: String,
    back: String,
    /// Whether the message in hand is an answer.
    answers: bool,
    asked: Vec<Question>,
}

#[allow(dead_code)]
impl Turn {
    /// Answer the message in hand; in `answered` the message on which the question was asked. `content` is JSON.
    pub fn reply(&mut self, performative: &str, content: &str) {
        let back = if self.answers { self.back.as_str() } else { "" };
        self.send(&format!(r#"{{"performative":{},"content":{content}{back}}}"#, quoted(performative)));
    }

    /// Send a message to one `receiver`, and have `answered` called with `context`, some JSON, when its answer or nothing
    /// has come. An agree is passed over, what comes too late is dropped. Open questions are part of the state.
    pub fn ask(&mut self, message: &str, timeout_ms: u64, context: &str) -> Result<(), String> {
        let to = Value(message).get("receiver").text().ok_or("ask asks one agent, by its name as receiver")?.to_string();
        let key = format!("ask~{}.{}", self.id, self.asked.len());
        self.send(&message.replacen('{', &format!(r#"{{"reply_with":"{key}","#), 1));
        self.to_timer(&key, &format!(r#"{{"after_ms":{timeout_ms},"tag":"{key}"}}"#));
        self.asked.push(Question { key, to, ms: timeout_ms, back: self.back.clone(), context: context.to_string() });
        Ok(())
    }

    fn to_timer(&mut self, key: &str, content: &str) {
        self.send(&format!(
            r#"{{"performative":"request","receiver":"timer","reply_with":"{key}t","content":{content}}}"#
        ));
    }

    /// Send a message, a JSON object on one line: with `receiver`, and whatever else it shall carry.
    pub fn send(&mut self, message: &str) {
        self.out.push_str(message);
        self.out.push('\n');
        self.messages += 1;
    }

    /// Put the message in hand back: it comes again after the next turn. What was changed stays; nothing may be sent.
    pub fn put_back(&mut self) {
        self.out.push_str("{\"caxton\":\"put-back\"}\n");
    }

    /// A line for `caxton agent logs`. Levels: debug, info, warning, error.
    pub fn log(&mut self, level: &str, text: &str) {
        let line = format!(r#"{{"caxton":"log","level":{},"message":{}}}"#, quoted(level), quoted(text));
        self.out.push_str(&line);
        self.out.push('\n');
    }
}

/// A timer that rings so soon is not called off: what it says is dropped.
const NEAR_MS: u64 = 2000;

/// A question that waits for its answer.
struct Question {
    key: String,
    to: String,
    ms: u64,
    back: String,
    context: String,
}

impl Question {
    /// As it lies in the state.
    fn json(&self) -> String {
        let Question { key, to, ms, back, context } = self;
        format!(r#"{{"key":"{key}","to":{},"ms":{ms},"back":{{"":0{back}}},"context":{context}}}"#, quoted(to))
    }

    fn of(kept: Value) -> Option<Question> {
        let text = |name| kept.get(name).text().map(str::to_string);
        let back = kept.get("back").0.strip_prefix(r#"{"":0"#)?.strip_suffix('}')?.to_string();
        let ms = kept.get("ms").0.parse().ok()?;
        Some(Question { key: text("key")?, to: text("to")?, ms, back, context: kept.get("context").0.to_string() })
    }

    /// Whether that agent may answer: the one that was asked, with or without its platform; the timer when the time is
    /// over; or the platform, which could not reach it.
    fn of_whom(&self, sender: &str, timed: bool) -> bool {
        let asked = if timed { "timer" } else { &self.to };
        let rest = sender.strip_prefix(asked);
        sender.starts_with("ams@") || rest.map_or(false, |rest| rest.is_empty() || rest.starts_with('@'))
    }
}

/// What a reply to that message has.
fn way_back(message: Value) -> String {
    let to = ["reply_to", "sender"].map(|name| message.get(name)).into_iter().find(|to| !to.0.is_empty());
    let mut back = format!(r#","receiver":{}"#, to.map_or("null", |to| to.0));
    let fields = ["conversation_id", "protocol", "language", "ontology"].map(|name| (name, name));
    for (ours, theirs) in fields.into_iter().chain([("in_reply_to", "reply_with")]) {
        let value = message.get(theirs).0;
        if !value.is_empty() {
            back += &format!(r#","{ours}":{value}"#);
        }
    }
    back
}

/// Text as JSON.
pub fn quoted(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", c as u32)),
            c => json.push(c),
        }
    }
    json + "\""
}

/// A JSON value as it stands in the message; empty where there is none.
#[derive(Clone, Copy)]
pub struct Value<'a>(pub &'a str);

#[allow(dead_code)]
impl<'a> Value<'a> {
    /// A member of an object, the first of that name.
    pub fn get(self, name: &str) -> Value<'a> {
        self.members().find(|(key, _)| *key == name).map_or(Value(""), |(_, value)| value)
    }

    /// A string that is written without escapes, as performatives and names are.
    pub fn text(self) -> Option<&'a str> {
        let inner = self.0.strip_prefix('"')?.strip_suffix('"')?;
        (!inner.contains('\\')).then_some(inner)
    }

    /// A whole number.
    pub fn number(self) -> Option<i64> {
        self.0.parse().ok()
    }

    fn items(self) -> impl Iterator<Item = Value<'a>> {
        let mut rest = self.0.strip_prefix('[').unwrap_or("");
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(|c: char| c == ',' || c.is_ascii_whitespace());
            let (value, left) = rest.split_at(end(rest)?);
            rest = left;
            Some(Value(value))
        })
    }

    fn members(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let mut rest = self.0.strip_prefix('{').unwrap_or("");
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(|c: char| c == ',' || c.is_ascii_whitespace());
            let (key, after) = rest.split_at(end(rest)?);
            let after = after.trim_start_matches(|c: char| c == ':' || c.is_ascii_whitespace());
            let (value, left) = after.split_at(end(after)?);
            rest = left;
            Some((key.strip_prefix('"')?.strip_suffix('"')?, Value(value)))
        })
    }
}

/// Where the value that the text begins with ends; None where it is cut off.
fn end(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.bytes().enumerate() {
        match c {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if quoted => {
                quoted = false;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ if quoted => {}
            b'"' => quoted = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return (at > 0).then_some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return (at > 0).then_some(at),
            _ => {}
        }
    }
    None
}

// ---- what the host calls

/// How host and guest find each other's bytes.
#[repr(C)]
pub struct Mailbox {
    magic: u32,
    version: u32,
    flags: u32,
    in_ptr: *mut u8,
    in_cap: u32,
    out_ptr: *const u8,
    out_len: u32,
    out_cap: u32,
}

/// An agent with its mailbox and the two buffers behind it.
pub struct Seat<A> {
    pub agent: A,
    pub mailbox: Mailbox,
    input: Vec<u8>,
    output: Vec<u8>,
    questions: Vec<Question>,
}

/// A seat in a static: a guest has one thread, and the host makes one call at a time.
pub struct Only<A>(pub UnsafeCell<Option<Seat<A>>>);
unsafe impl<A> Sync for Only<A> {}

impl<A: Agent> Only<A> {
    #[allow(clippy::mut_from_ref)]
    pub fn seat(&self) -> &mut Seat<A> {
        unsafe { &mut *self.0.get() }.get_or_insert_with(|| {
            let mut seat = Seat {
                agent: A::default(),
                mailbox: Mailbox {
                    magic: 0x3141_5843,
                    version: 1 << 16 | (A::LIVES || A::PUTS_BACK) as u32,
                    flags: (A::LIVES as u32) << 4 | (A::PUTS_BACK as u32) << 5,
                    in_ptr: std::ptr::null_mut(),
                    in_cap: 0,
                    out_ptr: std::ptr::null(),
                    out_len: 0,
                    out_cap: 0,
                },
                input: Vec::new(),
                output: Vec::new(),
                questions: Vec::new(),
            };
            seat.room(4096);
            seat.put(String::new());
            seat
        })
    }
}

impl<A: Agent> Seat<A> {
    pub fn room(&mut self, bytes: usize) -> *mut u8 {
        if bytes > self.input.len() {
            self.input = vec![0; bytes.next_power_of_two()];
            self.mailbox.in_ptr = self.input.as_mut_ptr();
            self.mailbox.in_cap = self.input.len() as u32;
        }
        self.mailbox.in_ptr
    }

    pub fn handle(&mut self, length: usize) -> i32 {
        let input = std::mem::take(&mut self.input);
        let message = Value(std::str::from_utf8(&input[..length]).unwrap_or("").trim());
        let id = message.get("id").text().unwrap_or("").to_string();
        let mut turn = Turn { id, back: way_back(message), ..Turn::default() };
        let done = self.hear(message, &mut turn);
        self.input = input;
        match done {
            Ok(()) => {
                // a turn that fails has asked nothing
                self.questions.append(&mut turn.asked);
                self.put(turn.out).map_or(-1, |()| turn.messages)
            }
            Err(reason) => self.fail(reason),
        }
    }

    fn hear(&mut self, message: Value, turn: &mut Turn) -> Result<(), String> {
        // anybody may write that ontology, nobody else may be the ams
        let sender = message.get("sender").text().unwrap_or("");
        if A::LIVES && sender.starts_with("ams@") && message.get("ontology").text() == Some("caxton-life") {
            return self.agent.life(message.get("content"), turn);
        }
        let about = message.get("in_reply_to").text().unwrap_or("");
        if !about.starts_with("ask~") {
            return self.agent.handle(message, turn);
        }
        let key = about.strip_suffix('t').unwrap_or(about);
        let (timed, act) = (key != about, message.get("performative").text());
        match self.questions.iter().position(|one| one.key == key) {
            None => Ok(()), // too late
            Some(at) if !self.questions[at].of_whom(sender, timed) => self.agent.handle(message, turn),
            Some(_) if act == Some("agree") => Ok(()),
            Some(at) => {
                let question = self.questions.remove(at);
                turn.back = question.back;
                turn.answers = true;
                if !timed && question.ms > NEAR_MS {
                    turn.to_timer(key, &format!(r#"{{"cancel":"{key}"}}"#));
                }
                let late = timed && act == Some("inform");
                self.agent.answered(Value(&question.context), (!late).then_some(message), turn)
            }
        }
    }

    pub fn snapshot(&mut self) -> i32 {
        let mut state = self.agent.snapshot();
        if !self.questions.is_empty() {
            let open: Vec<String> = self.questions.iter().map(Question::json).collect();
            state = format!(r#"{{"caxton_questions":[{}],"state":{state}}}"#, open.join(","));
        }
        self.put(state).map_or(-1, |()| 0)
    }

    pub fn restore(&mut self, length: usize) -> i32 {
        let mut state = Value(std::str::from_utf8(&self.input[..length]).unwrap_or("").trim());
        let open = state.get("caxton_questions");
        if !open.0.is_empty() {
            self.questions = open.items().filter_map(Question::of).collect();
            state = state.get("state");
        }
        match self.agent.restore(state) {
            Ok(()) => 0,
            Err(reason) => self.fail(reason),
        }
    }

    fn put(&mut self, text: String) -> Option<()> {
        self.output = text.into_bytes();
        self.output.reserve(1);
        self.mailbox.out_ptr = self.output.as_ptr();
        self.mailbox.out_len = u32::try_from(self.output.len()).ok()?;
        self.mailbox.out_cap = u32::try_from(self.output.capacity()).ok()?;
        Some(())
    }

    fn fail(&mut self, reason: String) -> i32 {
        self.put(reason);
        -1
    }
}

/// Export an agent. The addresses that the host passes are those of `room`.
macro_rules! agent {
    ($kind:ty) => {
        static SEAT: caxton::Only<$kind> = caxton::Only(std::cell::UnsafeCell::new(None));

        #[no_mangle]
        pub extern "C" fn caxton_abi() -> *const caxton::Mailbox {
            &SEAT.seat().mailbox
        }
        #[no_mangle]
        pub extern "C" fn caxton_alloc(bytes: usize) -> *mut u8 {
            SEAT.seat().room(bytes)
        }
        #[no_mangle]
        pub extern "C" fn handle_message(_: *const u8, length: usize) -> i32 {
            SEAT.seat().handle(length)
        }
        #[no_mangle]
        pub extern "C" fn caxton_snapshot() -> i32 {
            SEAT.seat().snapshot()
        }
        #[no_mangle]
        pub extern "C" fn caxton_restore(_: *const u8, length: usize) -> i32 {
            SEAT.seat().restore(length)
        }
    };
}
