/* ring: each agent has the next one made, as long as some are missing; the last one closes the ring. Then a token goes round.
 *
 * Settings: {"more": 999}: how many are to be made after this one; the made ones also get {"first": name}.
 * query-ref -> inform {"agents": n, "closed": true}.
 * request {"laps": 3} -> inform {"laps": 3, "hops": 3000, "us": microseconds}, or refuse while the ring is open.
 */
#define CAXTON_LIFE
#define CAXTON_QUESTIONS 1
#include "ask.h"
#include "talk.h"

#define MOST_LAPS 90 /* a causal chain is 100,000 hops long at the most */

static char me[128], first[128], next[160];
static caxton_int64 more, agents, laps, left, began;
static order_kept runner; /* whoever sent the token off */

static int is_first(void) { return !*first; }

static void have_next_made(void) {
    caxton_ask("ams", "request", 60000);
    caxton_content("{'action':'create','description':{'prefix':'node','like':"), caxton_string(me);
    caxton_put(",'linked':true,'may':["), caxton_put(more > 1 ? "'create'" : "");
    caxton_put("],'settings':{'more':"), caxton_int(more - 1);
    caxton_put(",'count':"), caxton_int(agents + 1);
    caxton_put(",'first':"), caxton_string(is_first() ? me : first), caxton_put("}}}");
    caxton_end();
}

static void caxton_answered(caxton_value context, caxton_value answer) {
    caxton_value made = caxton_get(caxton_get(caxton_get(answer, "content"), "description"), "name");
    (void)context;
    if (!caxton_is(caxton_get(answer, "performative"), "inform") || caxton_text(made, next, sizeof next) < 1)
        caxton_log("error", "the next one was not made: see the message before this line");
}

static void close_ring(void) {
    int i = 0;
    for (; first[i] && i < (int)sizeof next - 1; i++) next[i] = first[i];
    next[i] = 0;
    caxton_begin("inform");
    caxton_set("receiver", first);
    caxton_content("{'closed':"), caxton_int(agents), caxton_put("}");
    caxton_end();
}

static void pass_on(void) {
    caxton_begin("inform");
    caxton_set("receiver", next);
    caxton_content("'token'");
    caxton_end();
}

static void report(caxton_int64 now) {
    to_asker("inform", &runner);
    caxton_content("{'laps':"), caxton_int(laps), caxton_put(",'hops':"), caxton_int(laps * agents);
    caxton_put(",'us':"), caxton_int(now - began), caxton_put("}");
    caxton_end();
    laps = 0;
}

static int run(caxton_value message) {
    caxton_int64 wanted = caxton_number(caxton_get(caxton_get(message, "content"), "laps"), 1);
    if (!*next || !is_first() || agents == 1) return answer("refuse", "the ring is not closed yet");
    if (laps) return answer("refuse", "the token is on its way already");
    if (wanted < 1 || wanted > MOST_LAPS || !keep_order(&runner, message)) return answer("refuse", "laps: 1 to 90");
    laps = left = wanted;
    began = caxton_number(caxton_get(message, "timestamp"), 0);
    pass_on();
    return caxton_sent();
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value config = caxton_turn(text, length), settings = caxton_get(config, "settings");
    more = caxton_number(caxton_get(settings, "more"), 0);
    agents = caxton_number(caxton_get(settings, "count"), 1);
    if (caxton_text(caxton_get(settings, "first"), first, sizeof first) < 0) *first = 0;
    return caxton_text(caxton_get(config, "name"), me, sizeof me) < 1 ? caxton_fail(1, "no name") : 0;
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), life = caxton_life(message);
    caxton_value act = caxton_get(message, "performative"), content = caxton_get(message, "content");
    caxton_int64 closed = caxton_number(caxton_get(content, "closed"), 0);
    if (caxton_is_answer(message)) return caxton_sent();
    if (life.n) {
        if (!caxton_is(caxton_get(life, "what"), "born")) return 0;
        if (more) have_next_made();
        else if (!is_first()) close_ring();
    } else if (caxton_is(act, "inform") && closed) {
        agents = closed;
    } else if (caxton_is(content, "token")) {
        if (is_first() && laps && --left == 0) report(caxton_number(caxton_get(message, "timestamp"), 0));
        else pass_on();
    } else if (caxton_is(act, "request")) {
        return run(message);
    } else if (caxton_is(act, "query-ref")) {
        caxton_begin("inform");
        caxton_content("{'agents':"), caxton_int(agents);
        caxton_put(agents > 1 && is_first() ? ",'closed':true}" : ",'closed':false}");
        caxton_end();
    }
    return caxton_sent();
}
