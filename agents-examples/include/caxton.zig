//! caxton.zig: what a Zig agent needs to speak Caxton's guest ABI 1. No imports, valid in profile `strict`.
//!
//! `@import("caxton")` finds it wherever the agent's source is. An agent is three functions:
//!
//!     const caxton = @import("caxton");
//!
//!     fn handle(message: caxton.Value, turn: *caxton.Turn) !void {
//!         if (!message.is("performative", "request")) return;
//!         try turn.reply("inform", .{ .hello = message.get("sender").text() });
//!     }
//!     fn snapshot(turn: *caxton.Turn) !void {
//!         try turn.write(.{ .v = 1 });
//!     }
//!     fn restore(state: caxton.Value) !void {
//!         if (state.get("v").int() != 1) return error.NotMyState;
//!     }
//!     comptime {
//!         caxton.agent(handle, snapshot, restore);
//!     }
//!
//! An error that `handle` returns is this turn's failure: what was said before it is dropped. What a turn allocates
//! (`turn.memory`) is gone after it; what an agent keeps belongs in its own variables.
//!
//! `caxton.livingAgent(handle, life, snapshot, restore)` is an agent that hears of its own life, too: `life` gets the
//! content of such a message, whose `what` is born, restarted, recovered, resumed, swapped or ending.

const std = @import("std");

const first_room = 4096;
const scratch_bytes = 64 * 1024;

/// A value of a message; `.none` where there is none.
pub const Value = struct {
    json: ?std.json.Value,

    /// A member of an object.
    pub fn get(self: Value, name: []const u8) Value {
        const json = self.json orelse return .{ .json = null };
        return switch (json) {
            .object => |members| .{ .json = members.get(name) },
            else => .{ .json = null },
        };
    }

    /// A whole number.
    pub fn int(self: Value) ?i64 {
        const json = self.json orelse return null;
        return switch (json) {
            .integer => |number| number,
            else => null,
        };
    }

    pub fn text(self: Value) ?[]const u8 {
        const json = self.json orelse return null;
        return switch (json) {
            .string => |string| string,
            else => null,
        };
    }

    /// Whether a member is that text.
    pub fn is(self: Value, name: []const u8, wanted: []const u8) bool {
        return std.mem.eql(u8, self.get(name).text() orelse return false, wanted);
    }
};

/// What one turn says.
pub const Turn = struct {
    out: std.Io.Writer.Allocating,
    memory: std.mem.Allocator,
    messages: i32 = 0,

    /// Answer the message in hand; `content` is anything that std.json can write.
    pub fn reply(self: *Turn, performative: []const u8, content: anytype) !void {
        try self.send(.{ .performative = performative, .content = content });
    }

    /// Send a message: with `receiver`, and whatever else it shall carry.
    pub fn send(self: *Turn, message: anytype) !void {
        try self.write(message);
        try self.out.writer.writeByte('\n');
        self.messages += 1;
    }

    /// A line for `caxton agent logs`. Levels: debug, info, warning, error.
    pub fn log(self: *Turn, level: []const u8, text: []const u8) !void {
        try self.write(.{ .caxton = "log", .level = level, .message = text });
        try self.out.writer.writeByte('\n');
    }

    /// A value as JSON.
    pub fn write(self: *Turn, value: anytype) !void {
        try std.json.Stringify.value(value, .{}, &self.out.writer);
    }
};

const Told = fn (Value, *Turn) anyerror!void;

/// Export the agent that those functions are.
pub fn agent(
    comptime handle: Told,
    comptime snapshot: fn (*Turn) anyerror!void,
    comptime restore: fn (Value) anyerror!void,
) void {
    exported(handle, null, snapshot, restore);
}

/// The same for one that is told of its own life.
pub fn livingAgent(
    comptime handle: Told,
    comptime life: Told,
    comptime snapshot: fn (*Turn) anyerror!void,
    comptime restore: fn (Value) anyerror!void,
) void {
    exported(handle, life, snapshot, restore);
}

fn exported(
    comptime handle: Told,
    comptime life: ?Told,
    comptime snapshot: fn (*Turn) anyerror!void,
    comptime restore: fn (Value) anyerror!void,
) void {
    const Exports = struct {
        fn abi() callconv(.c) *Mailbox {
            if (life != null) {
                mailbox.version = 1 << 16 | 1;
                mailbox.flags = 1 << 4; // messages about its own life, please
            }
            return &mailbox;
        }
        fn alloc(n: u32) callconv(.c) ?[*]u8 {
            return room(n);
        }
        fn message(at: [*]const u8, length: u32) callconv(.c) i32 {
            var turn = begin();
            const said = parse(turn.memory, at[0..length]) catch |why| return fail(why);
            hear(said, &turn) catch |why| return fail(why);
            end(&turn);
            return turn.messages;
        }
        fn hear(said: Value, turn: *Turn) !void {
            // anybody may write that ontology, nobody else may be the ams
            const from_ams = std.mem.startsWith(u8, said.get("sender").text() orelse "", "ams@");
            if (life) |told| if (from_ams and said.is("ontology", "caxton-life")) return told(said.get("content"), turn);
            try handle(said, turn);
        }
        fn keep() callconv(.c) i32 {
            var turn = begin();
            snapshot(&turn) catch |why| return fail(why);
            end(&turn);
            return 0;
        }
        fn takeOver(at: [*]const u8, length: u32) callconv(.c) i32 {
            const turn = begin();
            restore(parse(turn.memory, at[0..length]) catch |why| return fail(why)) catch |why| return fail(why);
            return 0;
        }
    };
    @export(&Exports.abi, .{ .name = "caxton_abi" });
    @export(&Exports.alloc, .{ .name = "caxton_alloc" });
    @export(&Exports.message, .{ .name = "handle_message" });
    @export(&Exports.keep, .{ .name = "caxton_snapshot" });
    @export(&Exports.takeOver, .{ .name = "caxton_restore" });
}

// ---- the mailbox: how host and guest find each other's bytes

const Mailbox = extern struct {
    magic: u32,
    version: u32,
    flags: u32,
    in_ptr: [*]u8,
    in_cap: u32,
    out_ptr: [*]const u8,
    out_len: u32,
    out_cap: u32,
};

var first_input: [first_room]u8 = undefined;
var nothing: [1]u8 = undefined;
var mailbox = Mailbox{
    .magic = 0x31415843, // "CXA1"
    .version = 1 << 16,
    .flags = 0,
    .in_ptr = &first_input,
    .in_cap = first_room,
    .out_ptr = &nothing,
    .out_len = 0,
    .out_cap = 1,
};

fn room(n: u32) ?[*]u8 {
    if (n <= mailbox.in_cap) return mailbox.in_ptr;
    // fresh pages, at least twice what there was: they are never given back
    const bytes = @max(n, 2 * mailbox.in_cap);
    const before = @wasmMemoryGrow(0, (bytes + 65535) / 65536);
    if (before < 0) return null;
    mailbox.in_ptr = @ptrFromInt(@as(usize, @intCast(before)) * 65536);
    mailbox.in_cap = bytes;
    return mailbox.in_ptr;
}

// ---- one call: what it allocates lives until the next one begins

var arena = std.heap.ArenaAllocator.init(std.heap.wasm_allocator);

fn begin() Turn {
    _ = arena.reset(.{ .retain_with_limit = scratch_bytes });
    mailbox.out_len = 0;
    const memory = arena.allocator();
    return .{ .out = .init(memory), .memory = memory };
}

fn end(turn: *Turn) void {
    show(turn.out.written());
}

fn parse(memory: std.mem.Allocator, text: []const u8) !Value {
    return .{ .json = try std.json.parseFromSliceLeaky(std.json.Value, memory, text, .{}) };
}

fn fail(why: anyerror) i32 {
    show(@errorName(why));
    return -1;
}

fn show(bytes: []const u8) void {
    if (bytes.len > 0) mailbox.out_ptr = bytes.ptr;
    mailbox.out_len = bytes.len;
    mailbox.out_cap = @max(bytes.len, 1);
}
