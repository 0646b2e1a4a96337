//! Guest ABI 1 for an agent in Rust: no crates, no imports. Change it as you like; it is yours.

use std::cell::UnsafeCell;

/// What an agent is: one message at a time, each to its end.
pub trait Agent: Default {
    /// Handle a message; an error drops all that was said and is this turn's failure.
    fn handle(&mut self, message: Value, turn: &mut Turn) -> Result<(), String>;
    /// Whether the agent wants to hear of its own life.
    const LIVES: bool = false;
    /// What happened to the agent itself: `what` is born, restarted, recovered, resumed, swapped or ending.
    fn life(&mut self, _what: Value, _turn: &mut Turn) -> Result<(), String> {
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
}

#[allow(dead_code)]
impl Turn {
    /// Answer the message in hand; `content` is JSON.
    pub fn reply(&mut self, performative: &str, content: &str) {
        self.send(&format!(r#"{{"performative":{},"content":{content}}}"#, quoted(performative)));
    }

    /// Send a message, a JSON object on one line: with `receiver`, and whatever else it shall carry.
    pub fn send(&mut self, message: &str) {
        self.out.push_str(message);
        self.out.push('\n');
        self.messages += 1;
    }

    /// A line for `caxton agent logs`. Levels: debug, info, warning, error.
    pub fn log(&mut self, level: &str, text: &str) {
        let line = format!(r#"{{"caxton":"log","level":{},"message":{}}}"#, quoted(level), quoted(text));
        self.out.push_str(&line);
        self.out.push('\n');
    }
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
                    version: 1 << 16 | A::LIVES as u32,
                    flags: (A::LIVES as u32) << 4,
                    in_ptr: std::ptr::null_mut(),
                    in_cap: 0,
                    out_ptr: std::ptr::null(),
                    out_len: 0,
                    out_cap: 0,
                },
                input: Vec::new(),
                output: Vec::new(),
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
        let mut turn = Turn::default();
        let text = std::str::from_utf8(&self.input[..length]).unwrap_or("");
        let message = Value(text.trim());
        // anybody may write that ontology, nobody else may be the ams
        let from_ams = message.get("sender").text().is_some_and(|name| name.starts_with("ams@"));
        let done = match message.get("ontology").text() {
            Some("caxton-life") if A::LIVES && from_ams => self.agent.life(message.get("content"), &mut turn),
            _ => self.agent.handle(message, &mut turn),
        };
        match done {
            Ok(()) => self.put(turn.out).map_or(-1, |()| turn.messages),
            Err(reason) => self.fail(reason),
        }
    }

    pub fn snapshot(&mut self) -> i32 {
        let state = self.agent.snapshot();
        self.put(state).map_or(-1, |()| 0)
    }

    pub fn restore(&mut self, length: usize) -> i32 {
        let text = std::str::from_utf8(&self.input[..length]).unwrap_or("");
        match self.agent.restore(Value(text.trim())) {
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
