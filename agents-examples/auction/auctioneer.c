/* auctioneer: sells a thing by an English auction (fipa-auction-english, the initiator's side).
 *
 * Settings: {"bidders": ["ann", …], "wait_ms": 500, "pause_ms": 50}: who is invited, how long a price stands, how long
 * the pauses between two steps are.
 * Order: request {"action":"sell","item":"painting","start":100,"step":10,"reserve":150} -> agree, and in the end
 * inform {"sold":true,"to":"ann","price":150,"rounds":6} or {"sold":false,"why":"nobody bid",…}, both in the order's
 * conversation. One order at a time; cancel ends the auction before the sale.
 *
 * The auction is one conversation, `auction-…`. Everything that moves it on is a bid or a beat of the platform's timer
 * (conversations `auction-…-1`, `-2`, …). Between two steps there is always a beat: when the platform says that a
 * bidder could not be reached, that has been heard before the next message to it.
 */
#include "talk.h"

#define BIDDERS 8
#define ROUNDS 1000 /* then the hammer falls */
#define DEAREST 1000000000000
#define PROTOCOL "fipa-auction-english"

static char bidders[BIDDERS][64];
static int bidder_count;
static caxton_int64 wait_ms = 500, pause_ms = 50;

enum { IDLE, OPENING, BIDDING, BETWEEN, CLOSING, SELLING };
static caxton_int64 stage, beat, round, price, step, reserve, arrivals, leader, led, agreed;
static order_kept order;
static kept conversation, item;
static struct {
    caxton_int64 in;  /* still takes part */
    caxton_int64 bid; /* in this round: 0 no, else the how many-th */
    kept offer;       /* the bid's reply_with */
} branches[BIDDERS];

static void wait_for(caxton_int64 after_ms) { wake_me(&conversation, ++beat, after_ms); }

/* Begin a message to one bidder. Its reply_with ends in the bidder's number, so that what comes back undeliverable
 * tells whose branch it ends. */
static void to_bidder(const char *performative, int i) {
    caxton_begin(performative);
    caxton_set("receiver", bidders[i]);
    caxton_set("protocol", PROTOCOL);
    caxton_set_json("conversation_id", kept_value(&conversation));
    caxton_put(",'reply_with':'"), caxton_put(performative), caxton_put("-"), caxton_int(beat);
    caxton_put("-"), caxton_int(i), caxton_put("'");
}

static void about(const char *before) {
    caxton_content(before), caxton_put("'item':"), caxton_json(kept_value(&item));
}

/* The order's answer, and the end of the work on it. */
static void report(const char *why) {
    stage = IDLE;
    to_asker("inform", &order);
    about(why ? "{'sold':false," : "{'sold':true,");
    if (why) caxton_put(",'why':"), caxton_string(why);
    else caxton_put(",'to':"), caxton_string(bidders[leader]), caxton_put(",'price':"), caxton_int(led);
    caxton_put(",'rounds':"), caxton_int(round), caxton_put("}");
    caxton_end();
}

static void tell_the_end(void) {
    for (int i = 0; i < bidder_count; i++) {
        if (!branches[i].in) continue;
        to_bidder("inform", i);
        about("{'auction':'closed',");
        caxton_put(",'leading':"), caxton_put(i == leader ? "true}" : "false}");
        caxton_end();
    }
}

static void close_auction(void) {
    stage = CLOSING;
    tell_the_end();
    wait_for(pause_ms);
}

/* How many could still bid in this round: who takes part, does not lead and has not bid. */
static int undecided(void) {
    int count = 0;
    for (int i = 0; i < bidder_count; i++) count += branches[i].in && i != leader && !branches[i].bid;
    return count;
}

/* Call the next price, or end the auction where nobody could take it. */
static void call_price(void) {
    arrivals = 0;
    for (int i = 0; i < bidder_count; i++) branches[i].bid = 0;
    if (!undecided() || round >= ROUNDS || price > DEAREST - step) {
        close_auction();
        return;
    }
    if (round++) price += step;
    stage = BIDDING;
    for (int i = 0; i < bidder_count; i++) {
        if (!branches[i].in) continue;
        to_bidder("cfp", i);
        caxton_put(",'reply_by':'"), caxton_int(wait_ms), caxton_put("ms'");
        about("{"), caxton_put(",'price':"), caxton_int(price), caxton_put(",'round':"), caxton_int(round);
        caxton_put(",'leading':"), caxton_put(i == leader ? "true}" : "false}");
        caxton_end();
    }
    wait_for(wait_ms);
}

/* The round is over: of equal bids the first leads. */
static void decide(void) {
    int best = -1;
    for (int i = 0; i < bidder_count; i++)
        if (branches[i].in && branches[i].bid && (best < 0 || branches[i].bid < branches[best].bid)) best = i;
    if (best < 0) {
        close_auction();
        return;
    }
    leader = best, led = price;
    for (int i = 0; i < bidder_count; i++) {
        if (!branches[i].in || !branches[i].bid) continue;
        to_bidder(i == best ? "accept-proposal" : "reject-proposal", i);
        caxton_set_json("in_reply_to", kept_value(&branches[i].offer));
        about("{"), caxton_put(",'price':"), caxton_int(price);
        if (i != best) caxton_put(",'reason':'another bid came first'");
        caxton_put("}");
        caxton_end();
    }
    stage = BETWEEN;
    wait_for(pause_ms);
}

/* After the end: the leader is asked for the sale. */
static void sell(void) {
    if (leader < 0) report("nobody bid");
    else if (led < reserve) report("the reserve was not reached");
    else if (!branches[leader].in) report("the leader has left");
    else {
        stage = SELLING, agreed = 0;
        to_bidder("request", (int)leader);
        caxton_put(",'reply_by':'"), caxton_int(wait_ms), caxton_put("ms'");
        about("{'action':'pay',"), caxton_put(",'price':"), caxton_int(led), caxton_put("}");
        caxton_end();
        wait_for(wait_ms);
    }
}

/* The timer's beat: the next step of whatever goes on. */
static void moved_on(void) {
    if (stage == OPENING || stage == BETWEEN) call_price();
    else if (stage == BIDDING) decide();
    else if (stage == CLOSING) sell();
    else if (stage == SELLING && agreed) agreed = 0, wait_for(wait_ms);
    else if (stage == SELLING) report("the leader did not pay in time");
}

/* Bidder i takes part no longer: it said so, or could not be reached. */
static void left(int i, const char *why) {
    branches[i].in = 0;
    caxton_log("info", why);
    if (stage == SELLING && i == leader) report("the leader has left");
    else if (stage == BIDDING && !undecided()) decide();
}

static void heard(int i, caxton_value performative, caxton_value message) {
    if (caxton_is(performative, "not-understood")) return left(i, "a bidder has left the auction");
    if (stage == SELLING && i == leader) {
        if (caxton_is(performative, "agree")) agreed = 1;
        else if (caxton_is(performative, "inform")) report(0);
        else if (caxton_is(performative, "refuse")) report("the leader refused");
        else if (caxton_is(performative, "failure")) report("the leader failed to pay");
    } else if (caxton_is(performative, "propose") && stage == BIDDING && branches[i].in && !branches[i].bid) {
        caxton_int64 offered = caxton_number(caxton_get(caxton_get(message, "content"), "price"), -1);
        if (offered != price || !keep(&branches[i].offer, caxton_get(message, "reply_with"))) {
            answer("reject-proposal", "a bid names the price that was called, and a short reply_with");
            return; /* lost, and out of this round only: its bid is not counted */
        }
        branches[i].bid = ++arrivals;
        if (!undecided()) decide();
    }
}

static int sell_order(caxton_value message, caxton_value content) {
    caxton_value thing = caxton_get(content, "item");
    if (!caxton_is(caxton_get(content, "action"), "sell") || thing.n < 3 || *thing.p != '"')
        return answer("not-understood",
                      "content must be {\"action\":\"sell\",\"item\":\"…\",\"start\":100,\"step\":10,\"reserve\":0}");
    if (stage != IDLE) return answer("refuse", "busy with another auction");
    if (!bidder_count) return answer("refuse", "settings.bidders names nobody");
    price = caxton_number(caxton_get(content, "start"), -1);
    step = caxton_number(caxton_get(content, "step"), -1);
    reserve = caxton_number(caxton_get(content, "reserve"), 0);
    if (price < 0 || price > DEAREST || step < 1 || step > DEAREST)
        return answer("refuse", "start must be 0 or more, step 1 or more, neither above 10^12");
    if (!keep(&item, thing) || !keep_order(&order, message))
        return answer("refuse", "a name in the order is longer than 256 bytes");
    if (!new_conversation(&conversation, "auction-", message)) return answer("refuse", "the order has no id");
    stage = OPENING, beat = round = 0, leader = -1;
    caxton_begin("agree");
    promise_within(ROUNDS * (wait_ms + pause_ms) + 3 * wait_ms);
    about("{"), caxton_put("}");
    caxton_end();
    for (int i = 0; i < bidder_count; i++) branches[i].in = 1, branches[i].bid = 0;
    begin_to_all("inform", bidders, bidder_count);
    caxton_set("protocol", PROTOCOL);
    caxton_set_json("conversation_id", kept_value(&conversation));
    caxton_set("reply_with", "inform-0");
    about("{'auction':'open',");
    caxton_put(",'start':"), caxton_int(price), caxton_put(",'step':"), caxton_int(step), caxton_put("}");
    caxton_end();
    wait_for(pause_ms);
    return caxton_sent();
}

/* The auction itself has no cancel, its order has: it is closed, and nothing is sold. */
static int cancel(caxton_value message) {
    if (is_agent(caxton_get(message, "sender"), "ams")) { /* in the name of an asker that is gone: nobody to tell */
        if (stage != IDLE && stage < CLOSING) tell_the_end();
        if (stage != SELLING) stage = IDLE;
        return caxton_sent();
    }
    if (stage == IDLE || !equal(caxton_get(message, "conversation_id"), kept_value(&order.conversation)))
        return answer("failure", "nothing to cancel");
    if (stage == SELLING) return answer("failure", "the sale is under way");
    if (stage < CLOSING) tell_the_end();
    stage = IDLE;
    caxton_begin("inform");
    about("{'cancelled':true,"), caxton_put(",'rounds':"), caxton_int(round), caxton_put("}");
    caxton_end();
    return caxton_sent();
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), performative = caxton_get(message, "performative");
    caxton_value sender = caxton_get(message, "sender"), where = caxton_get(message, "conversation_id");
    if (caxton_is(performative, "request")) return sell_order(message, caxton_get(message, "content"));
    if (caxton_is(performative, "cancel")) return cancel(message);
    caxton_int64 number = stage == IDLE ? -1 : number_behind(where, &conversation);
    if (number >= 0 && number == beat && (is_agent(sender, "timer") || is_agent(sender, "ams"))) {
        if (!caxton_is(performative, "inform")) caxton_log("warning", "the timer does not answer: no pause here");
        moved_on();
        return caxton_sent();
    }
    if (number >= 0) return 0; /* a beat that was overtaken */
    if (stage == IDLE || !equal(where, kept_value(&conversation))) return puzzled(performative);
    for (int i = 0; i < bidder_count; i++)
        if (is_agent(sender, bidders[i])) return heard(i, performative, message), caxton_sent();
    if (is_agent(sender, "ams")) {
        for (int i = -1; (i = who_is_meant(message, bidders, bidder_count, i + 1)) >= 0;)
            if (branches[i].in) left(i, "a bidder could not be reached");
        return caxton_sent();
    }
    return puzzled(performative);
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value settings = caxton_get(caxton_turn(text, length), "settings");
    bidder_count = read_names(caxton_get(settings, "bidders"), bidders, BIDDERS);
    if (bidder_count < 0) return caxton_fail(1, "settings.bidders must be at most 8 names, shorter than 64 bytes");
    wait_ms = caxton_number(caxton_get(settings, "wait_ms"), 500);
    pause_ms = caxton_number(caxton_get(settings, "pause_ms"), 50);
    return wait_ms < 1 || wait_ms > 60000 || pause_ms < 0 || pause_ms > 60000
               ? caxton_fail(1, "settings.wait_ms must be 1 to 60000, pause_ms 0 to 60000")
               : 0;
}

static const field fields[] = {
    {"stage", &stage, 0}, {"beat", &beat, 0}, {"round", &round, 0}, {"price", &price, 0}, {"step", &step, 0},
    {"reserve", &reserve, 0}, {"arrivals", &arrivals, 0}, {"leader", &leader, 0}, {"led", &led, 0},
    {"agreed", &agreed, 0}, {"asker", 0, &order.asker}, {"order", 0, &order.conversation},
    {"protocol", 0, &order.protocol}, {"reply_with", 0, &order.reply_with}, {"conversation", 0, &conversation},
    {"item", 0, &item}};

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_put("{'v':1,"), put_fields(FIELDS(fields)), caxton_put(",'branches':[");
    for (int i = 0; i < bidder_count; i++) {
        caxton_put(i ? ",{'in':" : "{'in':"), caxton_int(branches[i].in), caxton_put(",'bid':");
        caxton_int(branches[i].bid), caxton_put(",'offer':"), caxton_json(kept_value(&branches[i].offer));
        caxton_put("}");
    }
    caxton_put("]}");
    return caxton_sent();
}

CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length), key, value;
    caxton_value list = caxton_get(state, "branches"); /* the last member: there when the state is whole */
    caxton_int64 was = caxton_number(caxton_get(state, "stage"), -1);
    caxton_int64 led_by = caxton_number(caxton_get(state, "leader"), -2);
    if (caxton_number(caxton_get(state, "v"), 0) != 1 || !list.n || was < IDLE || was > SELLING)
        return caxton_fail(1, "not an auctioneer's state, version 1");
    int count = 0;
    for (int at = 0; count < bidder_count && caxton_next(list, &at, &key, &value); count++) {
        branches[count].in = caxton_number(caxton_get(value, "in"), 0) != 0;
        branches[count].bid = caxton_number(caxton_get(value, "bid"), 0);
        keep(&branches[count].offer, caxton_get(value, "offer"));
    }
    if (was != IDLE && (count != bidder_count || led_by < -1 || led_by >= bidder_count))
        return caxton_fail(1, "the bidders are not those of the auction in hand");
    take_fields(state, FIELDS(fields));
    return 0;
}
