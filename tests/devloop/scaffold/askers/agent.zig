//! Asks whom its request names, and says what came of it: {"said": act or null, "content": …, "context": …}.

const caxton = @import("caxton");

pub const caxton_puts_back = true;

var asked: i64 = 0;

fn handle(message: caxton.Value, turn: *caxton.Turn) !void {
    const content = message.get("content");
    if (content.is("then", "wait") and asked == 0) return turn.putBack();
    const to = content.get("to").text() orelse return error.Whom;
    const ms: u32 = @intCast(content.get("ms").int() orelse 300);
    asked += 1;
    const question = .{ .performative = "request", .receiver = to, .content = content.json };
    try turn.ask(question, ms, .{ .asked = asked });
    if (content.is("then", "fail")) return error.@"as it was told";
}

fn answered(context: caxton.Value, answer: caxton.Value, turn: *caxton.Turn) !void {
    try turn.reply("inform", .{
        .said = answer.get("performative").text(),
        .content = answer.get("content").json,
        .context = context.json,
    });
}

fn snapshot(turn: *caxton.Turn) !void {
    try turn.write(asked);
}

fn restore(state: caxton.Value) !void {
    asked = state.int() orelse return error.NotMyState;
}

comptime {
    caxton.agentOf(.{ .handle = handle, .answered = answered, .snapshot = snapshot, .restore = restore });
}
