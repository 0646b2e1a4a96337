/* worker: does one order, and reports it to whoever had it made, as its first turn.
 *
 * Settings, from its maker: {"number": 1, "task": {"order": 7}}. It was given none: it waits, as the pattern that others
 * are made like. A task {"fault": true} makes it break down, so that there is something to supervise.
 */
#define CAXTON_LIFE
#include "talk.h"

static kept task;
static caxton_int64 number;

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value settings = caxton_get(caxton_turn(text, length), "settings");
    number = caxton_number(caxton_get(settings, "number"), 0);
    return keep(&task, caxton_get(settings, "task")) ? 0 : caxton_fail(1, "the task is too long");
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), life = caxton_life(message);
    if (!life.n) return puzzled(caxton_get(message, "performative"));
    if (!number || !caxton_is(caxton_get(life, "what"), "born")) return 0;
    if (caxton_same(caxton_get(kept_value(&task), "fault"), "true")) __builtin_trap();
    caxton_begin("inform");
    caxton_set_json("receiver", caxton_get(life, "maker"));
    caxton_content("{'number':"), caxton_int(number);
    caxton_put(",'result':{'done':"), caxton_json(kept_value(&task)), caxton_put("}}");
    caxton_end();
    return caxton_sent();
}
