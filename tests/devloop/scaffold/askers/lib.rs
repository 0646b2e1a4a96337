//! Asks whom its request names, and says what came of it: {"said": act or null, "content": …, "context": …}.

#[macro_use]
mod caxton;

use caxton::{quoted, Agent, Turn, Value};

#[derive(Default)]
struct Asker {
    asked: i64,
}

impl Agent for Asker {
    const PUTS_BACK: bool = true;

    fn handle(&mut self, message: Value, turn: &mut Turn) -> Result<(), String> {
        let content = message.get("content");
        if content.get("then").text() == Some("wait") && self.asked == 0 {
            turn.put_back();
            return Ok(());
        }
        let to = content.get("to").text().ok_or("whom?")?;
        let ms = content.get("ms").number().unwrap_or(300) as u64;
        let question = format!(
            r#"{{"performative":"request","receiver":{},"content":{}}}"#,
            quoted(to),
            content.0
        );
        self.asked += 1;
        turn.ask(&question, ms, &format!(r#"{{"asked":{}}}"#, self.asked))?;
        match content.get("then").text() {
            Some("fail") => Err("as it was told".into()),
            _ => Ok(()),
        }
    }

    fn answered(&mut self, context: Value, answer: Option<Value>, turn: &mut Turn) -> Result<(), String> {
        let part = |name| match answer.map_or("", |answer| answer.get(name).0) {
            "" => "null",
            json => json,
        };
        let (said, content) = (part("performative"), part("content"));
        let content = format!(r#"{{"said":{said},"content":{content},"context":{}}}"#, context.0);
        turn.reply("inform", &content);
        Ok(())
    }

    fn snapshot(&self) -> String {
        self.asked.to_string()
    }

    fn restore(&mut self, state: Value) -> Result<(), String> {
        self.asked = state.number().ok_or("not my state")?;
        Ok(())
    }
}

agent!(Asker);
