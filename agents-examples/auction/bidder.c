/* bidder: bids at an English auction as long as its purse allows (fipa-auction-english, the participant's side).
 *
 * Settings: {"purse": 150, "leaves": false, "pays": true}. A price beyond the purse is answered by silence, or with
 * "leaves" by not-understood, with which the bidder leaves the auction. Asked for the sale, it agrees and pays; it
 * refuses where the purse has become too small meanwhile, and fails where it does not pay.
 * Ask it how things stand: query-ref -> inform {"purse":20,"won":1,"spent":130,"bids":4}.
 */
#include "talk.h"

static int leaves, pays = 1;
static caxton_int64 purse = 100, won, spent, bids;

static int called(caxton_value content) {
    caxton_int64 price = caxton_number(caxton_get(content, "price"), -1);
    if (price < 0) return answer("not-understood", "content.price must be a number");
    if (caxton_same(caxton_get(content, "leading"), "true")) return 0; /* nobody bids against itself */
    if (price > purse) return leaves ? answer("not-understood", "too dear for me; I leave") : 0;
    caxton_begin("propose");
    caxton_put(",'reply_with':'bid-"), caxton_int(++bids), caxton_put("'");
    caxton_content("{'price':"), caxton_int(price), caxton_put("}");
    caxton_end();
    return caxton_sent();
}

static int asked_to_pay(caxton_value content) {
    caxton_int64 price = caxton_number(caxton_get(content, "price"), -1);
    if (price < 0) return answer("not-understood", "content.price must be a number");
    if (price > purse) return answer("refuse", "the money was spent elsewhere");
    caxton_begin("agree");
    caxton_content("{'price':"), caxton_int(price), caxton_put("}");
    caxton_end();
    if (!pays) return answer("failure", "the bank said no");
    purse -= price, spent += price, won++;
    caxton_begin("inform");
    caxton_content("{'paid':"), caxton_int(price), caxton_put("}");
    caxton_end();
    return caxton_sent();
}

CAXTON_EXPORT(handle_message) int handle_message(const char *text, int length) {
    caxton_value message = caxton_turn(text, length), performative = caxton_get(message, "performative");
    caxton_value content = caxton_get(message, "content");
    if (caxton_is(performative, "query-ref")) { /* whatever is asked: how things stand */
        caxton_begin("inform");
        caxton_content("{'purse':"), caxton_int(purse), caxton_put(",'won':"), caxton_int(won);
        caxton_put(",'spent':"), caxton_int(spent), caxton_put(",'bids':"), caxton_int(bids), caxton_put("}");
        caxton_end();
        return caxton_sent();
    }
    if (caxton_is(caxton_get(message, "protocol"), "fipa-auction-english")) {
        if (caxton_is(performative, "cfp")) return called(content);
        if (caxton_is(performative, "request")) return asked_to_pay(content);
    }
    return puzzled(performative);
}

CAXTON_EXPORT(caxton_init) int caxton_init(const char *text, int length) {
    caxton_value settings = caxton_get(caxton_turn(text, length), "settings");
    purse = caxton_number(caxton_get(settings, "purse"), 100);
    leaves = caxton_same(caxton_get(settings, "leaves"), "true");
    pays = !caxton_same(caxton_get(settings, "pays"), "false");
    return purse < 0 || purse > 1000000000000 ? caxton_fail(1, "settings.purse must be 0 to 10^12") : 0;
}

static const field fields[] = {
    {"purse", &purse, 0}, {"won", &won, 0}, {"spent", &spent, 0}, {"bids", &bids, 0}};

CAXTON_EXPORT(caxton_snapshot) int caxton_snapshot(void) {
    caxton_turn(0, 0);
    caxton_put("{'v':1,"), put_fields(FIELDS(fields)), caxton_put(",'whole':[]}");
    return caxton_sent();
}

CAXTON_EXPORT(caxton_restore) int caxton_restore(const char *text, int length) {
    caxton_value state = caxton_turn(text, length);
    if (caxton_number(caxton_get(state, "v"), 0) != 1 || caxton_get(state, "whole").n != 2)
        return caxton_fail(1, "not a bidder's state, version 1");
    take_fields(state, FIELDS(fields));
    return 0;
}
