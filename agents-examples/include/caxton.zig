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
//! `caxton.agentOf(.{ .handle = handle, .life = life, .answered = answered, .snapshot = …, .restore = … })` is an agent
//! that hears of its own life, too, or asks others. `life` gets the content of such a message, whose `what` is born,
//! restarted, recovered, resumed, swapped or ending. `answered` gets what `turn.ask` was told to remember, and the answer.
//!
//! An agent that puts messages back ("not now") says `pub const caxton_puts_back = true;`, and calls `turn.putBack()`.

const std = @import("std");

const first_room = 4096;
const scratch_bytes = 64 * 1024;

pub const none = Value{ .json = null };

/// A value of a message; `none` where there is none.
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
    hand: Value = none,
    /// Where the message in hand answers a question: what a reply has, to whoever's message began it.
    back: Value = none,
    asked: u32 = 0,

    /// Answer the message in hand; in `answered` the message on which the question was asked. `content` is anything that
    /// std.json can write.
    pub fn reply(self: *Turn, performative: []const u8, content: anytype) !void {
        const back = self.back.json orelse return self.send(.{ .performative = performative, .content = content });
        var json: std.json.Stringify = .{ .writer = &self.out.writer };
        try json.beginObject();
        try json.objectField("performative");
        try json.write(performative);
        try json.objectField("content");
        try json.write(content);
        var fields = back.object.iterator();
        while (fields.next()) |field| {
            try json.objectField(field.key_ptr.*);
            try json.write(field.value_ptr.*);
        }
        try json.endObject();
        try self.out.writer.writeByte('\n');
        self.messages += 1;
    }

    /// Send a message to one `receiver`, and have `answered` called with `context` (any small value) and its answer: the
    /// whole message, which may be a refuse or failure; or nothing, where none has come in time. `agree` is passed over,
    /// what comes too late is dropped. Open questions are part of the state by themselves.
    pub fn ask(self: *Turn, message: anytype, timeout_ms: u32, context: anytype) !void {
        const id = self.hand.get("id").text() orelse "";
        const key = try std.fmt.allocPrint(self.memory, "ask~{s}.{d}", .{ id, self.asked });
        const text = try std.json.Stringify.valueAlloc(self.memory, message, .{});
        const to = (try parse(self.memory, text)).get("receiver").text() orelse return error.AskNeedsOneReceiver;
        try self.out.writer.print("{{\"reply_with\":\"{s}\",{s}\n", .{ key, text[1..] });
        self.messages += 1;
        try self.toTimer(key, .{ .after_ms = timeout_ms, .tag = key });
        const question = .{ .key = key, .to = to, .ms = timeout_ms, .back = try self.wayBack(), .context = context };
        try questions.append(kept_memory, try std.json.Stringify.valueAlloc(kept_memory, question, .{}));
        self.asked += 1;
    }

    fn toTimer(self: *Turn, key: []const u8, content: anytype) !void {
        const about = try std.fmt.allocPrint(self.memory, "{s}t", .{key});
        try self.send(.{ .performative = "request", .receiver = "timer", .reply_with = about, .content = content });
    }

    fn wayBack(self: *Turn) !std.json.Value {
        if (self.back.json) |back| return back;
        var back: std.json.ObjectMap = .empty;
        const names = [_][]const u8{ "conversation_id", "protocol", "language", "ontology" };
        for (names) |name| if (self.hand.get(name).json) |value| try back.put(self.memory, name, value);
        if (self.hand.get("reply_with").json) |value| try back.put(self.memory, "in_reply_to", value);
        const to = if (self.hand.get("reply_to").json) |one| one else self.hand.get("sender").json;
        try back.put(self.memory, "receiver", to orelse .null);
        return .{ .object = back };
    }

    /// Send a message: with `receiver`, and whatever else it shall carry.
    pub fn send(self: *Turn, message: anytype) !void {
        try self.write(message);
        try self.out.writer.writeByte('\n');
        self.messages += 1;
    }

    /// Put the message in hand back: it comes again after the next turn. What was changed stays; nothing may be sent.
    pub fn putBack(self: *Turn) !void {
        try self.out.writer.writeAll("{\"caxton\":\"put-back\"}\n");
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

/// What an agent is made of; `life` and `answered` for those that want them.
pub const Functions = struct {
    handle: Told,
    life: ?Told = null,
    answered: ?fn (context: Value, answer: Value, turn: *Turn) anyerror!void = null,
    snapshot: fn (*Turn) anyerror!void,
    restore: fn (Value) anyerror!void,
};

/// Export the agent that those functions are.
pub fn agent(
    comptime handle: Told,
    comptime snapshot: fn (*Turn) anyerror!void,
    comptime restore: fn (Value) anyerror!void,
) void {
    agentOf(.{ .handle = handle, .snapshot = snapshot, .restore = restore });
}

/// The same for one that is told of its own life.
pub fn livingAgent(
    comptime handle: Told,
    comptime life: Told,
    comptime snapshot: fn (*Turn) anyerror!void,
    comptime restore: fn (Value) anyerror!void,
) void {
    agentOf(.{ .handle = handle, .life = life, .snapshot = snapshot, .restore = restore });
}

/// The same with names.
pub fn agentOf(comptime functions: Functions) void {
    const Exports = struct {
        fn abi() callconv(.c) *Mailbox {
            if (functions.life != null) mailbox.flags |= 1 << 4; // messages about its own life, please
            if (@hasDecl(@import("root"), "caxton_puts_back")) mailbox.flags |= 1 << 5;
            if (mailbox.flags != 0) mailbox.version = 1 << 16 | 1;
            return &mailbox;
        }
        fn alloc(n: u32) callconv(.c) ?[*]u8 {
            return room(n);
        }
        fn message(at: [*]const u8, length: u32) callconv(.c) i32 {
            var turn = begin();
            open_before = questions.items.len;
            turn.hand = parse(turn.memory, at[0..length]) catch |why| return fail(why);
            hear(turn.hand, &turn) catch |why| {
                questions.shrinkRetainingCapacity(open_before); // a turn that fails has asked nothing
                return fail(why);
            };
            end(&turn);
            return turn.messages;
        }
        fn hear(said: Value, turn: *Turn) !void {
            // anybody may write that ontology, nobody else may be the ams
            const from_ams = std.mem.startsWith(u8, said.get("sender").text() orelse "", "ams@");
            const of_life = from_ams and said.is("ontology", "caxton-life");
            if (functions.life) |told| if (of_life) return told(said.get("content"), turn);
            if (functions.answered) |_| if (try isAnswer(said, turn)) return;
            try functions.handle(said, turn);
        }
        /// Whether a message is about a question; where it is its end, `answered` was called.
        fn isAnswer(said: Value, turn: *Turn) !bool {
            const about = said.get("in_reply_to").text() orelse return false;
            if (!std.mem.startsWith(u8, about, "ask~")) return false;
            const timed = about[about.len - 1] == 't';
            const key = about[0 .. about.len - @intFromBool(timed)];
            for (questions.items, 0..) |text, at| {
                const question = try parse(turn.memory, text);
                if (!question.is("key", key)) continue;
                const to = if (timed) "timer" else question.get("to").text().?;
                if (!mayAnswer(to, said.get("sender").text() orelse "")) return false;
                if (said.is("performative", "agree")) return true;
                defer kept_memory.free(text);
                _ = questions.orderedRemove(at);
                open_before -= 1;
                turn.back = question.get("back");
                if (!timed and question.get("ms").int().? > near_ms) try turn.toTimer(key, .{ .cancel = key });
                const late = timed and said.is("performative", "inform");
                try functions.answered.?(question.get("context"), if (late) none else said, turn);
                return true;
            }
            return true; // too late
        }
        fn keep() callconv(.c) i32 {
            var turn = begin();
            keepAll(&turn) catch |why| return fail(why);
            end(&turn);
            return 0;
        }
        fn keepAll(turn: *Turn) !void {
            if (questions.items.len == 0) return functions.snapshot(turn);
            const open = try std.mem.join(turn.memory, ",", questions.items);
            try turn.out.writer.print("{{\"caxton_questions\":[{s}],\"state\":", .{open});
            try functions.snapshot(turn);
            try turn.out.writer.writeByte('}');
        }
        fn takeOver(at: [*]const u8, length: u32) callconv(.c) i32 {
            const turn = begin();
            takeAll(parse(turn.memory, at[0..length]) catch |why| return fail(why)) catch |why| return fail(why);
            return 0;
        }
        fn takeAll(state: Value) !void {
            const open = state.get("caxton_questions").json orelse return functions.restore(state);
            if (functions.answered == null) return error.OpenQuestionsWithoutAnswered;
            questions.clearRetainingCapacity();
            for (open.array.items) |one|
                try questions.append(kept_memory, try std.json.Stringify.valueAlloc(kept_memory, one, .{}));
            try functions.restore(state.get("state"));
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

// ---- open questions: each as JSON, in memory that outlives the call

const kept_memory = std.heap.wasm_allocator;
const near_ms = 2000; // a timer that rings so soon is not called off: what it says is dropped
var questions: std.ArrayList([]const u8) = .empty;
var open_before: usize = 0;

/// The one that was asked, with or without its platform; or the platform, which could not reach it.
fn mayAnswer(asked: []const u8, sender: []const u8) bool {
    if (std.mem.startsWith(u8, sender, "ams@") or std.mem.eql(u8, sender, asked)) return true;
    return sender.len > asked.len and sender[asked.len] == '@' and std.mem.startsWith(u8, sender, asked);
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
