/* buyer: buys a thing by contract nets (fipa-contract-net, the initiator's side), one round after the other.
 *
 * Settings: {"sellers": ["seller-ann", …], "wait_ms": 2000}: whom to ask, and how long to wait for their proposals.
 * Order: request {"action":"buy","item":"book","rounds":3,"pause_ms":200} -> agree, and when all rounds are over
 * inform {"bought":2,"spent":75,"failed":1}, both in the order's conversation. One order at a time; cancel ends it
 * after the round in hand.
 *
 * Round n is conversation `market-n`; the waits for it are requests to the platform's timer in conversations of their
 * own (`market-n-wait`, `-result`, `-pause`), for a request has no place in a contract net.
 */
#include "talk.h"

#define SELLERS 8
#define PROTOCOL "fipa-contract-net"
#define DEAREST 1000000000000 /* no offer above this: a million rounds of it still fit into `spent` */

static char sellers[SELLERS][64];
static int seller_count;
static caxton_int64 wait_ms = 2000;

static enum { IDLE, COLLECTING, EXECUTING, PAUSING } stage;
static caxton_int64 number; /* of rounds, ever: names the conversations */
static caxton_int64 rounds, round_now, pause_ms, bought, spent, failed;
static caxton_int64 now_us, began_us; /* when the message in hand was said, and that which began the round */
static int again;                     /* the message in hand was delivered again: it is of the past */
static order_kept asked;
static kept item;
static int winner;
static struct {
    enum { ASKED, OFFERED, OUT } state;
    caxton_int64 price;
    kept offer; /* the proposal's reply_with */
} branches[SELLERS];

static void of_this_round(void) {
    caxton_set("protocol", PROTOCOL);
    caxton_put(",'conversation_id':'market-"), caxton_int(number), caxton_put("'");
}

/* Begin a message of the round in hand to one seller. */
static void to_seller(const char *performative, int i) {
    caxton_begin(performative);
    caxton_set("receiver", sellers[i]);
    of_this_round();
}

static void reply_within_wait(void) { caxton_put(",'reply_by':'"), caxton_int(wait_ms), caxton_put("ms'"); }

static void about(const char *more) {
    caxton_content("{'item':"), caxton_json(kept_value(&item)), caxton_put(more);
}

/* Ask the platform's timer; its answer comes back in conversation market-n-what. */
static void wake(const char *what, caxton_int64 after_ms) {
    caxton_begin("request");
    caxton_set("receiver", "timer");
    caxton_set("protocol", "fipa-request");
    caxton_put(",'conversation_id':'market-"), caxton_int(number), caxton_put("-"), caxton_put(what);
    caxton_put("','reply_with':'"), caxton_put(what), caxton_put("-"), caxton_int(number);
    caxton_put("','reply_by':'"), caxton_int(after_ms + TIMER_GRACE_MS), caxton_put("ms'");
    caxton_content("{'after_ms':"), caxton_int(after_ms);
    caxton_put(",'tag':'"), caxton_put(what), caxton_put("-"), caxton_int(number), caxton_put("'}");
    caxton_end();
}

static void begin_round(void) {
    number++;
    if (again) { /* by the timer's answer it is known what time it is, and so when an offer is late */
        stage = PAUSING, wake("pause", 0);
        return;
    }
    round_now++;
    stage = COLLECTING, began_us = now_us;
    for (int i = 0; i < seller_count; i++) branches[i].state = ASKED;
    begin_to_all("cfp", sellers, seller_count);
    of_this_round();
    caxton_put(",'reply_with':'cfp-"), caxton_int(number), caxton_put("'");
    reply_within_wait();
    about(",'round':"), caxton_int(round_now), caxton_put("}");
    caxton_end();
    wake("wait", wait_ms);
}

static void report(void) {
    stage = IDLE;
    to_asker("inform", &asked);
    caxton_content("{'bought':"), caxton_int(bought);
    caxton_put(",'spent':"), caxton_int(spent);
    caxton_put(",'failed':"), caxton_int(failed), caxton_put("}");
    caxton_end();
}

static void end_round(void) {
    if (round_now >= rounds) report();
    else if (!pause_ms) begin_round();
    else stage = PAUSING, wake("pause", pause_ms);
}

static void lose_round(const char *why) {
    failed++;
    caxton_log("info", why);
    end_round();
}

/* Every answer is in, or the time is up: the cheapest offer wins, the first of equals. */
static void decide(void) {
    winner = -1;
    for (int i = 0; i < seller_count; i++)
        if (branches[i].state == OFFERED && (winner < 0 || branches[i].price < branches[winner].price)) winner = i;
    if (winner < 0) return lose_round("nobody made an offer");
    stage = EXECUTING;
    for (int i = 0; i < seller_count; i++) {
        if (branches[i].state != OFFERED) continue;
        to_seller(i == winner ? "accept-proposal" : "reject-proposal", i);
        caxton_set_json("in_reply_to", kept_value(&branches[i].offer));
        if (i == winner) {
            caxton_put(",'reply_with':'accept-"), caxton_int(number), caxton_put("-"), caxton_int(i), caxton_put("'");
            reply_within_wait();
            about(",'price':"), caxton_int(branches[i].price), caxton_put("}");
        } else about(",'reason':'a better offer'}");
        caxton_end();
    }
}

static int order(caxton_value message, caxton_value content) {
    caxton_value thing = caxton_get(content, "item");
    if (!caxton_is(caxton_get(content, "action"), "buy") || thing.n < 3 || *thing.p != '"')
        return answer("not-understood", "content must be {\"action\":\"buy\",\"item\":\"…\",\"rounds\":1,\"pause_ms\":0}");
    if (stage != IDLE) return answer("refuse", "busy with another order");
    if (!seller_count) return answer("refuse", "settings.sellers names nobody");
    if (!keep(&item, thing) || !keep_order(&asked, message))
        return answer("refuse", "a name in the order is longer than 256 bytes");
    rounds = caxton_number(caxton_get(content, "rounds"), 1);
    pause_ms = caxton_number(caxton_get(content, "pause_ms"), 0);
    if (rounds < 1 || rounds > 1000000 || pause_ms < 0 || pause_ms > 3600000)
        return answer("refuse", "rounds must be 1 to 1000000, pause_ms 0 to 3600000");
    round_now = bought = spent = failed = 0;
    caxton_begin("agree");
    promise_within(rounds * (2 * wait_ms + pause_ms));
    about(",'rounds':"), caxton_int(rounds), caxton_put("}");
    caxton_end();
    begin_round();
    return caxton_sent();
}

static int cancel(caxton_value message) {
    if (stage == IDLE || !equal(caxton_get(message, "conversation_id"), kept_value(&asked.conversation)) ||
        !keep(&asked.reply_with, caxton_get(message, "reply_with")))
        return answer("failure", "nothing to cancel");
    rounds = round_now;
    if (stage == PAUSING) report();
    return caxton_sent();
}

/* The timer has answered in market-n-what: its inform, or a failure because there is no timer. */
static void woken(const char *what, int in_time) {
    caxton_value w = {what, 0};
    while (what[w.n]) w.n++;
    if (caxton_same(w, "wait") && !in_time) caxton_log("warning", "no timer: this round waits for every seller");
    else if (caxton_same(w, "wait") && stage == COLLECTING) decide();
    else if (caxton_same(w, "wait") && stage == EXECUTING) wake("result", wait_ms);
    else if (caxton_same(w, "result") && stage == EXECUTING) lose_round("the winner never delivered");
    else if (caxton_same(w, "pause") && stage == PAUSING) begin_round();
}

/* Seller i has spoken in this round (`current`) or in one that is over. */
static void heard(int i, caxton_value message, caxton_value performative, int current) {
    caxton_int64 price = caxton_number(caxton_get(caxton_get(message, "content"), "price"), -1);
    int open = current && stage == COLLECTING && branches[i].state == ASKED;
    int late = open && now_us > began_us + wait_ms * 1000; /* before the timer's beat, and yet after reply_by */
    if (caxton_is(performative, "propose")) {
        if (open && !late && price >= 0 && price <= DEAREST && keep(&branches[i].offer, caxton_get(message, "reply_with"))) {
            branches[i].state = OFFERED;
            branches[i].price = price;
        } else if (open && !late) {
            branches[i].state = OUT;
            answer("reject-proposal", "an offer needs a price and a short reply_with");
        } else if (!current || branches[i].state == ASKED) {
            if (current) branches[i].state = OUT;
            answer("reject-proposal", "late");
        }
    } else if (current && stage == EXECUTING && i == winner) {
        if (caxton_is(performative, "inform")) bought++, spent += branches[i].price, end_round();
        else if (caxton_is(performative, "failure") || caxton_is(performative, "not-understood"))
            lose_round("the winner failed");
        return;
    } else if (current && stage == COLLECTING &&
               (caxton_is(performative, "refuse") || caxton_is(performative, "failure") ||
                caxton_is(performative, "not-understood")))
        branches[i].state = OUT;
    if (!current || stage != COLLECTING) return;
    for (int s = 0; s < seller_count; s++)
        if (branches[s].state == ASKED) return;
    decide();
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), performative = caxton_get(message, "performative");
    caxton_value sender = caxton_get(message, "sender"), in_reply_to = caxton_get(message, "in_reply_to");
    char name[64];
    now_us = caxton_number(caxton_get(message, "timestamp"), 0);
    again = caxton_same(caxton_get(message, "redelivered"), "true");
    int i = 7, n = caxton_text(caxton_get(message, "conversation_id"), name, sizeof name);
    if (caxton_is(performative, "request")) return order(message, caxton_get(message, "content"));
    if (caxton_is(performative, "cancel")) return cancel(message);
    if (n < 8 || !caxton_same((caxton_value){name, 7}, "market-")) return puzzled(performative);
    while (name[i] >= '0' && name[i] <= '9') i++;
    int current = stage != IDLE && caxton_number((caxton_value){name + 7, i - 7}, 0) == number;
    if (name[i] == '-') {
        if (current && (is_agent(sender, "timer") || is_agent(sender, "ams")))
            woken(name + i + 1, caxton_is(performative, "inform"));
        return caxton_sent();
    }
    for (int s = 0; s < seller_count; s++)
        if (is_agent(sender, sellers[s])) return heard(s, message, performative, current), caxton_sent();
    if (is_agent(sender, "ams")) {
        int s = who_is_meant(message, sellers, seller_count, 0);
        if (caxton_is(performative, "not-understood") && in_reply_to.n > 2 && in_reply_to.p[1] == 'c' && current &&
            stage == COLLECTING && number < DEAREST) { /* this round's name was used before: try one far beyond */
            number *= 2, round_now--;
            begin_round();
        } else if (!caxton_is(performative, "propose"))
            for (; s >= 0; s = who_is_meant(message, sellers, seller_count, s + 1)) heard(s, message, performative, current);
        return caxton_sent();
    }
    return puzzled(performative);
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value settings = caxton_get(caxton_turn(text, length), "settings"), key, value;
    caxton_value list = caxton_get(settings, "sellers");
    seller_count = 0;
    for (int at = 0; caxton_next(list, &at, &key, &value); seller_count++) {
        if (seller_count == SELLERS) return caxton_fail(1, "settings.sellers may name 8 agents");
        if (caxton_text(value, sellers[seller_count], sizeof sellers[0]) < 1)
            return caxton_fail(1, "settings.sellers must be names of agents, shorter than 64 bytes");
    }
    wait_ms = caxton_number(caxton_get(settings, "wait_ms"), 2000);
    return wait_ms < 1 || wait_ms > 3600000 ? caxton_fail(1, "settings.wait_ms must be 1 to 3600000") : 0;
}

/* The state's numbers and texts by name, for writing and reading alike. */
static caxton_int64 *const numbers[] = {&number, &rounds, &round_now, &pause_ms, &bought, &spent, &failed, &began_us};
static const char *const number_names[] = {"number", "rounds", "round", "pause_ms", "bought", "spent", "failed", "began_us"};
static kept *const texts[] = {&asked.asker, &asked.conversation, &asked.protocol, &asked.reply_with, &item};
static const char *const text_names[] = {"asker", "conversation", "protocol", "reply_with", "item"};

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_put("{'v':1,'stage':"), caxton_int(stage), caxton_put(",'winner':"), caxton_int(winner);
    for (int i = 0; i < 8; i++) caxton_put(",'"), caxton_put(number_names[i]), caxton_put("':"), caxton_int(*numbers[i]);
    for (int i = 0; i < 5; i++)
        caxton_put(",'"), caxton_put(text_names[i]), caxton_put("':"), caxton_json(kept_value(texts[i]));
    caxton_put(",'branches':[");
    for (int i = 0; i < seller_count; i++) {
        caxton_put(i ? ",{'state':" : "{'state':"), caxton_int(branches[i].state);
        caxton_put(",'price':"), caxton_int(branches[i].price);
        caxton_put(",'offer':"), caxton_json(kept_value(&branches[i].offer)), caxton_put("}");
    }
    caxton_put("]}");
    return caxton_sent();
}

CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length), key, value;
    caxton_value list = caxton_get(state, "branches"); /* the last member: there when the state is whole */
    caxton_int64 was = caxton_number(caxton_get(state, "stage"), -1);
    if (caxton_number(caxton_get(state, "v"), 0) != 1 || !list.n || was < IDLE || was > PAUSING)
        return caxton_fail(1, "not a buyer's state, version 1");
    int count = 0;
    for (int at = 0; caxton_next(list, &at, &key, &value); count++) {
        if (count == seller_count) break;
        caxton_int64 s = caxton_number(caxton_get(value, "state"), OUT);
        branches[count].state = s == ASKED ? ASKED : s == OFFERED ? OFFERED : OUT;
        branches[count].price = caxton_number(caxton_get(value, "price"), 0);
        keep(&branches[count].offer, caxton_get(value, "offer"));
    }
    caxton_int64 w = caxton_number(caxton_get(state, "winner"), -1);
    if (was != IDLE && (count != seller_count || w < -1 || w >= seller_count))
        return caxton_fail(1, "the sellers are not those of the order in hand");
    stage = was == IDLE ? IDLE : was == COLLECTING ? COLLECTING : was == EXECUTING ? EXECUTING : PAUSING;
    winner = (int)w;
    for (int i = 0; i < 8; i++) *numbers[i] = caxton_number(caxton_get(state, number_names[i]), 0);
    for (int i = 0; i < 5; i++) keep(texts[i], caxton_get(state, text_names[i]));
    return 0;
}
