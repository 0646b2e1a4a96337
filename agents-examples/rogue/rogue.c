/* rogue: misbehaves when it is told to, so that limits can be seen at work; echoes anything else.
 *
 * {"spin":true} loops until the host stops it, {"trap":true} executes `unreachable`, {"grow":true} takes memory
 * until it is refused and then says how many KiB it has.
 */
#include "caxton.h"

static volatile unsigned spun; /* volatile: the loop must stay a loop */

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), content = caxton_get(message, "content");
    if (caxton_same(caxton_get(content, "spin"), "true"))
        for (;;) spun++;
    if (caxton_same(caxton_get(content, "trap"), "true")) __builtin_trap();
    if (caxton_same(caxton_get(content, "grow"), "true")) {
        while (caxton_pages(65536)) spun++;
        caxton_begin("inform");
        caxton_content("{'memory_kib':");
        caxton_int((caxton_int64)__builtin_wasm_memory_size(0) * 64);
        caxton_put("}");
        caxton_end();
        return caxton_sent();
    }
    if (!caxton_is(caxton_get(message, "performative"), "request")) return 0;
    caxton_begin("inform");
    caxton_set_json("content", content);
    caxton_end();
    return caxton_sent();
}
