/* subscriber: subscribes, counts what it is told, and cancels (fipa-subscribe, the initiator's side).
 *
 * Settings: {"publisher": "publisher", "wait_ms": 5000}: whom it subscribes with, and how long it waits for an answer.
 * Order: request {"action":"watch","topic":"rates","count":3,"within_ms":60000} -> agree, and in the end
 * inform {"heard":3,"last":42,"ended":"counted"} in the order's conversation; "ended" is "counted", "time" where less
 * was told in time, or "closed" where the publisher ended it. failure where it was refused or nobody answered.
 * One order at a time; cancel ends it.
 *
 * The subscription is a conversation of its own, `watch-…`. It ends by a cancel, and the cancel by its answer: what
 * crosses with it is counted apart, for a notification that names the subscription is no answer to the cancel.
 */
#include "talk.h"

#define SUBSCRIBE "subscribe-1" /* the reply_withs: by them an answer to the cancel is told from a notification */
#define CANCEL "cancel-1"

static char publisher[64] = "publisher";
static caxton_int64 wait_ms = 5000;

enum { IDLE, ASKING, HEARING, CANCELLING };
static caxton_int64 stage, beat, wanted, within_ms, heard, crossed, owes;
static order_kept order;
static kept conversation, topic, last;

static void wait_for(caxton_int64 after_ms) { wake_me(&conversation, ++beat, after_ms); }

static void to_publisher(const char *performative, const char *reply_with) {
    caxton_begin(performative);
    caxton_set("receiver", publisher);
    caxton_set("protocol", "fipa-subscribe");
    caxton_set_json("conversation_id", kept_value(&conversation));
    caxton_set("reply_with", reply_with);
    caxton_put(",'reply_by':'"), caxton_int(wait_ms), caxton_put("ms'");
    caxton_content("{'topic':"), caxton_json(kept_value(&topic)), caxton_put("}");
    caxton_end();
}

static void put_counts(const char *before) {
    caxton_content(before), caxton_put("'topic':"), caxton_json(kept_value(&topic));
    caxton_put(",'heard':"), caxton_int(heard), caxton_put(",'crossed':"), caxton_int(crossed);
    caxton_put(",'last':"), caxton_json(kept_value(&last)), caxton_put("}");
}

static const char *const endings[] = {"{'ended':'counted',", "{'ended':'time',", "{'ended':'closed',"};
static caxton_int64 ending;

/* The order's answer, and the end of the work on it. */
static void report(void) {
    stage = IDLE;
    if (!owes) return;
    to_asker("inform", &order);
    put_counts(endings[ending]);
    caxton_end();
}

static void give_up(const char *why) {
    stage = IDLE;
    if (!owes) return;
    to_asker("failure", &order);
    caxton_content("{'reason':"), caxton_string(why), caxton_put("}");
    caxton_end();
}

static void unsubscribe(void) {
    stage = CANCELLING;
    to_publisher("cancel", CANCEL);
    wait_for(wait_ms);
}

static void notified(caxton_value content) {
    if (stage == CANCELLING) {
        crossed++;
        return;
    }
    if (stage == ASKING) stage = HEARING, wait_for(within_ms); /* agree was skipped */
    heard++;
    keep(&last, caxton_get(content, "value"));
    if (heard >= wanted) ending = 0, unsubscribe();
}

/* The publisher has spoken, or the platform in its place. */
static void told(caxton_value performative, caxton_value message) {
    if (stage == CANCELLING && caxton_is(caxton_get(message, "in_reply_to"), CANCEL)) {
        if (!caxton_is(performative, "inform")) caxton_log("warning", "the publisher did not cancel");
        report();
    } else if (caxton_is(performative, "inform")) notified(caxton_get(message, "content"));
    else if (caxton_is(performative, "agree") && stage == ASKING) stage = HEARING, wait_for(within_ms);
    else if (caxton_is(performative, "refuse")) give_up("the publisher refused");
    else if (caxton_is(performative, "failure") || caxton_is(performative, "not-understood")) {
        if (stage == ASKING) give_up("the publisher could not be asked");
        else ending = 2, report();
    }
}

static void moved_on(void) {
    if (stage == ASKING) give_up("the publisher did not answer");
    else if (stage == HEARING) ending = 1, unsubscribe();
    else if (stage == CANCELLING) caxton_log("warning", "the cancel was not answered"), report();
}

static int watch(caxton_value message, caxton_value content) {
    caxton_value about = caxton_get(content, "topic");
    if (!caxton_is(caxton_get(content, "action"), "watch") || about.n < 3 || *about.p != '"')
        return answer("not-understood",
                      "content must be {\"action\":\"watch\",\"topic\":\"…\",\"count\":3,\"within_ms\":60000}");
    if (stage != IDLE) return answer("refuse", "busy with another order");
    wanted = caxton_number(caxton_get(content, "count"), 3);
    within_ms = caxton_number(caxton_get(content, "within_ms"), 60000);
    if (wanted < 1 || wanted > 1000000 || within_ms < 1 || within_ms > 86400000)
        return answer("refuse", "count must be 1 to 1000000, within_ms 1 to 86400000");
    if (!keep(&topic, about) || !keep_order(&order, message))
        return answer("refuse", "a name in the order is longer than 256 bytes");
    if (!new_conversation(&conversation, "watch-", message)) return answer("refuse", "the order has no id");
    stage = ASKING, owes = 1, beat = heard = crossed = 0, last.n = 0;
    caxton_begin("agree");
    promise_within(within_ms + 2 * wait_ms);
    caxton_content("{'topic':"), caxton_json(about), caxton_put("}");
    caxton_end();
    to_publisher("subscribe", SUBSCRIBE);
    wait_for(wait_ms);
    return caxton_sent();
}

/* The order is cancelled: confirm it at once, and end the subscription behind it. */
static int cancel(caxton_value message) {
    int from_ams = is_agent(caxton_get(message, "sender"), "ams");
    if (stage == IDLE || !owes || !equal(caxton_get(message, "conversation_id"), kept_value(&order.conversation)))
        return from_ams ? 0 : answer("failure", "nothing to cancel");
    owes = 0;
    if (!from_ams) {
        caxton_begin("inform");
        put_counts("{'cancelled':true,");
        caxton_end();
    }
    if (stage != CANCELLING) unsubscribe();
    return caxton_sent();
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), performative = caxton_get(message, "performative");
    caxton_value sender = caxton_get(message, "sender"), where = caxton_get(message, "conversation_id");
    if (caxton_is(performative, "request")) return watch(message, caxton_get(message, "content"));
    if (caxton_is(performative, "cancel")) return cancel(message);
    caxton_int64 number = stage == IDLE ? -1 : number_behind(where, &conversation);
    if (number >= 0) {
        if (number != beat || !(is_agent(sender, "timer") || is_agent(sender, "ams"))) return 0; /* overtaken */
        if (caxton_is(performative, "inform")) moved_on();
        else caxton_log("warning", "the timer does not answer: this waits without an end");
        return caxton_sent();
    }
    if (stage != IDLE && equal(where, kept_value(&conversation)) &&
        (is_agent(sender, publisher) || is_agent(sender, "ams")))
        return told(performative, message), caxton_sent();
    return puzzled(performative);
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value settings = caxton_get(caxton_turn(text, length), "settings");
    caxton_value name = caxton_get(settings, "publisher");
    if (name.n && caxton_text(name, publisher, sizeof publisher) < 1)
        return caxton_fail(1, "settings.publisher must be a name shorter than 64 bytes");
    wait_ms = caxton_number(caxton_get(settings, "wait_ms"), 5000);
    return wait_ms < 1 || wait_ms > 60000 ? caxton_fail(1, "settings.wait_ms must be 1 to 60000") : 0;
}

static const field fields[] = {
    {"stage", &stage, 0}, {"beat", &beat, 0}, {"wanted", &wanted, 0}, {"within_ms", &within_ms, 0},
    {"heard", &heard, 0}, {"crossed", &crossed, 0}, {"owes", &owes, 0}, {"ending", &ending, 0},
    {"asker", 0, &order.asker}, {"order", 0, &order.conversation}, {"protocol", 0, &order.protocol},
    {"reply_with", 0, &order.reply_with}, {"conversation", 0, &conversation}, {"topic", 0, &topic},
    {"last", 0, &last}};

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_put("{'v':1,"), put_fields(FIELDS(fields)), caxton_put(",'whole':[]}");
    return caxton_sent();
}

CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length);
    caxton_int64 was = caxton_number(caxton_get(state, "stage"), -1), how = caxton_number(caxton_get(state, "ending"), -1);
    if (caxton_number(caxton_get(state, "v"), 0) != 1 || caxton_get(state, "whole").n != 2 || was < IDLE ||
        was > CANCELLING || how < 0 || how > 2)
        return caxton_fail(1, "not a subscriber's state, version 1");
    take_fields(state, FIELDS(fields));
    return 0;
}
