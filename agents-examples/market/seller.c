/* seller: answers calls for proposals (fipa-contract-net, the participant's side).
 *
 * Settings: {"price": 40, "mood": "eager" | "steady" | "grumpy" | "fickle", "seed": 1}. The price is what the seller
 * starts from; it rises with every offer that is accepted and falls with every one that is rejected, within bounds.
 * The mood says how far an offer strays from it and how often the seller refuses, or fails after all.
 * Chance comes from `seed` alone: the same messages give the same answers.
 */
#include "talk.h"

#define OFFERS 32 /* open ones; the oldest gives way */

typedef struct {
    const char *name;
    int discount, jitter, refuses, fails; /* per cent */
} mood;

static const mood moods[] = {
    {"steady", 0, 0, 0, 4}, {"eager", 10, 5, 0, 14}, {"grumpy", 0, 20, 30, 20}, {"fickle", 5, 35, 15, 25}};

static const mood *my = &moods[0];
static caxton_int64 base = 40, price = 40, made, sold, earned;
static unsigned chance = 1;
static struct {
    caxton_int64 key, price; /* key 0: free */
} offers[OFFERS];

static int percent(void) { /* 0 to 99, by xorshift */
    chance ^= chance << 13, chance ^= chance >> 17, chance ^= chance << 5;
    return (int)(chance % 100);
}

/* Which offer a message is about: its conversation and its sender, in 59 bits (what JSON numbers here can carry). */
static caxton_int64 key_of(caxton_value message) {
    unsigned long long hash = 14695981039346656037ull;
    caxton_value parts[] = {caxton_get(message, "conversation_id"), caxton_get(message, "sender")};
    for (int part = 0; part < 2; part++)
        for (int i = 0; i < parts[part].n; i++) hash = (hash ^ (unsigned char)parts[part].p[i]) * 1099511628211ull;
    return (caxton_int64)(hash & ((1ull << 59) - 1)) | 1;
}

/* Take the open offer of that key: its price, or -1. */
static caxton_int64 take(caxton_int64 key) {
    for (int i = 0; i < OFFERS; i++)
        if (offers[i].key == key) {
            offers[i].key = 0;
            return offers[i].price;
        }
    return -1;
}

static void move_price(caxton_int64 by) {
    price += by;
    if (price < base * 7 / 10) price = base * 7 / 10;
    if (price > base * 3 / 2) price = base * 3 / 2;
    if (price < 1) price = 1;
}

/* The content of what is said about an item. */
static void deal(caxton_value item, const char *before, caxton_int64 amount) {
    caxton_content(before);
    caxton_put("'item':");
    caxton_json(item);
    caxton_put(",'price':");
    caxton_int(amount);
    caxton_put("}");
    caxton_end();
}

static int cfp(caxton_value message, caxton_value item) {
    if (item.n < 3 || *item.p != '"' || item.n > 256) return answer("not-understood", "content.item must name a thing");
    if (percent() < my->refuses) return answer("refuse", "not in the mood");
    caxton_int64 asked = price * (100 - my->discount + (my->jitter ? percent() % (2 * my->jitter + 1) - my->jitter : 0)) / 100;
    if (asked < 1) asked = 1;
    caxton_int64 key = key_of(message);
    take(key); /* a second call in one conversation replaces the offer */
    made++;
    offers[made % OFFERS].key = key;
    offers[made % OFFERS].price = asked;
    caxton_begin("propose");
    caxton_put(",'reply_with':'offer-"), caxton_int(made), caxton_put("'");
    deal(item, "{", asked);
    return caxton_sent();
}

static int accepted(caxton_value message, caxton_value item) {
    caxton_int64 agreed = take(key_of(message));
    if (agreed < 0) return answer("failure", "there is no such offer");
    if (percent() < my->fails) return answer("failure", "sold out after all");
    sold++, earned += agreed;
    move_price(price / 10 + 1);
    caxton_begin("inform");
    deal(item, "{'done':true,", agreed);
    return caxton_sent();
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), performative = caxton_get(message, "performative");
    caxton_value item = caxton_get(caxton_get(message, "content"), "item");
    if (caxton_is(performative, "cfp")) return cfp(message, item);
    if (caxton_is(performative, "accept-proposal")) return accepted(message, item);
    if (caxton_is(performative, "reject-proposal")) {
        if (take(key_of(message)) >= 0) move_price(-(price / 25 + 1));
        return 0;
    }
    if (caxton_is(performative, "cancel")) {
        if (take(key_of(message)) < 0) return answer("failure", "nothing to cancel");
        caxton_begin("inform");
        caxton_content("{'cancelled':true}");
        caxton_end();
        return caxton_sent();
    }
    if (caxton_is(performative, "query-ref")) { /* whatever is asked: how business goes */
        caxton_begin("inform");
        caxton_content("{'price':"), caxton_int(price);
        caxton_put(",'mood':"), caxton_string(my->name);
        caxton_put(",'sold':"), caxton_int(sold);
        caxton_put(",'earned':"), caxton_int(earned), caxton_put("}");
        caxton_end();
        return caxton_sent();
    }
    return puzzled(performative);
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value settings = caxton_get(caxton_turn(text, length), "settings"), wanted = caxton_get(settings, "mood");
    base = price = caxton_number(caxton_get(settings, "price"), 40);
    if (base < 1 || base > 1000000) return caxton_fail(1, "settings.price must be 1 to 1000000");
    chance = (unsigned)caxton_number(caxton_get(settings, "seed"), 1);
    if (!chance) chance = 1;
    for (unsigned i = 0; i < sizeof moods / sizeof *moods; i++)
        if (!wanted.n || caxton_is(wanted, moods[i].name)) return my = &moods[i], 0;
    return caxton_fail(1, "settings.mood must be steady, eager, grumpy or fickle");
}

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_put("{'v':1,'price':"), caxton_int(price), caxton_put(",'chance':"), caxton_int(chance);
    caxton_put(",'made':"), caxton_int(made), caxton_put(",'sold':"), caxton_int(sold);
    caxton_put(",'earned':"), caxton_int(earned), caxton_put(",'offers':[");
    for (int i = 0; i < OFFERS; i++) {
        if (i) caxton_put(",");
        caxton_put("["), caxton_int(offers[i].key), caxton_put(","), caxton_int(offers[i].price), caxton_put("]");
    }
    caxton_put("]}");
    return caxton_sent();
}

CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length), key, value;
    caxton_value list = caxton_get(state, "offers"); /* the last member: there when the state is whole */
    if (caxton_number(caxton_get(state, "v"), 0) != 1 || !list.n) return caxton_fail(1, "not a seller's state, version 1");
    price = caxton_number(caxton_get(state, "price"), base);
    chance = (unsigned)caxton_number(caxton_get(state, "chance"), 1);
    if (!chance) chance = 1;
    made = caxton_number(caxton_get(state, "made"), 0);
    sold = caxton_number(caxton_get(state, "sold"), 0);
    earned = caxton_number(caxton_get(state, "earned"), 0);
    if (made < 0) made = 0;
    move_price(0);
    for (int i = 0, at = 0; i < OFFERS && caxton_next(list, &at, &key, &value); i++) {
        int inner = 0;
        caxton_value hash = caxton_nothing, amount = caxton_nothing;
        if (caxton_next(value, &inner, &key, &hash)) caxton_next(value, &inner, &key, &amount);
        offers[i].key = caxton_number(hash, 0);
        offers[i].price = caxton_number(amount, 0);
    }
    return 0;
}
