/* counter: remembers a number over messages, and over a change of its build.
 *
 * request {"add": k} (1 where it is missing) -> inform {"count": n}. caxton_snapshot writes {"v":1,"count":n};
 * caxton_restore takes that and nothing else, so a build with another idea of its state is refused, not misled.
 */
#include "caxton.h"

#define LARGEST 1000000000 /* of one step: a billion of them still fit into the 18 digits that can be read back */

static caxton_int64 count;

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length);
    if (!caxton_is(caxton_get(message, "performative"), "request")) return 0;
    caxton_int64 add = caxton_number(caxton_get(caxton_get(message, "content"), "add"), 1);
    if (add < -LARGEST || add > LARGEST) {
        caxton_begin("refuse");
        caxton_content("{'reason':'add is out of range'}");
    } else {
        count += add;
        caxton_begin("inform");
        caxton_content("{'count':");
        caxton_int(count);
        caxton_put("}");
    }
    caxton_end();
    return caxton_sent();
}

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_put("{'v':1,'count':");
    caxton_int(count);
    caxton_put("}");
    return caxton_sent();
}

CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length);
    caxton_int64 kept = caxton_number(caxton_get(state, "count"), CAXTON_NO_NUMBER);
    if (caxton_number(caxton_get(state, "v"), 0) != 1 || kept == CAXTON_NO_NUMBER)
        return caxton_fail(1, "not a counter's state, version 1");
    count = kept;
    return 0;
}
