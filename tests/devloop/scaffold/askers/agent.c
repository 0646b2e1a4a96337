/* Asks whom its request names, and says what came of it: {"said": act or null, "content": …, "context": …}. */
#define CAXTON_PUT_BACK
#include "ask.h"

static caxton_int64 asked;

static void caxton_answered(caxton_value context, caxton_value answer) {
    caxton_reply("inform");
    caxton_content("{'said':"), caxton_json(caxton_get(answer, "performative"));
    caxton_put(",'content':"), caxton_json(caxton_get(answer, "content"));
    caxton_put(",'context':"), caxton_json(context), caxton_put("}");
    caxton_end();
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), content = caxton_get(message, "content");
    char to[64];
    if (caxton_is_answer(message)) return caxton_sent();
    if (caxton_is(caxton_get(content, "then"), "wait") && !asked) return caxton_put_back();
    if (caxton_text(caxton_get(content, "to"), to, sizeof to) < 1) return caxton_fail(1, "whom?");
    caxton_ask(to, "request", caxton_number(caxton_get(content, "ms"), 300));
    caxton_content(""), caxton_json(content);
    caxton_context("{'asked':"), caxton_int(++asked), caxton_put("}");
    caxton_end();
    if (caxton_is(caxton_get(content, "then"), "fail")) return caxton_fail(1, "as it was told");
    return caxton_sent();
}

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_int(asked);
    return caxton_sent();
}

CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    asked = caxton_number(caxton_turn(text, length), CAXTON_NO_NUMBER);
    return asked == CAXTON_NO_NUMBER ? caxton_fail(1, "not my state") : 0;
}
