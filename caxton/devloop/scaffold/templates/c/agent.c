/* {{name}}: counts. request {"add": k} (1 where it is missing) -> inform {"count": n}.
 *
 * The host calls handle_message for every message; what is said there goes out after the call. caxton.h says how to
 * read a message and how to write one. */
#include "caxton.h"

#define LARGEST 1000000000 /* of one step, so that the count never runs over */

static caxton_int64 count;

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length);
    if (!caxton_is(caxton_get(message, "performative"), "request")) return 0;
    caxton_int64 add = caxton_number(caxton_get(caxton_get(message, "content"), "add"), 1);
    if (add < -LARGEST || add > LARGEST) {
        caxton_begin("refuse"); /* without a receiver a message is a reply */
        caxton_content("{'reason':'add is out of range'}");
    } else {
        count += add;
        caxton_begin("inform");
        caxton_content("{'count':"); /* an apostrophe stands for a double quote */
        caxton_int(count);
        caxton_put("}");
    }
    caxton_end();
    return caxton_sent();
}

/* The state, for the next build of this agent, and for after a crash. */
CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_put("{'v':1,'count':");
    caxton_int(count);
    caxton_put("}");
    return caxton_sent();
}

/* The state of the build before; to refuse what this one cannot read keeps that one running. */
CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length);
    caxton_int64 kept = caxton_number(caxton_get(state, "count"), CAXTON_NO_NUMBER);
    if (caxton_number(caxton_get(state, "v"), 0) != 1 || kept == CAXTON_NO_NUMBER)
        return caxton_fail(1, "not a counter's state, version 1");
    count = kept;
    return 0;
}
