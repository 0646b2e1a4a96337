/* expert: answers questions about what it knows (fipa-query, the participant's side).
 *
 * Settings: {"knows": {"oslo": "rain", "rome": "sun"}, "fails": false, "slow_ms": 0}.
 * query-ref {"about":"oslo"} -> inform {"about":"oslo","is":"rain"}; refuse where it does not know; failure where it
 * `fails`. With `slow_ms` it agrees first and answers after that time; a cancel meanwhile is confirmed by inform.
 */
#include "talk.h"

static char known[1024]; /* the settings' JSON: it is looked up there */
static int known_n, fails;
static caxton_int64 slow_ms, answered, open_beat; /* 0: nothing is open */
static order_kept asked;
static kept about, name;

static void say_what_is_known(void) {
    caxton_value is = caxton_nothing, key, value, knows = {known, known_n};
    char word[64];
    if (caxton_text(kept_value(&about), word, sizeof word) > 0)
        for (int at = 0; caxton_next(knows, &at, &key, &value);)
            if (caxton_same(key, word)) is = value;
    to_asker(fails ? "failure" : is.n ? "inform" : "refuse", &asked);
    if (fails) caxton_content("{'reason':'the instruments are broken'}");
    else if (!is.n) caxton_content("{'reason':'I know nothing about that'}");
    else {
        answered++;
        caxton_content("{'about':"), caxton_json(kept_value(&about));
        caxton_put(",'is':"), caxton_json(is), caxton_put("}");
    }
    caxton_end();
}

static int knows_it(void) {
    char word[64];
    return caxton_text(kept_value(&about), word, sizeof word) > 0 &&
           caxton_get((caxton_value){known, known_n}, word).n > 0;
}

static int query(caxton_value message) {
    caxton_value what = caxton_get(caxton_get(message, "content"), "about");
    if (what.n < 3 || *what.p != '"') return answer("not-understood", "content must be {\"about\":\"…\"}");
    if (open_beat) return answer("refuse", "busy with another question");
    if (!keep(&about, what) || !keep_order(&asked, message) || !new_conversation(&name, "expert-", message))
        return answer("refuse", "a name in the message is longer than 256 bytes, or it has no id");
    if (slow_ms && knows_it()) { /* after an agree there is no refuse */
        open_beat = 1;
        caxton_begin("agree");
        promise_within(slow_ms);
        caxton_content("{'about':"), caxton_json(what), caxton_put("}");
        caxton_end();
        wake_me(&name, open_beat, slow_ms);
    } else say_what_is_known();
    return caxton_sent();
}

static int cancel(caxton_value message) {
    int from_ams = is_agent(caxton_get(message, "sender"), "ams");
    int same = open_beat && equal(caxton_get(message, "conversation_id"), kept_value(&asked.conversation));
    if (same) open_beat = 0;
    if (from_ams) return 0;
    if (!same) return answer("failure", "nothing to cancel");
    caxton_begin("inform");
    caxton_content("{'cancelled':true}");
    caxton_end();
    return caxton_sent();
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), performative = caxton_get(message, "performative");
    if (caxton_is(performative, "query-ref")) return query(message);
    if (caxton_is(performative, "cancel")) return cancel(message);
    if (open_beat && number_behind(caxton_get(message, "conversation_id"), &name) == open_beat) {
        open_beat = 0;
        say_what_is_known();
        return caxton_sent();
    }
    return puzzled(performative);
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value settings = caxton_get(caxton_turn(text, length), "settings");
    caxton_value knows = caxton_get(settings, "knows");
    if (knows.n > (int)sizeof known) return caxton_fail(1, "settings.knows must be shorter than 1024 bytes");
    for (known_n = 0; known_n < knows.n; known_n++) known[known_n] = knows.p[known_n];
    fails = caxton_same(caxton_get(settings, "fails"), "true");
    slow_ms = caxton_number(caxton_get(settings, "slow_ms"), 0);
    return slow_ms < 0 || slow_ms > 3600000 ? caxton_fail(1, "settings.slow_ms must be 0 to 3600000") : 0;
}

static const field fields[] = {
    {"answered", &answered, 0}, {"open", &open_beat, 0}, {"asker", 0, &asked.asker},
    {"conversation", 0, &asked.conversation}, {"protocol", 0, &asked.protocol},
    {"reply_with", 0, &asked.reply_with}, {"about", 0, &about}, {"name", 0, &name}};

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_put("{'v':1,"), put_fields(FIELDS(fields)), caxton_put(",'whole':[]}");
    return caxton_sent();
}

CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length);
    if (caxton_number(caxton_get(state, "v"), 0) != 1 || caxton_get(state, "whole").n != 2)
        return caxton_fail(1, "not an expert's state, version 1");
    take_fields(state, FIELDS(fields));
    return 0;
}
