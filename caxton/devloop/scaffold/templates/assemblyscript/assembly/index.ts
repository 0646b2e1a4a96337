// {{name}}: counts. request {"add": k} (1 where it is missing) -> inform {"count": n}.
//
// The host calls handle_message for every message; what is said there goes out after the call. caxton.ts says how to
// read a message and how to write one.

import { fail, isNumber, member, number, read, reply, sent, write } from "./caxton";
export { caxton_abi, caxton_alloc } from "./caxton";

// of one step, so that the count never runs over
const LARGEST: i64 = 1000000000;

let count: i64 = 0;

export function handle_message(at: usize, length: i32): i32 {
  const message = read(at, length);
  if (member(message, "performative") != '"request"') return 0;
  const step = member(member(message, "content"), "add");
  const add: i64 = isNumber(step) ? number(step) : 1;
  if (add < -LARGEST || add > LARGEST) {
    reply("refuse", '{"reason":"add is out of range"}');
  } else {
    count += add;
    reply("inform", '{"count":' + count.toString() + "}");
  }
  return sent();
}

// The state, for the next build of this agent, and for after a crash.
export function caxton_snapshot(): i32 {
  return write('{"v":1,"count":' + count.toString() + "}");
}

// The state of the build before; to refuse what this one cannot read keeps that one running.
export function caxton_restore(at: usize, length: i32): i32 {
  const state = read(at, length);
  const kept = member(state, "count");
  if (member(state, "v") != "1" || !isNumber(kept)) return fail("not a counter's state, version 1");
  count = number(kept);
  return 0;
}
