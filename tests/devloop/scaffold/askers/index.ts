// Asks whom its request names, and says what came of it: {"said": act or null, "content": …, "context": …}.

import { ask, askToPutBack, fail, isAnswer, isNumber, member, number, putBack, read, reply, sent, write } from "./caxton";
export { caxton_abi, caxton_alloc } from "./caxton";

let asked: i64 = 0;
askToPutBack();

function orNull(json: string): string {
  return json == "" ? "null" : json;
}

function answered(context: string, answer: string): void {
  const said = orNull(member(answer, "performative"));
  const content = orNull(member(answer, "content"));
  reply("inform", '{"said":' + said + ',"content":' + content + ',"context":' + context + "}");
}

export function handle_message(at: usize, length: i32): i32 {
  const message = read(at, length);
  if (isAnswer(message, answered)) return sent();
  const content = member(message, "content");
  if (asked == 0 && member(content, "then") == '"wait"') {
    putBack();
    return sent();
  }
  const to = member(content, "to");
  const ms = member(content, "ms");
  if (to == "") return fail("whom?");
  const question = '{"performative":"request","receiver":' + to + ',"content":' + content + "}";
  asked++;
  ask(question, isNumber(ms) ? number(ms) : 300, '{"asked":' + asked.toString() + "}");
  if (member(content, "then") == '"fail"') return fail("as it was told");
  return sent();
}

export function caxton_snapshot(): i32 {
  return write(asked.toString());
}

export function caxton_restore(at: usize, length: i32): i32 {
  const state = read(at, length);
  if (!isNumber(state)) return fail("not my state");
  asked = number(state);
  return 0;
}
