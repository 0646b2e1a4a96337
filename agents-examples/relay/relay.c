/* relay: two of them answer each other for ever, counting as they go. `caxton bench` measures with it.
 *
 * request {"n": k} -> inform {"n": k+1};  inform {"n": k} -> request {"n": k+1};
 * cfp {"n": k} -> propose {"n": k+1};  propose {"n": k} -> cfp {"n": k+1}, a contract net in rounds without end.
 * Nothing else is answered. All are replies: the host takes receiver, conversation and protocol from the message in hand.
 */
#include "caxton.h"

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), key, value;
    caxton_value performative = caxton_nothing, content = caxton_nothing;
    for (int at = 0; caxton_next(message, &at, &key, &value);) {
        if (caxton_same(key, "performative")) performative = value;
        else if (caxton_same(key, "content")) content = value;
        if (performative.n && content.n) break; /* one walk, and no further than needed */
    }
    if (caxton_is(performative, "request")) caxton_begin("inform");
    else if (caxton_is(performative, "inform")) caxton_begin("request");
    else if (caxton_is(performative, "cfp")) caxton_begin("propose");
    else if (caxton_is(performative, "propose")) caxton_begin("cfp");
    else return 0;
    caxton_content("{'n':");
    caxton_int(caxton_number(caxton_get(content, "n"), 0) + 1);
    caxton_put("}");
    caxton_end();
    return caxton_sent();
}
