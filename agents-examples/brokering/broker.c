/* broker: finds the agents that offer a service, asks each of them, and relays their answers (fipa-brokering, the
 * participant's side; the initiator's side of fipa-query and fipa-request).
 *
 * Settings: {"services": {"weather": ["north","south"]}, "df": false, "wait_ms": 2000}: who offers what, whether the
 * platform's directory is asked for what stands not there, and how long an answer is waited for.
 * proxy {"descriptor":{"service":"weather"},"message":{"performative":"query-ref","content":…},
 *        "constraint":{"at_most":2}} -> agree, inform {"asked":["north","south"]}, and each answer as it comes:
 * inform {"from":"north","content":…} with the act of the answer. An agent that failed is told of by
 * inform {"from":"south","failed":…}. refuse where nobody is known to offer the service, failure where the directory knows
 * nobody either, or where nobody answered.
 *
 * Each agent is asked in a sub-conversation of its own, `broker-…-0`, `-1`, …, whose first message says by
 * `x_proxy_of` which brokering it serves. By that the platform knows that the brokering is done.
 */
#include "talk.h"

#define BROKERINGS 4 /* at a time */
#define AGENTS 8 /* asked in one of them */
#define OFFERS 32
#define PASSED 1024 /* bytes of a message that can wait for the directory's answer */
#define BEAT 100 /* behind the agents' numbers: the conversation with the timer about their answers, */
#define FIND 101 /* that with the directory, */
#define FIND_BEAT 102 /* and that with the timer about the directory's */

static struct {
    char service[64], agent[64];
} offers[OFFERS];
static int offer_count, asks_df;
static caxton_int64 wait_ms = 2000;

enum { UNASKED, ASKED, AGREED, OVER };
typedef struct {
    caxton_int64 used, count, most, searching, relayed, good;
    int passed_n;
    char passed[PASSED]; /* what is to be passed on, while the directory is asked */
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
static void fail(brokering *b, const char *why) {
    b->used = 0;
    to_asker("failure", &b->asked);
    caxton_content("{'reason':"), caxton_string(why), caxton_put("}");
    caxton_end();
}

static void finish(brokering *b) {
    if (!b->relayed) fail(b, "nobody answered");
    b->used = 0;
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

/* The agents are found: say so, and ask each of them. */
static void forward(brokering *b, caxton_value passed) {
    char said[16];
    caxton_value act = caxton_get(passed, "performative");
    caxton_text(act, said, sizeof said);
    b->searching = 0;
    to_asker("inform", &b->asked);
    caxton_content("{'asked':[");
    for (int i = 0; i < b->count; i++) caxton_put(i ? "," : ""), caxton_string(b->subs[i].agent);
    caxton_put("]}");
    caxton_end();
    for (int i = 0; i < b->count; i++) {
        b->subs[i].state = ASKED;
        to_agent(said, b, i);
        caxton_set("protocol", caxton_is(act, "request") ? "fipa-request" : "fipa-query");
        caxton_set_json("x_proxy_of", kept_value(&b->asked.conversation));
        caxton_put(",'reply_by':'"), caxton_int(wait_ms), caxton_put("ms'");
        caxton_content(""), caxton_json(caxton_get(passed, "content"));
        caxton_end();
    }
    wake_me(&b->name, BEAT, wait_ms);
}

/* Ask the platform's directory who offers that service. */
static void search(brokering *b, caxton_value service) {
    b->searching = 1;
    caxton_begin("request");
    caxton_set("receiver", "df");
    caxton_set("protocol", "fipa-request");
    caxton_put(",'conversation_id':"), put_numbered(&b->name, FIND);
    caxton_set("reply_with", "find-1");
    caxton_put(",'reply_by':'"), caxton_int(wait_ms), caxton_put("ms'");
    caxton_content("{'action':'search','description':{'services':[{'type':"), caxton_json(service);
    caxton_put("}]},'constraints':{'max-results':"), caxton_int(b->most), caxton_put("}}");
    caxton_end();
    wake_me(&b->name, FIND_BEAT, wait_ms);
}

/* The directory has answered. */
static void found(brokering *b, caxton_value performative, caxton_value result) {
    caxton_value key, entry;
    if (!b->searching || caxton_is(performative, "agree")) return;
    b->searching = 0;
    if (!caxton_is(performative, "inform")) {
        fail(b, "the directory could not be asked");
        return;
    }
    for (int at = 0; b->count < b->most && caxton_next(result, &at, &key, &entry);)
        if (caxton_text(caxton_get(entry, "name"), b->subs[b->count].agent, 64) > 0) b->count++;
    if (b->count) forward(b, (caxton_value){b->passed, b->passed_n});
    else fail(b, "no match");
}

static int proxy(caxton_value message, caxton_value content) {
    caxton_value service = caxton_get(caxton_get(content, "descriptor"), "service");
    caxton_value passed = caxton_get(content, "message"), act = caxton_get(passed, "performative");
    caxton_value protocol = caxton_get(passed, "protocol");
    const char *with = caxton_is(act, "query-ref") || caxton_is(act, "query-if") ? "fipa-query" : "fipa-request";
    if (service.n < 3 || *service.p != '"' || passed.n < 2 || *passed.p != '{')
        return answer("not-understood", "content must be {\"descriptor\":{\"service\":\"…\"},\"message\":{…}}");
    if (!(caxton_is(act, "query-ref") || caxton_is(act, "query-if") || caxton_is(act, "request")) ||
        (protocol.n && !caxton_is(protocol, with)))
        return answer("refuse", "only query-ref, query-if and request are passed on");
    caxton_int64 most = caxton_number(caxton_get(caxton_get(content, "constraint"), "at_most"), AGENTS);
    brokering *b = 0;
    for (int n = 0; n < BROKERINGS && !b; n++)
        if (!brokerings[n].used) b = &brokerings[n];
    if (!b) return answer("refuse", "busy with as many brokerings as there may be");
    if (most < 1) return answer("refuse", "constraint.at_most must be 1 or more");
    b->count = b->relayed = b->good = b->searching = 0;
    b->most = most < AGENTS ? most : AGENTS;
    for (int o = 0; o < offer_count && b->count < b->most; o++) {
        if (!caxton_is(service, offers[o].service)) continue;
        for (int c = 0; c < 64; c++) b->subs[b->count].agent[c] = offers[o].agent[c];
        b->count++;
    }
    if (!b->count && !asks_df) return answer("refuse", "nobody is known who offers that service");
    if (!b->count && passed.n > PASSED) return answer("refuse", "the message to pass on is longer than 1024 bytes");
    if (!keep_order(&b->asked, message)) return answer("refuse", "a name in the message is longer than 256 bytes");
    if (!new_conversation(&b->name, "broker-", message)) return answer("refuse", "the message has no id");
    b->used = 1;
    caxton_begin("agree");
    caxton_content("{'service':"), caxton_json(service), caxton_put("}");
    caxton_end();
    if (b->count) forward(b, passed);
    else {
        for (b->passed_n = 0; b->passed_n < passed.n; b->passed_n++) b->passed[b->passed_n] = passed.p[b->passed_n];
        search(b, service);
    }
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
        } else if (i == FIND_BEAT && b->searching) fail(b, "the directory does not answer");
        else if (i == FIND && (is_agent(sender, "df") || is_agent(sender, "ams"))) {
            found(b, performative, caxton_get(caxton_get(message, "content"), "result"));
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
    asks_df = caxton_same(caxton_get(settings, "df"), "true");
    wait_ms = caxton_number(caxton_get(settings, "wait_ms"), 2000);
    return wait_ms < 1 || wait_ms > 120000 ? caxton_fail(1, "settings.wait_ms must be 1 to 120000") : 0;
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
        if (b->searching) {
            caxton_put(",'most':"), caxton_int(b->most);
            caxton_put(",'passed':"), caxton_json((caxton_value){b->passed, b->passed_n});
        }
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
        caxton_value passed = caxton_get(value, "passed");
        b->most = caxton_number(caxton_get(value, "most"), AGENTS);
        b->searching = passed.n > 0 && passed.n <= PASSED && b->most >= 1 && b->most <= AGENTS;
        for (b->passed_n = 0; b->searching && b->passed_n < passed.n; b->passed_n++)
            b->passed[b->passed_n] = passed.p[b->passed_n];
        b->used = b->count > 0 || b->searching;
    }
    return 0;
}
