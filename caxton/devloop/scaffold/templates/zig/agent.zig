//! {{name}}: counts. request {"add": k} (1 where it is missing) -> inform {"count": n}.
//!
//! The host calls handle for every message; what is said there goes out after the call. What `caxton` has is in
//! caxton.zig (`caxton doctor` says where).

const caxton = @import("caxton");

/// Of one step, so that the count never runs over.
const largest = 1_000_000_000;

var count: i64 = 0;

fn handle(message: caxton.Value, turn: *caxton.Turn) !void {
    if (!message.is("performative", "request")) return;
    const add = message.get("content").get("add").int() orelse 1;
    if (add < -largest or add > largest) {
        return turn.reply("refuse", .{ .reason = "add is out of range" });
    }
    count += add;
    try turn.reply("inform", .{ .count = count });
}

/// The state, for the next build of this agent, and for after a crash.
fn snapshot(turn: *caxton.Turn) !void {
    try turn.write(.{ .v = 1, .count = count });
}

/// The state of the build before; to refuse what this one cannot read keeps that one running.
fn restore(state: caxton.Value) !void {
    if (state.get("v").int() != 1) return error.NotMyState;
    count = state.get("count").int() orelse return error.NotMyState;
}

comptime {
    caxton.agent(handle, snapshot, restore);
}
