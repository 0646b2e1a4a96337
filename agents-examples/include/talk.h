/* talk.h: what agents share that hold longer conversations: replies with a reason, texts kept for later, names for new
 * conversations, the platform's timer, and the state as named fields. Include it instead of caxton.h, which it brings.
 */
#ifndef TALK_H
#define TALK_H

#include "caxton.h"

/* ---- who, and short answers ---- */

/* Whether the JSON string `name` is that agent; the platform after @ counts only where both give it. */
CAXTON_UNUSED static int is_agent(caxton_value name, const char *agent) {
    int i = 1; /* past the quote */
    if (name.n < 2 || *name.p != '"') return 0;
    while (i < name.n - 1 && *agent && *agent != '@' && name.p[i] == *agent) i++, agent++;
    int here = i == name.n - 1 || name.p[i] == '@', there = !*agent || *agent == '@';
    if (!here || !there || i == 1) return 0;
    if (i == name.n - 1 || !*agent) return 1;
    return caxton_same((caxton_value){name.p + i, name.n - 1 - i}, agent);
}

/* A reply with a reason as its only content. */
CAXTON_UNUSED static int answer(const char *performative, const char *reason) {
    caxton_begin(performative);
    caxton_content("{'reason':");
    caxton_string(reason);
    caxton_put("}");
    caxton_end();
    return caxton_sent();
}

/* The answer to an act that this agent does not know: not-understood where one is owed, else nothing. Acts that end
 * or report something are never answered, so two agents cannot misunderstand each other for ever. */
CAXTON_UNUSED static int puzzled(caxton_value performative) {
    static const char *const owed[] = {"request",   "request-when", "request-whenever", "query-if", "query-ref",
                                       "subscribe", "cfp",          "propose",          "proxy",    "propagate"};
    for (unsigned i = 0; i < sizeof owed / sizeof *owed; i++)
        if (caxton_is(performative, owed[i])) return answer("not-understood", "this agent does not know that act");
    return 0;
}

/* Begin a message to all of these at once: their branches of the conversation are open together, even where one of
 * them cannot be reached. */
CAXTON_UNUSED static void begin_to_all(const char *performative, char (*names)[64], int count) {
    caxton_begin(performative);
    caxton_put(",'receiver':[");
    for (int i = 0; i < count; i++) caxton_put(i ? "," : ""), caxton_string(names[i]);
    caxton_put("]");
}

/* Whether that is the agent, or a list with it. */
CAXTON_UNUSED static int names_agent(caxton_value said, const char *name) {
    caxton_value key, one;
    if (!said.n || said.p[0] != '[') return is_agent(said, name);
    for (int at = 0; caxton_next(said, &at, &key, &one);)
        if (is_agent(one, name)) return 1;
    return 0;
}

/* Which of these, from that number on, a message of the platform is about, because it could not be reached; -1 for no
 * more. One message may name several. */
CAXTON_UNUSED static int who_is_meant(caxton_value message, char (*names)[64], int count, int from) {
    caxton_value content = caxton_get(message, "content"), refers = caxton_get(message, "in_reply_to");
    caxton_value name = caxton_get(content, "receiver");
    if (!name.n) name = caxton_get(content, "agent");
    if (!name.n) name = caxton_get(content, "participant");
    for (int i = from; i < count; i++)
        if (names_agent(name, names[i])) return i;
    if (from) return -1;
    /* it names nobody: a reply_with such as "request-7-1", to one alone, ends in its number */
    int dashes = 0;
    for (int i = 0; i < refers.n; i++) dashes += refers.p[i] == '-';
    int i = dashes > 1 ? refers.p[refers.n - 2] - '0' : -1;
    return i >= 0 && i < count ? i : -1;
}

/* ---- texts kept for later ---- */

typedef struct {
    int n;
    char p[256];
} kept; /* a JSON value of a message; n = 0 for none and for null */

/* Whether it fits. */
CAXTON_UNUSED static int keep(kept *into, caxton_value v) {
    into->n = 0;
    if (v.n > (int)sizeof into->p) return 0;
    if (caxton_same(v, "null")) return 1;
    for (; into->n < v.n; into->n++) into->p[into->n] = v.p[into->n];
    return 1;
}

CAXTON_UNUSED static caxton_value kept_value(const kept *k) { return (caxton_value){k->p, k->n}; }

CAXTON_UNUSED static int equal(caxton_value a, caxton_value b) {
    int i = 0;
    while (i < a.n && i < b.n && a.p[i] == b.p[i]) i++;
    return a.n > 0 && i == a.n && i == b.n;
}

/* ---- whose order is carried out, and its answer ---- */

typedef struct {
    kept asker, conversation, protocol, reply_with;
} order_kept;

/* Remember where the answer goes; 0 when a name is too long. */
CAXTON_UNUSED static int keep_order(order_kept *order, caxton_value message) {
    caxton_value back = caxton_get(message, "reply_to");
    if (!back.n || caxton_same(back, "null") || caxton_same(back, "[]")) back = caxton_get(message, "sender");
    return keep(&order->asker, back) && keep(&order->conversation, caxton_get(message, "conversation_id")) &&
           keep(&order->protocol, caxton_get(message, "protocol")) &&
           keep(&order->reply_with, caxton_get(message, "reply_with"));
}

/* Begin a message in the order's conversation, whatever message is in hand; the content and caxton_end follow. */
CAXTON_UNUSED static void to_asker(const char *performative, const order_kept *order) {
    caxton_begin(performative);
    caxton_set_json("receiver", kept_value(&order->asker));
    caxton_set_json("conversation_id", kept_value(&order->conversation));
    caxton_set_json("protocol", kept_value(&order->protocol));
    caxton_set_json("in_reply_to", kept_value(&order->reply_with));
}

/* Until when the order is done at the latest, so that its conversation does not expire of idleness meanwhile. */
CAXTON_UNUSED static void promise_within(caxton_int64 ms) {
    caxton_put(",'reply_by':'"), caxton_int(ms / 60000 + 10), caxton_put("m'");
}

/* ---- new conversations ---- */

/* A conversation's name that was never used before: `what` and the number in the message's id, which no other message
 * has. A message that is delivered again gives the same one again. Returns 0 where there is no id. */
CAXTON_UNUSED static int new_conversation(kept *into, const char *what, caxton_value message) {
    caxton_value id = caxton_get(message, "id");
    int from = id.n - 13, i = 0;
    if (id.n < 14) return 0;
    while (from < id.n - 2 && id.p[from] == '0') from++;
    into->p[i++] = '"';
    for (; *what && i < 40; what++) into->p[i++] = *what;
    for (; from < id.n - 1; from++) into->p[i++] = id.p[from];
    into->p[i++] = '"';
    into->n = i;
    return 1;
}

/* A name in quotes with something behind it, as a JSON string: "auction-2f" and 3 give "auction-2f-3". */
CAXTON_UNUSED static void put_numbered(const kept *name, caxton_int64 number) {
    caxton_json((caxton_value){name->p, name->n ? name->n - 1 : 0});
    caxton_put("-"), caxton_int(number), caxton_put("'");
}

/* The number behind `name` in such a name, or -1. */
CAXTON_UNUSED static caxton_int64 number_behind(caxton_value text, const kept *name) {
    int at = name->n; /* past the dash */
    if (!name->n || text.n < at + 2 || text.p[at - 1] != '-') return -1;
    for (int i = 0; i < at - 1; i++)
        if (text.p[i] != name->p[i]) return -1;
    return caxton_number((caxton_value){text.p + at, text.n - 1 - at}, -1);
}

#define TIMER_GRACE_MS 3600000 /* the timer may answer so much later without a broken protocol */

/* Ask the platform's timer: its inform comes in the conversation `name`-`number` of its own. */
CAXTON_UNUSED static void wake_me(const kept *name, caxton_int64 number, caxton_int64 after_ms) {
    caxton_begin("request");
    caxton_set("receiver", "timer");
    caxton_set("protocol", "fipa-request");
    caxton_put(",'conversation_id':"), put_numbered(name, number);
    caxton_put(",'reply_with':'beat-"), caxton_int(number);
    caxton_put("','reply_by':'"), caxton_int(after_ms + TIMER_GRACE_MS), caxton_put("ms'");
    caxton_content("{'after_ms':"), caxton_int(after_ms);
    caxton_put(",'tag':"), caxton_int(number), caxton_put("}");
    caxton_end();
}

/* ---- state as named fields ---- */

typedef struct {
    const char *name;
    caxton_int64 *number;
    kept *text;
} field;

/* Write them as members of an object: the caller puts braces and what else there is. */
CAXTON_UNUSED static void put_fields(const field *fields, int count) {
    for (int i = 0; i < count; i++) {
        caxton_put(i ? ",'" : "'"), caxton_put(fields[i].name), caxton_put("':");
        if (fields[i].number) caxton_int(*fields[i].number);
        else caxton_json(kept_value(fields[i].text));
    }
}

CAXTON_UNUSED static void take_fields(caxton_value state, const field *fields, int count) {
    for (int i = 0; i < count; i++) {
        caxton_value v = caxton_get(state, fields[i].name);
        if (fields[i].number) *fields[i].number = caxton_number(v, 0);
        else keep(fields[i].text, v);
    }
}

#define FIELDS(list) list, (int)(sizeof list / sizeof *list)

/* ---- names from the settings ---- */

/* Read a list of agents' names into rows of 64 bytes: how many, or -1 where one is none or there are too many. */
CAXTON_UNUSED static int read_names(caxton_value list, char (*into)[64], int most) {
    caxton_value key, value;
    int count = 0;
    for (int at = 0; caxton_next(list, &at, &key, &value); count++)
        if (count == most || caxton_text(value, into[count], 64) < 1) return -1;
    return count;
}

#endif
