//! {{name}}: counts. request {"add": k} (1 where it is missing) -> inform {"count": n}.
//!
//! The host calls `handle` for every message; what is said there goes out after the call. `caxton.rs` says how to read
//! a message and how to write one.

#[macro_use]
mod caxton;

use caxton::{Agent, Turn, Value};

/// Of one step, so that the count never runs over.
const LARGEST: i64 = 1_000_000_000;

#[derive(Default)]
struct Counter {
    count: i64,
}

impl Agent for Counter {
    fn handle(&mut self, message: Value, turn: &mut Turn) -> Result<(), String> {
        if message.get("performative").text() != Some("request") {
            return Ok(());
        }
        let add = message.get("content").get("add").number().unwrap_or(1);
        if !(-LARGEST..=LARGEST).contains(&add) {
            turn.reply("refuse", r#"{"reason":"add is out of range"}"#);
            return Ok(());
        }
        self.count += add;
        turn.reply("inform", &format!(r#"{{"count":{}}}"#, self.count));
        Ok(())
    }

    /// The state, for the next build of this agent, and for after a crash.
    fn snapshot(&self) -> String {
        format!(r#"{{"v":1,"count":{}}}"#, self.count)
    }

    /// The state of the build before; to refuse what this one cannot read keeps that one running.
    fn restore(&mut self, state: Value) -> Result<(), String> {
        match (state.get("v").number(), state.get("count").number()) {
            (Some(1), Some(count)) => self.count = count,
            _ => return Err("not a counter's state, version 1".into()),
        }
        Ok(())
    }
}

agent!(Counter);
