#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "egress/synthetic.h"
#include "format/address_special.h"
#include "format/host.h"

#define EXPIRY 1000
#define QUARANTINE 500
#define REST (EXPIRY + QUARANTINE)

static void free_table(struct synthetic **table)
{
	synthetic_free(*table);
}
#define auto_table __attribute__((cleanup(free_table)))

static struct synthetic *table_of(size_t max_names)
{
	struct synthetic_limits limits = {max_names, EXPIRY, QUARANTINE};
	struct synthetic *table = NULL;
	assert_int_equal(synthetic_new(&limits, &table, NULL), BERM_OK);
	return table;
}

struct pair {
	struct net_address ipv4, ipv6;
};

static struct pair bind_at(struct synthetic *table, const char *name, uint64_t now_ms)
{
	struct pair pair = {{0}, {0}};
	struct berm_err err = {0};
	if (synthetic_bind(table, str_from(name), now_ms, &pair.ipv4, &pair.ipv6, &err) != BERM_OK)
		fail_msg("%s: %s", name, err.msg);
	return pair;
}

static enum berm_code try_bind(struct synthetic *table, const char *name, uint64_t now_ms)
{
	struct pair pair;
	return synthetic_bind(table, str_from(name), now_ms, &pair.ipv4, &pair.ipv6, NULL);
}

static void assert_name(const struct synthetic *table, const struct pair *pair, const char *name)
{
	assert_true(str_eq(synthetic_name(table, &pair->ipv4), str_from(name)));
	assert_true(str_eq(synthetic_name(table, &pair->ipv6), str_from(name)));
	assert_int_equal(synthetic_has(table, str_from(name)), name[0] != '\0');
}

static struct net_address address_of(const char *text)
{
	struct net_address address = {0};
	assert_true(address_parse(str_from(text), &address));
	return address;
}

static void test_both_families(void **state)
{
	(void)state;
	auto_table struct synthetic *table = table_of(4);
	char text[ADDRESS_TEXT_SIZE];
	struct pair a = bind_at(table, "a.example", 0), b = bind_at(table, "b.example", 0);
	assert_true(address_print(&a.ipv4, text) > 0);
	assert_string_equal(text, "198.18.1.0");
	assert_true(address_print(&b.ipv6, text) > 0);
	assert_string_equal(text, "fd37:2c3f:4a82:1::101");
	assert_name(table, &a, "a.example");
	assert_name(table, &b, "b.example");
	struct pair again = bind_at(table, "a.example", 1);
	assert_true(address_equal(&a.ipv4, &again.ipv4) && address_equal(&a.ipv6, &again.ipv6));
	assert_int_equal(synthetic_count(table), 2);
}

static const char *const strange[] = {"198.18.0.1",
				      "198.18.1.1",
				      "198.18.255.255",
				      "198.17.1.0",
				      "198.20.1.0",
				      "10.0.1.0",
				      "fd37:2c3f:4a82::1",
				      "fd37:2c3f:4a82::100",
				      "fd37:2c3f:4a82:1::101",
				      "fd37:2c3f:4a82:1::1:100",
				      "fd37:2c3f:4a82:1:1::100",
				      "fd37:2c3f:4a83:1::100",
				      "::100",
				      "fd37:2c3f:4a82:1:0:0:100:100"};

static void test_other_addresses_have_no_name(void **state)
{
	(void)state;
	auto_table struct synthetic *table = table_of(4);
	struct pair a = bind_at(table, "a.example", 0);
	struct net_address none = {0};
	struct str name = STR("untouched");
	for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
		struct net_address address = address_of(strange[i]);
		if (synthetic_name(table, &address).len != 0)
			fail_msg("%s has a name", strange[i]);
		assert_false(synthetic_hold(table, &address, &name));
		synthetic_release(table, &address, 0);
	}
	assert_int_equal(synthetic_name(table, &none).len, 0);
	assert_string_equal(name.ptr, "untouched");
	assert_name(table, &a, "a.example");
}

static void test_all_numbers(void **state)
{
	(void)state;
	auto_table struct synthetic *table = table_of(SYNTHETIC_MAX_NAMES);
	char name[32], text[ADDRESS_TEXT_SIZE];
	struct pair pair = {{0}, {0}};
	NOT_TORTURED();
	for (size_t i = 0; i < SYNTHETIC_MAX_NAMES; i++) {
		(void)snprintf(name, sizeof(name), "n%zu.example", i);
		pair = bind_at(table, name, 0);
		assert_name(table, &pair, name);
		assert_true(synthetic_in_range(&pair.ipv4) && synthetic_in_range(&pair.ipv6));
	}
	assert_true(address_print(&pair.ipv4, text) > 0);
	assert_string_equal(text, "198.19.0.255");
	assert_true(address_print(&pair.ipv6, text) > 0);
	assert_string_equal(text, "fd37:2c3f:4a82:1::1:ff");
	struct net_address first = address_of("198.18.1.0");
	assert_true(str_eq(synthetic_name(table, &first), STR("n0.example")));
}

/* The ranges that others route and refuse are the ones that are given out from. */
static void test_ranges(void **state)
{
	(void)state;
	struct net_range ipv4, ipv6;
	assert_int_equal(address_range_parse(STR(SYNTHETIC_IPV4_RANGE), &ipv4, NULL), BERM_OK);
	assert_int_equal(address_range_parse(STR(SYNTHETIC_IPV6_RANGE), &ipv6, NULL), BERM_OK);
	static const char *const texts[] = {
		SYNTHETIC_IPV4_OWN, SYNTHETIC_IPV6_OWN, "198.17.255.255",	 "198.19.255.255",
		"198.20.0.0",	    "fd37:2c3f:4a83::", "fd37:2c3f:4a82:ffff::", "::1"};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct net_address address = address_of(texts[i]);
		bool in = address_in_range(&address, &ipv4) || address_in_range(&address, &ipv6);
		assert_int_equal(synthetic_in_range(&address), in);
		if (in)
			assert_non_null(address_special(&address));
	}
	struct net_address none = {0};
	assert_false(synthetic_in_range(&none));
}

static void test_full(void **state)
{
	(void)state;
	auto_table struct synthetic *table = table_of(2);
	struct pair a = bind_at(table, "a", 0), b = bind_at(table, "b", 10);
	assert_int_equal(try_bind(table, "c", 20), BERM_ERR_LIMIT);
	assert_int_equal(try_bind(table, "c", REST), BERM_ERR_LIMIT);
	assert_name(table, &a, "a");
	assert_int_equal(try_bind(table, "a", 20), BERM_OK);
	assert_int_equal(synthetic_count(table), 2);
	assert_name(table, &b, "b");
}

static void test_unused_longest_goes_first(void **state)
{
	(void)state;
	auto_table struct synthetic *table = table_of(3);
	struct pair a = bind_at(table, "a", 0), b = bind_at(table, "b", 1), c = bind_at(table, "c", 2);
	(void)bind_at(table, "a", 3);
	struct pair d = bind_at(table, "d", REST + 10);
	assert_true(address_equal(&d.ipv4, &b.ipv4));
	assert_name(table, &b, "d");
	assert_name(table, &a, "a");
	assert_name(table, &c, "c");
	struct pair e = bind_at(table, "b", REST + 11);
	assert_true(address_equal(&e.ipv6, &c.ipv6));
	assert_int_equal(synthetic_count(table), 3);
}

/* After expiry a name keeps its addresses until they are needed; then the same name gets others. */
static void test_expiry(void **state)
{
	(void)state;
	auto_table struct synthetic *table = table_of(1);
	struct pair a = bind_at(table, "a", 100);
	assert_int_equal(try_bind(table, "b", 100 + REST), BERM_ERR_LIMIT);
	assert_name(table, &a, "a");
	struct pair b = bind_at(table, "b", 100 + REST + 1);
	assert_name(table, &b, "b");
	assert_int_equal(try_bind(table, "a", 100 + REST + 2), BERM_ERR_LIMIT);
	assert_name(table, &a, "b");
	/* an answer renews */
	(void)bind_at(table, "b", 100 + 2 * REST);
	assert_int_equal(try_bind(table, "a", 100 + 3 * REST), BERM_ERR_LIMIT);
}

static void test_held_never_goes(void **state)
{
	(void)state;
	auto_table struct synthetic *table = table_of(2);
	struct pair a = bind_at(table, "a", 0), b = bind_at(table, "b", 1);
	struct str name;
	assert_true(synthetic_hold(table, &a.ipv4, &name));
	assert_true(str_eq(name, STR("a")));
	assert_true(synthetic_hold(table, &a.ipv6, &name));
	struct pair c = bind_at(table, "c", 100 * REST);
	assert_true(address_equal(&c.ipv4, &b.ipv4));
	assert_int_equal(try_bind(table, "d", 100 * REST + 1), BERM_ERR_LIMIT);
	assert_true(synthetic_hold(table, &c.ipv4, &name));
	assert_int_equal(try_bind(table, "d", 200 * REST), BERM_ERR_LIMIT);
	synthetic_release(table, &a.ipv4, 300 * REST);
	assert_int_equal(try_bind(table, "d", 400 * REST), BERM_ERR_LIMIT);
	synthetic_release(table, &a.ipv6, 500 * REST);
	assert_int_equal(try_bind(table, "d", 500 * REST + REST), BERM_ERR_LIMIT);
	assert_name(table, &a, "a");
	(void)bind_at(table, "d", 500 * REST + REST + 1);
	assert_name(table, &a, "d");
	assert_name(table, &c, "c");
}

/* One release too many does not let go of what another holds. */
static void test_release_of_nothing(void **state)
{
	(void)state;
	auto_table struct synthetic *table = table_of(1);
	struct pair a = bind_at(table, "a", 0);
	struct str name;
	synthetic_release(table, &a.ipv4, 5);
	assert_true(synthetic_hold(table, &a.ipv4, &name));
	assert_int_equal(try_bind(table, "b", 10 * REST), BERM_ERR_LIMIT);
	synthetic_release(table, &a.ipv4, 10 * REST);
	synthetic_release(table, &a.ipv4, 10 * REST);
	(void)bind_at(table, "b", 12 * REST);
	assert_true(synthetic_hold(table, &a.ipv4, &name));
	assert_true(str_eq(name, STR("b")));
}

/* A bind while connections hold the name changes nothing; the release counts. */
static void test_bind_while_held(void **state)
{
	(void)state;
	auto_table struct synthetic *table = table_of(1);
	struct pair a = bind_at(table, "a", 0);
	struct str name;
	assert_true(synthetic_hold(table, &a.ipv4, &name));
	(void)bind_at(table, "a", 7 * REST);
	synthetic_release(table, &a.ipv4, 8 * REST);
	assert_int_equal(try_bind(table, "b", 9 * REST), BERM_ERR_LIMIT);
	assert_int_equal(try_bind(table, "b", 9 * REST + 1), BERM_OK);
}

static void test_time_that_stands_still(void **state)
{
	(void)state;
	struct synthetic_limits limits = {1, 0, 0};
	struct synthetic *made = NULL;
	assert_int_equal(synthetic_new(&limits, &made, NULL), BERM_OK);
	auto_table struct synthetic *table = made;
	assert_int_equal(try_bind(table, "a", 5), BERM_OK);
	assert_int_equal(try_bind(table, "b", 5), BERM_ERR_LIMIT);
	assert_int_equal(try_bind(table, "b", 4), BERM_ERR_LIMIT);
	assert_int_equal(try_bind(table, "b", 6), BERM_OK);
}

static void test_limits(void **state)
{
	(void)state;
	static const struct synthetic_limits wrong[] = {
		{0, EXPIRY, QUARANTINE}, {SYNTHETIC_MAX_NAMES + 1, EXPIRY, QUARANTINE}, {1, UINT64_MAX, 1}};
	struct synthetic *table = NULL;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(synthetic_new(&wrong[i], &table, NULL), BERM_ERR_INVALID);
	assert_null(table);
	synthetic_free(NULL);
}

static void test_names(void **state)
{
	(void)state;
	auto_table struct synthetic *table = table_of(2);
	char name[HOST_NAME_MAX + 2] = {0};
	memset(name, 'a', HOST_NAME_MAX);
	struct pair pair = bind_at(table, name, 0);
	assert_name(table, &pair, name);
	name[HOST_NAME_MAX] = 'a';
	assert_int_equal(try_bind(table, name, 0), BERM_ERR_INVALID);
	assert_int_equal(try_bind(table, "", 0), BERM_ERR_INVALID);
	assert_int_equal(synthetic_count(table), 1);
}

/* ---- at random, against a model that looks at everything ------------------------------------------------------- */

enum { NAMES = 12, PLACES = 5, STEPS = 20000 };

struct place {
	unsigned name, held;
	uint64_t used_ms;
	struct pair pair;
};

struct model {
	struct synthetic *table;
	struct place places[PLACES];
	size_t count, refused;
	uint64_t now, random;
};

static uint64_t next_random(struct model *model)
{
	model->random ^= model->random << 13;
	model->random ^= model->random >> 7;
	model->random ^= model->random << 17;
	return model->random >> 8;
}

static void model_hold(struct model *model, struct place *place)
{
	struct str name;
	assert_true(synthetic_hold(model->table, &place->pair.ipv6, &name));
	place->held++;
}

static void model_release(struct model *model, struct place *place)
{
	synthetic_release(model->table, &place->pair.ipv4, model->now);
	if (place->held > 0 && --place->held == 0)
		place->used_ms = model->now;
}

/* The place of the name; a free one; the one unused for longest, if that is long enough; NULL. */
static struct place *model_pick(struct model *model, unsigned name)
{
	struct place *oldest = NULL;
	for (size_t i = 0; i < model->count; i++) {
		struct place *place = &model->places[i];
		if (place->name == name)
			return place;
		if (place->held == 0 && (oldest == NULL || place->used_ms < oldest->used_ms))
			oldest = place;
	}
	if (model->count < PLACES)
		return &model->places[model->count++];
	return oldest != NULL && model->now - oldest->used_ms > REST ? oldest : NULL;
}

static void model_bind(struct model *model, unsigned wanted)
{
	char name[16];
	struct pair pair;
	(void)snprintf(name, sizeof(name), "n%u", wanted);
	enum berm_code code = synthetic_bind(model->table, str_from(name), model->now, &pair.ipv4, &pair.ipv6, NULL);
	struct place *place = model_pick(model, wanted);
	assert_int_equal(code, place == NULL ? BERM_ERR_LIMIT : BERM_OK);
	model->refused += place == NULL;
	if (place == NULL)
		return;
	if (place->held == 0)
		place->used_ms = model->now;
	place->name = wanted;
	place->pair = pair;
}

static void model_compare(const struct model *model)
{
	char name[16];
	assert_int_equal(synthetic_count(model->table), model->count);
	for (size_t i = 0; i < model->count; i++) {
		(void)snprintf(name, sizeof(name), "n%u", model->places[i].name);
		assert_name(model->table, &model->places[i].pair, name);
	}
}

static void test_model(void **state)
{
	(void)state;
	NOT_TORTURED();
	auto_table struct synthetic *table = table_of(PLACES);
	struct model model = {.table = table, .random = 88172645463325252U};
	for (int step = 0; step < STEPS; step++) {
		model.now += next_random(&model) & 0xff;
		uint64_t choice = next_random(&model);
		struct place *place = &model.places[model.count == 0 ? 0 : choice / 8 % model.count];
		if (choice % 8 == 0 && model.count > 0)
			model_hold(&model, place);
		else if (choice % 8 <= 2 && model.count > 0)
			model_release(&model, place);
		else
			model_bind(&model, (unsigned)(choice / 8 % NAMES));
		model_compare(&model);
	}
	assert_true(model.refused > 100 && model.refused < STEPS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_families),
		cmocka_unit_test(test_other_addresses_have_no_name),
		cmocka_unit_test(test_all_numbers),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_unused_longest_goes_first),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_held_never_goes),
		cmocka_unit_test(test_release_of_nothing),
		cmocka_unit_test(test_bind_while_held),
		cmocka_unit_test(test_time_that_stands_still),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
