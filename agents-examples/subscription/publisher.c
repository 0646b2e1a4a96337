/* publisher: holds a value for each topic and tells subscribers when it changes (fipa-subscribe, the participant's
 * side).
 *
 * Settings: {"topics": ["rates", "weather"]}.
 * subscribe {"topic":"rates"} -> agree, inform with the present value where there is one, and an inform at each change;
 * refuse where there is no such topic or no more room. cancel -> inform, and silence.
 * request {"action":"set","topic":"rates","value":42} -> inform {"told":2}; the same value again tells nobody.
 * request {"action":"close","topic":"rates","reason":"…"} -> inform {"told":2}; its subscriptions end by failure.
 * query-ref {"topic":"rates"} -> inform with the value.
 */
#include "talk.h"

#define TOPICS 8
#define SUBSCRIPTIONS 16

static char topics[TOPICS][64];
static kept values[TOPICS];
static int topic_count;
static struct {
    caxton_int64 topic; /* -1: free */
    kept who, conversation, reply_with;
} subscriptions[SUBSCRIPTIONS];

static int topic_of(caxton_value content) {
    caxton_value name = caxton_get(content, "topic");
    for (int t = 0; t < topic_count; t++)
        if (caxton_is(name, topics[t])) return t;
    return -1;
}

static int subscription_in(caxton_value conversation) {
    for (int s = 0; s < SUBSCRIPTIONS; s++)
        if (subscriptions[s].topic >= 0 && equal(conversation, kept_value(&subscriptions[s].conversation))) return s;
    return -1;
}

static void put_value(int topic) {
    caxton_content("{'topic':"), caxton_string(topics[topic]);
    caxton_put(",'value':"), caxton_json(kept_value(&values[topic]));
}

/* Begin a message to a subscriber: it names the subscription, not the last thing that was said in it. */
static void to_subscriber(const char *performative, int s) {
    caxton_begin(performative);
    caxton_set_json("receiver", kept_value(&subscriptions[s].who));
    caxton_set("protocol", "fipa-subscribe");
    caxton_set_json("conversation_id", kept_value(&subscriptions[s].conversation));
    caxton_set_json("in_reply_to", kept_value(&subscriptions[s].reply_with));
}

static int subscribe(caxton_value message) {
    int topic = topic_of(caxton_get(message, "content")), s = 0;
    caxton_value who = caxton_get(message, "reply_to");
    if (!who.n || caxton_same(who, "null") || caxton_same(who, "[]")) who = caxton_get(message, "sender");
    if (topic < 0) return answer("refuse", "there is no such topic");
    while (s < SUBSCRIPTIONS && subscriptions[s].topic >= 0) s++;
    if (s == SUBSCRIPTIONS) return answer("refuse", "16 subscriptions are as many as there may be");
    if (!keep(&subscriptions[s].who, who) ||
        !keep(&subscriptions[s].conversation, caxton_get(message, "conversation_id")) ||
        !keep(&subscriptions[s].reply_with, caxton_get(message, "reply_with")))
        return answer("refuse", "a name in the message is longer than 256 bytes");
    subscriptions[s].topic = topic;
    caxton_begin("agree");
    caxton_content("{'topic':"), caxton_string(topics[topic]), caxton_put("}");
    caxton_end();
    if (values[topic].n) to_subscriber("inform", s), put_value(topic), caxton_put("}"), caxton_end();
    return caxton_sent();
}

static int cancel(caxton_value message) {
    int s = subscription_in(caxton_get(message, "conversation_id"));
    if (s >= 0) subscriptions[s].topic = -1;
    if (is_agent(caxton_get(message, "sender"), "ams")) return 0; /* in the name of a subscriber that is gone */
    if (s < 0) return answer("failure", "nothing to cancel");
    caxton_begin("inform");
    caxton_content("{'cancelled':true}");
    caxton_end();
    return caxton_sent();
}

static int told(int topic, caxton_int64 count) {
    caxton_begin("inform");
    caxton_content("{'topic':"), caxton_string(topics[topic]);
    caxton_put(",'told':"), caxton_int(count), caxton_put("}");
    caxton_end();
    return caxton_sent();
}

static int set(int topic, caxton_value value) {
    caxton_int64 count = 0;
    if (!value.n || caxton_same(value, "null") || value.n > (int)sizeof values[topic].p)
        return answer("refuse", "content.value must be there, and not longer than 256 bytes");
    if (equal(value, kept_value(&values[topic]))) return told(topic, 0);
    keep(&values[topic], value);
    for (int s = 0; s < SUBSCRIPTIONS; s++) {
        if (subscriptions[s].topic != topic) continue;
        to_subscriber("inform", s), put_value(topic), caxton_put("}"), caxton_end();
        count++;
    }
    return told(topic, count);
}

static int close_topic(int topic, caxton_value reason) {
    caxton_int64 count = 0;
    for (int s = 0; s < SUBSCRIPTIONS; s++) {
        if (subscriptions[s].topic != topic) continue;
        to_subscriber("failure", s);
        caxton_content("{'reason':"), caxton_json(reason), caxton_put("}");
        caxton_end();
        subscriptions[s].topic = -1;
        count++;
    }
    return told(topic, count);
}

static int request(caxton_value content) {
    int topic = topic_of(content);
    caxton_value action = caxton_get(content, "action");
    if (!caxton_is(action, "set") && !caxton_is(action, "close"))
        return answer("not-understood", "content must be {\"action\":\"set\",\"topic\":\"…\",\"value\":…}");
    if (topic < 0) return answer("refuse", "there is no such topic");
    return caxton_is(action, "set") ? set(topic, caxton_get(content, "value"))
                                    : close_topic(topic, caxton_get(content, "reason"));
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), performative = caxton_get(message, "performative");
    if (caxton_is(performative, "subscribe")) return subscribe(message);
    if (caxton_is(performative, "cancel")) return cancel(message);
    if (caxton_is(performative, "request")) return request(caxton_get(message, "content"));
    if (caxton_is(performative, "query-ref")) {
        int topic = topic_of(caxton_get(message, "content"));
        if (topic < 0) return answer("refuse", "there is no such topic");
        caxton_begin("inform"), put_value(topic), caxton_put("}"), caxton_end();
        return caxton_sent();
    }
    if (caxton_is(performative, "failure") || caxton_is(performative, "not-understood")) {
        /* a subscriber that could not be reached, or did not understand: the subscription has ended */
        int s = subscription_in(caxton_get(message, "conversation_id"));
        if (s >= 0) subscriptions[s].topic = -1;
        return 0;
    }
    return puzzled(performative);
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value settings = caxton_get(caxton_turn(text, length), "settings");
    for (int s = 0; s < SUBSCRIPTIONS; s++) subscriptions[s].topic = -1;
    topic_count = read_names(caxton_get(settings, "topics"), topics, TOPICS);
    return topic_count < 1 ? caxton_fail(1, "settings.topics must be 1 to 8 names, shorter than 64 bytes") : 0;
}

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_put("{'v':1,'values':{");
    for (int t = 0; t < topic_count; t++) {
        caxton_put(t ? "," : ""), caxton_string(topics[t]), caxton_put(":"), caxton_json(kept_value(&values[t]));
    }
    caxton_put("},'subscriptions':[");
    for (int s = 0, first = 1; s < SUBSCRIPTIONS; s++) {
        if (subscriptions[s].topic < 0) continue;
        caxton_put(first ? "{'topic':" : ",{'topic':"), caxton_string(topics[subscriptions[s].topic]);
        caxton_put(",'who':"), caxton_json(kept_value(&subscriptions[s].who));
        caxton_put(",'conversation':"), caxton_json(kept_value(&subscriptions[s].conversation));
        caxton_put(",'reply_with':"), caxton_json(kept_value(&subscriptions[s].reply_with)), caxton_put("}");
        first = 0;
    }
    caxton_put("]}");
    return caxton_sent();
}

/* Topics go by name, so a build or settings with others may take over; a subscription to one that is gone is refused,
 * for nobody would tell its subscriber. */
CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length), was = caxton_get(state, "values"), key, value;
    caxton_value list = caxton_get(state, "subscriptions"); /* the last member: there when the state is whole */
    if (caxton_number(caxton_get(state, "v"), 0) != 1 || !list.n)
        return caxton_fail(1, "not a publisher's state, version 1");
    for (int at = 0; caxton_next(list, &at, &key, &value);)
        if (topic_of(value) < 0) return caxton_fail(1, "somebody is subscribed to a topic that settings.topics lacks");
    for (int t = 0; t < topic_count; t++) keep(&values[t], caxton_get(was, topics[t]));
    for (int s = 0, at = 0; s < SUBSCRIPTIONS; s++) {
        subscriptions[s].topic = -1;
        if (!caxton_next(list, &at, &key, &value)) continue;
        subscriptions[s].topic = topic_of(value);
        keep(&subscriptions[s].who, caxton_get(value, "who"));
        keep(&subscriptions[s].conversation, caxton_get(value, "conversation"));
        keep(&subscriptions[s].reply_with, caxton_get(value, "reply_with"));
    }
    return 0;
}
