/* ask.h: ask another agent and go on with its answer, or without one. Include it instead of caxton.h, which it brings.
 *
 *     #include "ask.h"
 *
 *     static void caxton_answered(caxton_value context, caxton_value answer) {
 *         caxton_reply(answer.n ? "inform" : "failure");       // to whoever's message began it
 *         caxton_content(answer.n ? "" : "'too late'"), caxton_json(caxton_get(answer, "content"));
 *         caxton_end();
 *     }
 *
 *     CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
 *         caxton_value message = caxton_turn(text, length);
 *         if (caxton_is_answer(message)) return caxton_sent(); // caxton_answered has been called
 *         caxton_ask("bank", "query-ref", 300);                // whom, how, and for how many milliseconds
 *         caxton_content("'rate'");
 *         caxton_context("'the first'");                       // any small JSON, given back with the answer
 *         caxton_end();
 *         return caxton_sent();
 *     }
 *
 * An answer is what the one that was asked, or the platform, says with the question's `reply_with` as `in_reply_to`;
 * `agree` is passed over. `answer` is the whole message, a refuse or failure for one, and nothing when the time is over.
 * What comes later is dropped. Open questions are part of the state, without any line in caxton_snapshot and
 * caxton_restore; a turn that fails has asked nothing.
 */
#ifndef CAXTON_ASK_H
#define CAXTON_ASK_H

#include "caxton.h"

#ifndef CAXTON_QUESTIONS
#define CAXTON_QUESTIONS 16 /* that are open at a time */
#endif
#ifndef CAXTON_QUESTION
#define CAXTON_QUESTION 768 /* bytes of one: whom it asks, for whom, and the context */
#endif
#define CAXTON_NEAR_MS 2000 /* a timer that rings so soon is not called off: what it says is dropped */

/* What is done with an answer, or with nothing where none has come: the agent has this function. */
static void caxton_answered(caxton_value context, caxton_value answer);

static struct { int n; char p[CAXTON_QUESTION]; } caxton_questions[CAXTON_QUESTIONS];
static int caxton_open, caxton_open_before; /* how many; how many when the turn began */
static int caxton_asked; /* in this turn */
static int caxton_into; /* where the question that is being written begins in the output, or 0 */
static caxton_int64 caxton_wait_ms;
static const char *caxton_whom, *caxton_wrong;
static caxton_value caxton_hand, caxton_meant; /* the message in hand; the question that it answers */
static int caxton_keeping; /* the state is being written, with open questions before it */

/* Without the C library there is no memcpy, which an assignment would be. */
static void caxton_store(int at, const char *from, int length) {
    for (int i = 0; i < length; i++) caxton_questions[at].p[i] = from[i];
    caxton_questions[at].n = length;
}

/* `ask~`, the id of the message in hand, and a number: no other question has that name. */
static void caxton_put_key(int number) {
    caxton_value id = caxton_get(caxton_hand, "id");
    caxton_put("'ask~"), caxton_json((caxton_value){id.p + 1, id.n > 2 ? id.n - 2 : 0});
    caxton_put("."), caxton_int(number);
}

/* A field of the reply to whoever's message began all this. */
static caxton_value caxton_back(const char *name) {
    if (caxton_meant.n) return caxton_get(caxton_meant, name);
    if (*name == 'i') return caxton_get(caxton_hand, "reply_with"); /* in_reply_to */
    if (*name != 'r') return caxton_get(caxton_hand, name);
    caxton_value to = caxton_get(caxton_hand, "reply_to"); /* receiver */
    return to.n > 2 && *to.p != 'n' ? to : caxton_get(caxton_hand, "sender");
}

static void caxton_put_way_back(void) {
    static const char *const names[] = {"receiver", "conversation_id", "protocol", "in_reply_to", "language", "ontology"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        caxton_value v = caxton_back(names[i]);
        if (v.n && *v.p != 'n') caxton_set_json(names[i], v);
    }
}

/* Begin a reply to the message in hand; in caxton_answered, to the message on which the question was asked. */
CAXTON_UNUSED static void caxton_reply(const char *performative) {
    caxton_begin(performative);
    if (caxton_meant.n) caxton_put_way_back();
}

/* Begin a question: parameters and the content follow, then perhaps caxton_context, then caxton_end. */
CAXTON_UNUSED static void caxton_ask(const char *receiver, const char *performative, caxton_int64 timeout_ms) {
    caxton_begin(performative);
    caxton_set("receiver", receiver);
    caxton_put(",'reply_with':"), caxton_put_key(caxton_asked), caxton_put("'");
    caxton_whom = receiver, caxton_wait_ms = timeout_ms;
}

/* The context's JSON, or its beginning, after the content: go on with caxton_put, caxton_string, caxton_int. */
CAXTON_UNUSED static void caxton_context(const char *text) {
    caxton_into = (int)caxton_mailbox.out_len;
    caxton_put("{'key':"), caxton_put_key(caxton_asked), caxton_put("','to':"), caxton_string(caxton_whom);
    caxton_put(",'ms':"), caxton_int(caxton_wait_ms), caxton_put_way_back();
    caxton_put(",'context':"), caxton_put(text);
}

static void caxton_to_timer(const char *performative) {
    caxton_begin(performative);
    caxton_set("receiver", "timer");
}

/* The end of a message: what was written since caxton_context is kept here, and the timer asked to ring. */
CAXTON_UNUSED static void caxton_end_asking(void) {
    if (caxton_whom) {
        if (!caxton_into) caxton_context("null");
        caxton_put("}");
        const char *from = caxton_mailbox.out_ptr + caxton_into;
        int length = (int)caxton_mailbox.out_len - caxton_into;
        if (caxton_open == CAXTON_QUESTIONS) caxton_wrong = "too many questions are open: #define CAXTON_QUESTIONS";
        else if (length > CAXTON_QUESTION) caxton_wrong = "a question is too long to keep: #define CAXTON_QUESTION";
        else caxton_store(caxton_open++, from, length);
        caxton_mailbox.out_len = (unsigned)caxton_into;
        caxton_end();
        caxton_to_timer("request");
        caxton_put(",'reply_with':"), caxton_put_key(caxton_asked), caxton_put("t'");
        caxton_content("{'after_ms':"), caxton_int(caxton_wait_ms);
        caxton_put(",'tag':"), caxton_put_key(caxton_asked), caxton_put("'}");
        caxton_asked++, caxton_whom = 0, caxton_into = 0;
    }
    caxton_end();
}

/* Whether the JSON string begins like that. */
static int caxton_begins(caxton_value v, const char *text, int length) {
    for (int i = 0; i < length; i++)
        if (i + 1 >= v.n || v.p[i + 1] != text[i]) return 0;
    return v.n > 2;
}

/* Whether that agent may answer the question: the one that was asked, the timer for the time, the platform's ams. */
static int caxton_may_answer(caxton_value question, caxton_value sender, int timed) {
    caxton_value to = caxton_get(question, "to");
    if (timed) to = (caxton_value){"'timer'", 7};
    int length = to.n - 2, exact = 0;
    for (int i = 1; i <= length; i++) exact |= to.p[i] == '@';
    if (caxton_begins(sender, "ams@", 4)) return 1;
    return caxton_begins(sender, to.p + 1, length) && sender.p[length + 1] == (exact ? '"' : '@');
}

/* Whether a message is about a question that was asked; where it is the answer, or the time is over, caxton_answered was
 * called. For the beginning of handle_message. */
CAXTON_UNUSED static int caxton_is_answer(caxton_value message) {
    static char question[CAXTON_QUESTION];
    caxton_value about = caxton_get(message, "in_reply_to"), act = caxton_get(message, "performative");
    if (!caxton_begins(about, "ask~", 4)) return 0;
    int timed = about.p[about.n - 2] == 't', at = 0;
    caxton_value key = {about.p, about.n - 1 - timed}, found = caxton_nothing;
    for (; at < caxton_open && !found.n; at++) {
        found = (caxton_value){caxton_questions[at].p, caxton_questions[at].n};
        caxton_value one = caxton_get(found, "key");
        if (one.n - 1 != key.n || !caxton_begins(one, key.p + 1, key.n - 1)) found.n = 0;
    }
    if (!found.n) return 1; /* too late */
    if (!caxton_may_answer(found, caxton_get(message, "sender"), timed)) return 0;
    if (caxton_is(act, "agree")) return 1;
    for (int i = 0; i < found.n; i++) question[i] = found.p[i];
    caxton_meant = (caxton_value){question, found.n};
    for (caxton_open--; at <= caxton_open; at++)
        caxton_store(at - 1, caxton_questions[at].p, caxton_questions[at].n);
    caxton_open_before = caxton_open;
    if (!timed && caxton_number(caxton_get(caxton_meant, "ms"), 0) > CAXTON_NEAR_MS) {
        caxton_to_timer("request");
        caxton_put(",'reply_with':"), caxton_json(key), caxton_put("t'");
        caxton_content("{'cancel':"), caxton_json(key), caxton_put("'}");
        caxton_end();
    }
    caxton_answered(caxton_get(caxton_meant, "context"), timed && caxton_is(act, "inform") ? caxton_nothing : message);
    caxton_meant = caxton_nothing;
    return 1;
}

/* ---- what the calls of caxton.h do besides ---- */

CAXTON_UNUSED static caxton_value caxton_turn_asking(const char *text, int length) {
    caxton_value key, one, all = caxton_turn(text, length), kept = caxton_get(all, "caxton_questions");
    caxton_hand = all, caxton_meant = caxton_nothing, caxton_wrong = caxton_whom = 0;
    caxton_open_before = caxton_open, caxton_asked = caxton_into = 0;
    caxton_keeping = !text && caxton_open;
    if (caxton_keeping) {
        caxton_put("{'caxton_questions':[");
        for (int i = 0; i < caxton_open; i++)
            caxton_put(i ? "," : ""), caxton_json((caxton_value){caxton_questions[i].p, caxton_questions[i].n});
        caxton_put("],'state':");
    }
    if (!kept.n) return all;
    caxton_open = 0;
    for (int at = 0; caxton_next(kept, &at, &key, &one);) {
        if (caxton_open == CAXTON_QUESTIONS || one.n > CAXTON_QUESTION) return caxton_nothing; /* not a state of this build */
        caxton_store(caxton_open++, one.p, one.n);
    }
    return caxton_get(all, "state");
}

CAXTON_UNUSED static int caxton_fail_asking(int code, const char *text) {
    caxton_open = caxton_open_before;
    return caxton_fail(code, text);
}

CAXTON_UNUSED static int caxton_sent_asking(void) {
    if (caxton_wrong) return caxton_fail_asking(1, caxton_wrong);
    if (caxton_keeping) caxton_put("}");
    int sent = caxton_sent();
    if (sent < 0) caxton_open = caxton_open_before;
    return sent;
}

#define caxton_turn caxton_turn_asking
#define caxton_end caxton_end_asking
#define caxton_fail caxton_fail_asking
#define caxton_sent caxton_sent_asking

#endif
