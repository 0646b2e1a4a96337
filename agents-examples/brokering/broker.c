/* broker: finds the agents that offer a service, asks each of them, and relays their answers (fipa-brokering, the
 * participant's side; the initiator's side of fipa-query and fipa-request).
 *
 * Settings: {"services": {"weather": ["north","south"]}, "wait_ms": 2000}: who offers what, and how long an answer is
 * waited for.
 * proxy {"descriptor":{"service":"weather"},"message":{"performative":"query-ref","content":…},
 *        "constraint":{"at_most":2}} -> agree, inform {"asked":["north","south"]}, and each answer as it comes:
 * inform {"from":"north","content":…} with the act of the answer. An agent that failed is told of by
 * inform {"from":"south","failed":…}. refuse where nobody offers the service; failure where nobody answered.
 *
 * Each agent is asked in a sub-conversation of its own, `broker-…-0`, `-1`, …, whose first message says by
 * `x_proxy_of` which brokering it serves. By that the platform knows that the brokering is done.
 */
#include "talk.h"

#define BROKERINGS 4 /* at a time */
#define AGENTS 8     /* asked in one of them */
#define OFFERS 32
#define BEAT 100 /* behind the agents' numbers: the conversation with the timer */

static struct {
    char service[64], agent[64];
} offers[OFFERS];
static int offer_count;
static caxton_int64 wait_ms = 2000;

enum { UNASKED, ASKED, AGREED, OVER };
typedef struct {
    caxton_int64 used, count, relayed, good;
    order_kept asked; /* the proxy */
    kept name;        /* of the sub-conversations */
    struct {
        caxton_int64 state;
        char agent[64];
    } subs[AGENTS];
} brokering;
static brokering brokerings[BROKERINGS];

/* Begin a message of a sub-conversation. */
static void to_agent(const char *performative, brokering *b, int i) {
    caxton_begin(performative);
    caxton_set("receiver", b->subs[i].agent);
    caxton_put(",'conversation_id':"), put_numbered(&b->name, i);
    caxton_put(",'reply_with':'"), caxton_put(performative), caxton_put("-"), caxton_int(i), caxton_put("'");
}

static int pending(const brokering *b) {
    int count = 0;
    for (int i = 0; i < b->count; i++) count += b->subs[i].state != OVER;
    return count;
}

/* Nothing more will come. Who was told of anything already is told no more: with the last answer it is done. */
static void finish(brokering *b) {
    b->used = 0;
    if (b->relayed) return;
    to_asker("failure", &b->asked);
    caxton_content("{'reason':'nobody answered'}");
    caxton_end();
}

static void relay(brokering *b, int i, const char *performative, const char *as, caxton_value content) {
    to_asker(performative, &b->asked);
    caxton_content("{'from':"), caxton_string(b->subs[i].agent);
    caxton_put(",'"), caxton_put(as), caxton_put("':"), caxton_json(content), caxton_put("}");
    caxton_end();
}

/* Agent i has answered; `message` is what it said. */
static void heard(brokering *b, int i, caxton_value performative, caxton_value message) {
    static const char *const final[] = {"inform", "refuse", "confirm", "disconfirm", "inform-if", "inform-ref"};
    caxton_value content = caxton_get(message, "content");
    if (b->subs[i].state == OVER) return;
    if (caxton_is(performative, "agree")) {
        b->subs[i].state = AGREED;
        relay(b, i, "agree", "content", content);
        return;
    }
    int failed = caxton_is(performative, "failure") || caxton_is(performative, "not-understood");
    if (failed) {
        b->subs[i].state = OVER;
        if (!pending(b) && !b->good) {
            to_asker("failure", &b->asked);
            caxton_content("{'reason':'nobody could do it','from':"), caxton_string(b->subs[i].agent);
            caxton_put(",'failed':"), caxton_json(content), caxton_put("}");
            caxton_end();
            b->used = 0;
            return;
        }
        relay(b, i, "inform", "failed", content);
    } else {
        for (unsigned a = 0; a < sizeof final / sizeof *final; a++)
            if (caxton_is(performative, final[a])) {
                b->subs[i].state = OVER, b->good++;
                relay(b, i, final[a], "content", content);
            }
        if (b->subs[i].state != OVER) return;
    }
    b->relayed++;
    if (!pending(b)) finish(b);
}

/* Agent i could not be reached: the asker learns of it only where nobody else answers either. */
static void lost(brokering *b, int i) {
    if (b->subs[i].state == OVER) return;
    b->subs[i].state = OVER;
    caxton_log("info", "an agent that was found could not be reached");
    if (!pending(b)) finish(b);
}

/* Who has agreed and not delivered is told that nobody waits any more. */
static void call_off(brokering *b, int least) {
    for (int i = 0; i < b->count; i++) {
        if (b->subs[i].state < least || b->subs[i].state == OVER) continue;
        to_agent("cancel", b, i);
        caxton_end();
        b->subs[i].state = OVER;
    }
}

static int proxy(caxton_value message, caxton_value content) {
    caxton_value service = caxton_get(caxton_get(content, "descriptor"), "service");
    caxton_value passed = caxton_get(content, "message"), act = caxton_get(passed, "performative");
    caxton_value protocol = caxton_get(passed, "protocol");
    const char *with = caxton_is(act, "query-ref") || caxton_is(act, "query-if") ? "fipa-query" : "fipa-request";
    char said[16];
    if (service.n < 3 || *service.p != '"' || passed.n < 2 || *passed.p != '{')
        return answer("not-understood", "content must be {\"descriptor\":{\"service\":\"…\"},\"message\":{…}}");
    if (!(caxton_is(act, "query-ref") || caxton_is(act, "query-if") || caxton_is(act, "request")) ||
        (protocol.n && !caxton_is(protocol, with)) || caxton_text(act, said, sizeof said) < 1)
        return answer("refuse", "only query-ref, query-if and request are passed on");
    caxton_int64 most = caxton_number(caxton_get(caxton_get(content, "constraint"), "at_most"), AGENTS);
    brokering *b = 0;
    for (int n = 0; n < BROKERINGS && !b; n++)
        if (!brokerings[n].used) b = &brokerings[n];
    if (!b) return answer("refuse", "busy with as many brokerings as there may be");
    b->count = b->relayed = b->good = 0;
    for (int o = 0; o < offer_count && b->count < AGENTS && b->count < most; o++) {
        if (!caxton_is(service, offers[o].service)) continue;
        for (int c = 0; c < 64; c++) b->subs[b->count].agent[c] = offers[o].agent[c];
        b->subs[b->count++].state = ASKED;
    }
    if (!b->count) return answer("refuse", "nobody is known who offers that service");
    if (!keep_order(&b->asked, message)) return answer("refuse", "a name in the message is longer than 256 bytes");
    if (!new_conversation(&b->name, "broker-", message)) return answer("refuse", "the message has no id");
    b->used = 1;
    caxton_begin("agree");
    caxton_content("{'service':"), caxton_json(service), caxton_put("}");
    caxton_end();
    to_asker("inform", &b->asked);
    caxton_content("{'asked':[");
    for (int i = 0; i < b->count; i++) caxton_put(i ? "," : ""), caxton_string(b->subs[i].agent);
    caxton_put("]}");
    caxton_end();
    for (int i = 0; i < b->count; i++) {
        to_agent(said, b, i);
        caxton_set("protocol", with);
        caxton_set_json("x_proxy_of", kept_value(&b->asked.conversation));
        caxton_put(",'reply_by':'"), caxton_int(wait_ms), caxton_put("ms'");
        caxton_content(""), caxton_json(caxton_get(passed, "content"));
        caxton_end();
    }
    wake_me(&b->name, BEAT, wait_ms);
    return caxton_sent();
}

/* The asker has lost interest: so have we, in every agent that was asked. */
static int cancel(caxton_value message) {
    int from_ams = is_agent(caxton_get(message, "sender"), "ams");
    for (int n = 0; n < BROKERINGS; n++) {
        brokering *b = &brokerings[n];
        if (!b->used || !equal(caxton_get(message, "conversation_id"), kept_value(&b->asked.conversation))) continue;
        if (!from_ams) {
            caxton_begin("inform");
            caxton_content("{'cancelled':true}");
            caxton_end();
        }
        call_off(b, ASKED);
        b->used = 0;
        return caxton_sent();
    }
    return from_ams ? 0 : answer("failure", "nothing to cancel");
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), performative = caxton_get(message, "performative");
    caxton_value sender = caxton_get(message, "sender"), where = caxton_get(message, "conversation_id");
    if (caxton_is(performative, "proxy")) return proxy(message, caxton_get(message, "content"));
    if (caxton_is(performative, "cancel")) return cancel(message);
    for (int n = 0; n < BROKERINGS; n++) {
        brokering *b = &brokerings[n];
        caxton_int64 i = b->used ? number_behind(where, &b->name) : -1;
        if (i == BEAT && is_agent(sender, "timer") && caxton_is(performative, "inform")) {
            call_off(b, AGREED);
            finish(b);
        } else if (i >= 0 && i < b->count) {
            if (is_agent(sender, "ams")) lost(b, (int)i);
            else if (is_agent(sender, b->subs[i].agent)) heard(b, (int)i, performative, message);
        }
        if (i >= 0) return caxton_sent();
    }
    return puzzled(performative);
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value settings = caxton_get(caxton_turn(text, length), "settings"), service, agents, key, agent;
    offer_count = 0;
    for (int at = 0; caxton_next(caxton_get(settings, "services"), &at, &service, &agents);)
        for (int inner = 0; caxton_next(agents, &inner, &key, &agent); offer_count++) {
            if (offer_count == OFFERS) return caxton_fail(1, "settings.services may have 32 agents in all");
            if (caxton_text((caxton_value){service.p - 1, service.n + 2}, offers[offer_count].service, 64) < 1 ||
                caxton_text(agent, offers[offer_count].agent, 64) < 1)
                return caxton_fail(1, "settings.services must be {\"service\": [\"agent\", …]}, names under 64 bytes");
        }
    wait_ms = caxton_number(caxton_get(settings, "wait_ms"), 2000);
    return wait_ms < 1 || wait_ms > 240000 ? caxton_fail(1, "settings.wait_ms must be 1 to 240000") : 0;
}

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_put("{'v':1,'brokerings':[");
    for (int n = 0, first = 1; n < BROKERINGS; n++) {
        brokering *b = &brokerings[n];
        if (!b->used) continue;
        caxton_put(first ? "{'asker':" : ",{'asker':"), caxton_json(kept_value(&b->asked.asker)), first = 0;
        caxton_put(",'conversation':"), caxton_json(kept_value(&b->asked.conversation));
        caxton_put(",'protocol':"), caxton_json(kept_value(&b->asked.protocol));
        caxton_put(",'reply_with':"), caxton_json(kept_value(&b->asked.reply_with));
        caxton_put(",'name':"), caxton_json(kept_value(&b->name));
        caxton_put(",'relayed':"), caxton_int(b->relayed), caxton_put(",'good':"), caxton_int(b->good);
        caxton_put(",'subs':{");
        for (int i = 0; i < b->count; i++) {
            caxton_put(i ? "," : ""), caxton_string(b->subs[i].agent);
            caxton_put(":"), caxton_int(b->subs[i].state);
        }
        caxton_put("}}");
    }
    caxton_put("]}");
    return caxton_sent();
}

CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length), key, value, agent, was;
    caxton_value list = caxton_get(state, "brokerings"); /* the last member: there when the state is whole */
    if (caxton_number(caxton_get(state, "v"), 0) != 1 || !list.n)
        return caxton_fail(1, "not a broker's state, version 1");
    for (int n = 0, at = 0; n < BROKERINGS; n++) {
        brokering *b = &brokerings[n];
        b->used = b->count = 0;
        if (!caxton_next(list, &at, &key, &value)) continue;
        keep(&b->asked.asker, caxton_get(value, "asker"));
        keep(&b->asked.conversation, caxton_get(value, "conversation"));
        keep(&b->asked.protocol, caxton_get(value, "protocol"));
        keep(&b->asked.reply_with, caxton_get(value, "reply_with"));
        keep(&b->name, caxton_get(value, "name"));
        b->relayed = caxton_number(caxton_get(value, "relayed"), 0);
        b->good = caxton_number(caxton_get(value, "good"), 0);
        for (int inner = 0; b->count < AGENTS && caxton_next(caxton_get(value, "subs"), &inner, &agent, &was);) {
            caxton_int64 one = caxton_number(was, OVER);
            if (caxton_text((caxton_value){agent.p - 1, agent.n + 2}, b->subs[b->count].agent, 64) < 1) continue;
            b->subs[b->count++].state = one == ASKED || one == AGREED ? one : OVER;
        }
        b->used = b->count > 0;
    }
    return 0;
}
