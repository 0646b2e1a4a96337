/* heartbeat: begins by itself. When it is told that it was born it registers with the df and asks the timer for its
 * first beat; when it is told that it ends it takes its entry back.
 *
 * Settings: {"every_ms": 1000}. request -> inform {"beats": 3, "told": ["born", "recovered"]}: what it was told of its
 * own life, the first 16 times.
 */
#define CAXTON_LIFE
#include "caxton.h"

#define MOST 16

static caxton_int64 beats, every_ms = 1000;
static char name[256], told[MOST][16];
static caxton_int64 told_count;

static void remember(caxton_value what) {
    if (told_count < MOST && caxton_text(what, told[told_count], sizeof told[0]) > 0) told_count++;
}

static void report(void) {
    caxton_put("{'beats':"), caxton_int(beats), caxton_put(",'told':[");
    for (int i = 0; i < told_count; i++) caxton_put(i ? "," : ""), caxton_string(told[i]);
    caxton_put("]}");
}

static void next_beat(void) {
    caxton_begin("request");
    caxton_set("receiver", "timer");
    caxton_content("{'after_ms':"), caxton_int(every_ms), caxton_put("}");
    caxton_end();
}

static void ask_df(const char *action) {
    caxton_begin("request");
    caxton_set("receiver", "df");
    caxton_content("{'action':"), caxton_string(action);
    caxton_put(",'description':{'name':"), caxton_string(name);
    caxton_put(",'services':[{'type':'heartbeat'}]}}");
    caxton_end();
}

static int live(caxton_value life) {
    caxton_value what = caxton_get(life, "what");
    remember(what);
    if (caxton_is(what, "ending")) {
        ask_df("deregister");
    } else if (caxton_is(what, "born") || caxton_is(what, "restarted")) {
        ask_df("register");
        next_beat();
    }
    return caxton_sent();
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value config = caxton_turn(text, length);
    every_ms = caxton_number(caxton_get(caxton_get(config, "settings"), "every_ms"), every_ms);
    return caxton_text(caxton_get(config, "name"), name, sizeof name) < 0 ? caxton_fail(1, "no name") : 0;
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), life = caxton_life(message);
    if (life.n) return live(life);
    if (caxton_is(caxton_get(message, "sender"), "timer@local")) {
        beats++;
        next_beat();
    } else if (caxton_is(caxton_get(message, "performative"), "request")) {
        caxton_begin("inform");
        caxton_content(""), report();
        caxton_end();
    }
    return caxton_sent();
}

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    report();
    return caxton_sent();
}

CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length), key, what;
    beats = caxton_number(caxton_get(state, "beats"), 0);
    caxton_value list = caxton_get(state, "told");
    for (int at = 0; caxton_next(list, &at, &key, &what);) remember(what);
    return 0;
}
