/* caxton.h: what a C agent needs to speak Caxton's guest ABI 1. No libc, no imports, valid in profile `strict`.
 *
 * Include it once, in the agent's only source file. It exports `caxton_abi` and `caxton_alloc`; the agent exports
 * `handle_message` and, when it wants them, `caxton_init`, `caxton_snapshot`, `caxton_restore`, `caxton_shutdown`:
 *
 *     #include "caxton.h"
 *
 *     CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
 *         caxton_value message = caxton_turn(text, length);
 *         if (!caxton_is(caxton_get(message, "performative"), "request")) return 0;
 *         caxton_begin("inform");                       // no receiver: a reply
 *         caxton_content("{'hello':");                  // an apostrophe stands for a double quote
 *         caxton_json(caxton_get(message, "sender"));
 *         caxton_put("}");
 *         caxton_end();
 *         return caxton_sent();
 *     }
 *
 * An agent that wants to hear of its own life (ABI 1.1) says `#define CAXTON_LIFE` before the include; its
 * `caxton_life(message)` then tells such a message from the others. One that puts messages back ("not now") says
 * `#define CAXTON_PUT_BACK`, and returns `caxton_put_back()`: the message comes again after its next turn.
 *
 * Build: cc -target wasm32-freestanding -mcpu=mvp -Os -nostdlib -fno-builtin -Wl,--no-entry (see build.py). `caxton dev`
 * links the C library to an agent that includes <stdio.h>, <stdlib.h>, <string.h> or another of its headers, and defines
 * CAXTON_LIBC: then what is printed is logged.
 * Every scan stays inside the bytes it was given: broken JSON gives missing values, never a trap.
 */
#ifndef CAXTON_H
#define CAXTON_H
#define CAXTON_EXPORT(name) __attribute__((export_name(#name), visibility("default")))
#define CAXTON_UNUSED __attribute__((unused))

/* Mailbox and both buffers share one page of 4 KiB: a turn on an ordinary message touches few pages, and among a
 * thousand agents that is what a turn costs. Larger ones get pages of their own. */
#define CAXTON_IN_CAP 3040 /* bytes; a longer message makes the host call caxton_alloc */
#define CAXTON_OUT_CAP 1024 /* bytes; more output moves the buffer to new pages */

typedef long long caxton_int64;

/* What it asks for by the flags of its mailbox: messages about its own life, and to put messages back. */
#if defined CAXTON_LIFE && defined CAXTON_PUT_BACK
#define CAXTON_ASKS (1u << 4 | 1u << 5)
#elif defined CAXTON_LIFE
#define CAXTON_ASKS (1u << 4)
#elif defined CAXTON_PUT_BACK
#define CAXTON_ASKS (1u << 5)
#endif

/* ---- the mailbox: how host and guest find each other's bytes ---- */

static struct {
    unsigned magic, version, flags;
    char *in_ptr; unsigned in_cap;
    char *out_ptr; unsigned out_len, out_cap;
    char in[CAXTON_IN_CAP], out[CAXTON_OUT_CAP];
} __attribute__((aligned(4096))) caxton_mailbox; /* filled by caxton_abi, which the host calls before all else */

static int caxton_messages, caxton_overflow; /* message lines of this turn; memory could not grow for them */

/* At least n fresh bytes in new pages, or 0. They are never given back, so callers double what they ask for. */
static char *caxton_pages(unsigned n) {
    unsigned before = __builtin_wasm_memory_grow(0, (n + 65535u) / 65536u);
    return before == ~0u ? 0 : (char *)(before * 65536u);
}
CAXTON_EXPORT(caxton_abi) void *caxton_abi(void) {
    caxton_mailbox.magic = 0x31415843u;
#ifdef CAXTON_ASKS
    caxton_mailbox.version = 1u << 16 | 1u;
    caxton_mailbox.flags = CAXTON_ASKS;
#else
    caxton_mailbox.version = 1u << 16;
#endif
    caxton_mailbox.in_ptr = caxton_mailbox.in;
    caxton_mailbox.in_cap = CAXTON_IN_CAP;
    caxton_mailbox.out_ptr = caxton_mailbox.out;
    caxton_mailbox.out_cap = CAXTON_OUT_CAP;
    return &caxton_mailbox;
}
CAXTON_EXPORT(caxton_alloc) char *caxton_alloc(unsigned n) {
    unsigned cap = caxton_mailbox.in_cap;
    if (n <= cap) return caxton_mailbox.in_ptr;
    if (n > 1u << 30) return 0;
    while (cap < n) cap *= 2;
    char *fresh = caxton_pages(cap);
    if (!fresh) return 0;
    caxton_mailbox.in_cap = cap;
    return caxton_mailbox.in_ptr = fresh;
}

/* ---- reading JSON ---- */

/* A JSON value as it stands in the message: `n` bytes at `p`. n = 0: there is no such value. */
typedef struct { const char *p; int n; } caxton_value;

static const caxton_value caxton_nothing = {0, 0};

static int caxton_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

/* The end of the value that begins at p, or 0 where it is cut off before `end`. */
static const char *caxton_skip(const char *p, const char *end) {
    int depth = 0;
    while (p < end) {
        char c = *p++;
        if (c == '"') {
            for (; p < end && *p != '"'; p++)
                if (*p == '\\') p++;
            if (p++ >= end) return 0;
        } else if (c == '{' || c == '[') {
            depth++;
            continue;
        } else if (c == '}' || c == ']') {
            if (--depth < 0) return 0;
        } else if (c == ',' || c == ':' || caxton_space(c)) {
            if (depth == 0) return 0;
            continue;
        } else { /* number, true, false, null */
            while (p < end && *p != ',' && *p != '}' && *p != ']' && *p != ':' && !caxton_space(*p)) p++;
        }
        if (depth == 0) return p;
    }
    return 0;
}

/* Walk through an object or array. Start with *at = 0; each call gives the next key (empty in an array) and value
 * and returns 1, or 0 at the end and where the JSON breaks off. Keys are compared as written, escapes included. */
static int caxton_next(caxton_value of, int *at, caxton_value *key, caxton_value *value) {
    if (of.n < 2 || (*of.p != '{' && *of.p != '[')) return 0;
    const char *end = of.p + of.n, *p = of.p + (*at ? *at : 1);
    while (p < end && (caxton_space(*p) || *p == ',')) p++;
    *key = caxton_nothing;
    if (*of.p == '{') {
        if (p >= end || *p != '"') return 0;
        const char *after = caxton_skip(p, end);
        if (!after) return 0;
        key->p = p + 1, key->n = (int)(after - p) - 2;
        for (p = after; p < end && (caxton_space(*p) || *p == ':');) p++;
    }
    const char *after = caxton_skip(p, end);
    if (!after) return 0;
    value->p = p, value->n = (int)(after - p);
    *at = (int)(after - of.p);
    return 1;
}

/* Whether these bytes are that text. */
static int caxton_same(caxton_value v, const char *text) {
    int i = 0;
    while (i < v.n && text[i] && v.p[i] == text[i]) i++;
    return i == v.n && !text[i];
}

/* Whether a value is that string (written without escapes, as performatives and names are). */
CAXTON_UNUSED static int caxton_is(caxton_value v, const char *text) {
    if (v.n < 2 || *v.p != '"') return 0;
    return caxton_same((caxton_value){v.p + 1, v.n - 2}, text);
}

/* A member of an object, the first of that name; nest the calls to go deeper. */
CAXTON_UNUSED static caxton_value caxton_get(caxton_value object, const char *name) {
    caxton_value key, value;
    for (int at = 0; caxton_next(object, &at, &key, &value);)
        if (key.p && caxton_same(key, name)) return value;
    return caxton_nothing;
}

#ifdef CAXTON_LIFE
/* What a message says of the agent's own life: its content, whose `what` is born, restarted, recovered, resumed, swapped
 * or ending; nothing where it is another message. */
static caxton_value caxton_life(caxton_value message) {
    static const char ams[] = "\"ams@"; /* anybody may write that ontology, nobody else may be the ams */
    caxton_value sender = caxton_get(message, "sender");
    if (!caxton_is(caxton_get(message, "ontology"), "caxton-life")) return caxton_nothing;
    for (int i = 0; ams[i]; i++)
        if (i >= sender.n || sender.p[i] != ams[i]) return caxton_nothing;
    return caxton_get(message, "content");
}
#endif

#define CAXTON_NO_NUMBER (-(1ll << 62)) /* no number that is read gives this: pass it to tell a number from none */

/* An integer; fractions are cut off, what is no plain number or does not fit 18 digits gives `otherwise`. */
CAXTON_UNUSED static caxton_int64 caxton_number(caxton_value v, caxton_int64 otherwise) {
    caxton_int64 n = 0;
    int i = v.n && *v.p == '-', first = i;
    for (; i < v.n && v.p[i] >= '0' && v.p[i] <= '9'; i++) {
        if (i - first == 18) return otherwise;
        n = n * 10 + (v.p[i] - '0');
    }
    if (i == first) return otherwise;
    if (i < v.n && v.p[i] == '.')
        for (i++; i < v.n && v.p[i] >= '0' && v.p[i] <= '9';) i++;
    return i < v.n ? otherwise : first ? -n : n;
}

static int caxton_hex(const char *p, const char *end) { /* four hex digits, or -1 */
    int n = 0;
    if (end - p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int c = p[i], d = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (d < 0) return -1;
        n = n * 16 + d;
    }
    return n;
}

/* A string with its escapes resolved, as UTF-8 with a final 0. Returns its bytes, -1 if it is no (sound) string or
 * longer than cap - 1. */
CAXTON_UNUSED static int caxton_text(caxton_value v, char *into, int cap) {
    if (v.n < 2 || *v.p != '"') return -1;
    int n = 0;
    for (const char *p = v.p + 1, *end = v.p + v.n - 1; p < end;) {
        int c = (unsigned char)*p++;
        if (c == '\\') {
            if (p >= end) return -1;
            c = *p++;
            if (c == 'u') {
                c = caxton_hex(p, end);
                p += 4;
                if (c >= 0xD800 && c < 0xDC00) {
                    int low = end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? caxton_hex(p + 2, end) : -1;
                    c = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00) : -1;
                    p += 6;
                } else if (c >= 0xDC00 && c < 0xE000) c = -1;
                if (c < 0 || n + 4 >= cap) return -1;
                if (c >= 0x10000) into[n++] = (char)(0xF0 | c >> 18), into[n++] = (char)(0x80 | (c >> 12 & 63));
                else if (c >= 0x800) into[n++] = (char)(0xE0 | c >> 12);
                if (c >= 0x800) into[n++] = (char)(0x80 | (c >> 6 & 63));
                else if (c >= 0x80) into[n++] = (char)(0xC0 | c >> 6);
                into[n++] = (char)(c >= 0x80 ? 0x80 | (c & 63) : c);
                continue;
            }
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
        }
        if (n + 1 >= cap) return -1;
        into[n++] = (char)c;
    }
    into[n] = 0;
    return n;
}

/* ---- writing output ---- */

static void caxton_byte(char c) {
    if (caxton_mailbox.out_len == caxton_mailbox.out_cap) {
        char *fresh = caxton_mailbox.out_cap < 1u << 29 ? caxton_pages(caxton_mailbox.out_cap * 2) : 0;
        if (!fresh && (caxton_overflow = 1)) return;
        for (unsigned i = 0; i < caxton_mailbox.out_len; i++) fresh[i] = caxton_mailbox.out_ptr[i];
        caxton_mailbox.out_ptr = fresh;
        caxton_mailbox.out_cap *= 2;
    }
    caxton_mailbox.out_ptr[caxton_mailbox.out_len++] = c;
}

/* Text as it is, but ' becomes ": JSON that is readable in C. */
__attribute__((noinline)) static void caxton_put(const char *text) {
    for (; *text; text++) caxton_byte(*text == '\'' ? '"' : *text);
}

/* A value of the message again, as it was written; null where there is none. */
CAXTON_UNUSED static void caxton_json(caxton_value v) {
    if (!v.n) caxton_put("null");
    for (int i = 0; i < v.n; i++) caxton_byte(v.p[i]);
}

/* Any text as a JSON string, quoted and escaped. */
CAXTON_UNUSED static void caxton_string(const char *text) {
    caxton_byte('"');
    for (; *text; text++) {
        char c = *text;
        if (c == '"' || c == '\\') caxton_byte('\\');
        if ((unsigned char)c >= 32) caxton_byte(c);
        else caxton_put("\\u00"), caxton_byte("01"[c >> 4]), caxton_byte("0123456789abcdef"[c & 15]);
    }
    caxton_byte('"');
}

CAXTON_UNUSED static void caxton_int(caxton_int64 n) {
    char digits[20];
    int i = 0;
    unsigned long long rest = n < 0 ? 0ull - (unsigned long long)n : (unsigned long long)n;
    do digits[i++] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (n < 0) caxton_byte('-');
    while (i) caxton_byte(digits[--i]);
}

/* ---- with the C library: what printf prints is logged, whole lines, before the next message or at the end ---- */

#ifdef CAXTON_LIBC
static char caxton_printed[2048];
static unsigned caxton_print_len, caxton_print_log; /* bytes that wait; whether this call may log */

static void caxton_log(const char *level, const char *text);
static void caxton_print_out(void) {
    unsigned begin = 0;
    for (unsigned i = 0; caxton_print_log && i < caxton_print_len; i++)
        if (caxton_printed[i] == '\n') caxton_printed[i] = 0, caxton_log("info", caxton_printed + begin), begin = i + 1;
    for (unsigned i = begin; i < caxton_print_len; i++) caxton_printed[i - begin] = caxton_printed[i];
    caxton_print_len -= begin;
}
/* These two stand in for what the library would import. What does not fit until it is logged is cut off. */
CAXTON_UNUSED int __imported_wasi_snapshot_preview1_fd_write(int fd, int pieces, int many, int written) {
    const struct { const char *p; unsigned n; } *piece = (void *)pieces;
    unsigned all = 0, room = sizeof caxton_printed - 1;
    for (int i = 0; i < many; i++)
        for (unsigned j = 0; j < piece[i].n; j++, all++)
            if (caxton_print_len < room) caxton_printed[caxton_print_len++] = piece[i].p[j];
            else caxton_printed[room - 1] = '\n';
    *(unsigned *)written = all;
    return fd == 1 || fd == 2 ? 0 : 8;
}
CAXTON_UNUSED int __imported_wasi_snapshot_preview1_fd_fdstat_get(int fd, int into) {
    for (int i = 0; i < 24; i++) ((char *)into)[i] = 0;
    *(char *)into = 2; /* a terminal: the library hands out line by line */
    return fd >= 0 && fd <= 2 ? 0 : 8;
}
#else
static void caxton_print_out(void) {}
#endif

/* Begin a call: empty the out buffer. Gives the text that the host passed as a value. */
static caxton_value caxton_turn(const char *text, int length) {
    caxton_mailbox.out_len = 0;
    caxton_messages = caxton_overflow = 0;
#ifdef CAXTON_LIBC
    caxton_print_log = text != 0; /* a state is written without a text, and is no log */
#endif
    while (length > 0 && caxton_space(*text)) text++, length--;
    return (caxton_value){text, length > 0 ? length : 0};
}

/* Begin a message of that performative; then parameters, then the content, then caxton_end. */
CAXTON_UNUSED static void caxton_begin(const char *performative) {
    caxton_print_out();
    caxton_put("{'performative':"), caxton_string(performative);
}

/* A parameter: `receiver` (without it the message is a reply), `protocol`, `conversation_id`, `reply_with`, … */
CAXTON_UNUSED static void caxton_set(const char *name, const char *text) {
    caxton_put(",'"), caxton_put(name), caxton_put("':"), caxton_string(text);
}

/* The same from a value of a message, a list of receivers for one; left out where there is none. */
CAXTON_UNUSED static void caxton_set_json(const char *name, caxton_value v) {
    if (!v.n) return;
    caxton_put(",'"), caxton_put(name), caxton_put("':"), caxton_json(v);
}

/* The content's JSON, or its beginning: go on with caxton_put, caxton_string, caxton_int, caxton_json. */
CAXTON_UNUSED static void caxton_content(const char *text) {
    caxton_put(",'content':"), caxton_put(text);
}

CAXTON_UNUSED static void caxton_end(void) { caxton_put("}\n"), caxton_messages++; }

/* A log record: it costs no message. Levels: debug, info, warning, error. */
CAXTON_UNUSED static void caxton_log(const char *level, const char *text) {
    caxton_put("{'caxton':'log','level':'"), caxton_put(level), caxton_put("','message':");
    caxton_string(text), caxton_put("}\n");
}

/* Refuse the call: drops all output, leaves `text` as the reason. Return what it returns; code is 1 or more. */
static int caxton_fail(int code, const char *text) {
    caxton_mailbox.out_len = 0;
    for (; *text && caxton_mailbox.out_len < caxton_mailbox.out_cap; text++)
        caxton_mailbox.out_ptr[caxton_mailbox.out_len++] = *text;
    return -code;
}

/* What handle_message returns: how many messages were written. What caxton_snapshot returns, too: the state is
 * whatever was put since caxton_turn(0, 0). */
CAXTON_UNUSED static int caxton_sent(void) {
    caxton_print_out();
    return caxton_overflow ? caxton_fail(1, "the output does not fit into memory") : caxton_messages;
}

#ifdef CAXTON_PUT_BACK
/* Put the message in hand back: return what it returns, and send nothing. What was changed in the state stays. */
CAXTON_UNUSED static int caxton_put_back(void) {
    caxton_put("{'caxton':'put-back'}\n");
    return caxton_sent();
}
#endif

#endif
