/* market.h: what buyer and seller share. */
#ifndef MARKET_H
#define MARKET_H

#include "caxton.h"

/* Whether the JSON string `name` is that agent; the platform after @ counts only where both give it. */
CAXTON_UNUSED static int is_agent(caxton_value name, const char *agent) {
    int i = 1; /* past the quote */
    if (name.n < 2 || *name.p != '"') return 0;
    while (i < name.n - 1 && *agent && *agent != '@' && name.p[i] == *agent) i++, agent++;
    int here = i == name.n - 1 || name.p[i] == '@', there = !*agent || *agent == '@';
    if (!here || !there || i == 1) return 0;
    if (i == name.n - 1 || !*agent) return 1;
    return caxton_same((caxton_value){name.p + i, name.n - 1 - i}, agent);
}

/* A reply with a reason as its only content. */
static int answer(const char *performative, const char *reason) {
    caxton_begin(performative);
    caxton_content("{'reason':");
    caxton_string(reason);
    caxton_put("}");
    caxton_end();
    return caxton_sent();
}

/* The answer to an act that this agent does not know: not-understood where one is owed, else nothing. Acts that end
 * or report something are never answered, so two agents cannot misunderstand each other for ever. */
static int puzzled(caxton_value performative) {
    static const char *const owed[] = {"request",   "request-when", "request-whenever", "query-if", "query-ref",
                                       "subscribe", "cfp",          "propose",          "proxy",    "propagate"};
    for (unsigned i = 0; i < sizeof owed / sizeof *owed; i++)
        if (caxton_is(performative, owed[i])) return answer("not-understood", "this agent does not know that act");
    return 0;
}

#endif
