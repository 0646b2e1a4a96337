/* dispatcher: has a worker made for each order, supervises it, and answers when the worker reports.
 *
 * Settings: {"worker": "worker", "tries": 2}: the agent that workers are made like, and how many are tried for an order.
 * request {"order": 7, …} -> agree, then inform with what the worker reports; or failure.
 * query-ref -> inform {"open": n, "done": n, "failed": n}.
 */
#include "talk.h"

#define ORDERS 64

static char worker[64] = "worker";
static caxton_int64 tries = 2, done, failures, made;
static struct {
    caxton_int64 number; /* 0: free; each worker's order has one of its own, whatever the customer calls it */
    caxton_int64 left;   /* how many workers may still be tried */
    order_kept customer;
    kept task;
} orders[ORDERS];

static int open_orders(void) {
    int count = 0;
    for (int o = 0; o < ORDERS; o++) count += orders[o].number != 0;
    return count;
}

static int order_numbered(caxton_int64 number) {
    for (int o = 0; number > 0 && o < ORDERS; o++)
        if (orders[o].number == number) return o;
    return -1;
}

/* The order of a worker's name, `order-12-1` with or without its platform: the twelfth order, one try is left. */
static int order_named(caxton_value text) {
    static const char begins[] = "\"order-";
    int from = sizeof begins - 1, n = from;
    for (int i = 0; i < from; i++)
        if (i >= text.n || text.p[i] != begins[i]) return -1;
    while (n < text.n && text.p[n] != '-') n++;
    return order_numbered(caxton_number((caxton_value){text.p + from, n - from}, 0));
}

static void put_name(int o) {
    caxton_put("'order-"), caxton_int(orders[o].number), caxton_put("-"), caxton_int(orders[o].left), caxton_put("'");
}

/* One more worker for that order. It is linked, so it ends when this agent does, and suspended when it breaks down. */
static void have_made(int o) {
    orders[o].left--;
    caxton_begin("request");
    caxton_set("receiver", "ams");
    caxton_put(",'reply_with':"), put_name(o);
    caxton_content("{'action':'create','description':{'name':"), put_name(o);
    caxton_put(",'like':"), caxton_string(worker);
    caxton_put(",'linked':true,'on_failure':'tell','settings':{'number':"), caxton_int(orders[o].number);
    caxton_put(",'task':"), caxton_json(kept_value(&orders[o].task));
    caxton_put("}}}");
    caxton_end();
}

static void destroy(int o) {
    caxton_begin("request");
    caxton_set("receiver", "ams");
    caxton_content("{'action':'destroy','description':{'name':"), put_name(o), caxton_put("}}");
    caxton_end();
}

static void close(int o, const char *performative, caxton_value content) {
    to_asker(performative, &orders[o].customer);
    caxton_content(""), caxton_json(content);
    caxton_end();
    destroy(o);
    orders[o].number = 0;
    if (caxton_same((caxton_value){performative, 6}, "inform")) done++;
    else failures++;
}

/* Another worker is tried, or the customer is told why there is none. */
static void next_try(int o, caxton_value content) {
    if (!orders[o].left) {
        close(o, "failure", content);
        return;
    }
    destroy(o);
    have_made(o);
}

static int take_order(caxton_value message) {
    int o = 0;
    while (o < ORDERS && orders[o].number) o++;
    if (o == ORDERS) return answer("refuse", "64 orders are open, as many as there may be");
    if (!keep(&orders[o].task, caxton_get(message, "content")) || !keep_order(&orders[o].customer, message))
        return answer("refuse", "the order is too long");
    orders[o].number = ++made, orders[o].left = tries;
    caxton_begin("agree");
    promise_within(600000);
    caxton_end();
    have_made(o);
    return caxton_sent();
}

static void heard_ams(caxton_value message, caxton_value act, caxton_value content) {
    int broken = caxton_is(caxton_get(message, "ontology"), "caxton-children");
    int o = order_named(broken ? caxton_get(content, "name") : caxton_get(message, "in_reply_to"));
    if (o < 0) return;
    if (broken) next_try(o, content);
    else if (!caxton_is(act, "inform")) close(o, "failure", content);
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value settings = caxton_get(caxton_turn(text, length), "settings");
    caxton_value name = caxton_get(settings, "worker");
    if (name.n && caxton_text(name, worker, sizeof worker) < 1) return caxton_fail(1, "worker must be a name");
    tries = caxton_number(caxton_get(settings, "tries"), tries);
    return tries < 1 ? caxton_fail(1, "tries must be 1 at least") : 0;
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), act = caxton_get(message, "performative");
    caxton_value content = caxton_get(message, "content"), sender = caxton_get(message, "sender");
    if (is_agent(sender, "ams")) {
        heard_ams(message, act, content);
    } else if (caxton_is(act, "request")) {
        return take_order(message);
    } else if (caxton_is(act, "query-ref")) {
        caxton_begin("inform");
        caxton_content("{'open':"), caxton_int(open_orders());
        caxton_put(",'done':"), caxton_int(done), caxton_put(",'failed':"), caxton_int(failures), caxton_put("}");
        caxton_end();
    } else if (caxton_is(act, "inform")) {
        int o = order_numbered(caxton_number(caxton_get(content, "number"), 0));
        if (o >= 0) close(o, "inform", caxton_get(content, "result"));
    } else {
        return puzzled(act);
    }
    return caxton_sent();
}
