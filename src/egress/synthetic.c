#include "egress/synthetic.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "format/host.h"

#define FIRST_NUMBER 256U /* the first /24 of IPv4 is berm's own */
#define NONE UINT32_MAX

static const uint8_t ipv4_base[4] = {198, 18, 0, 0};
static const uint8_t ipv6_base[8] = {0xfd, 0x37, 0x2c, 0x3f, 0x4a, 0x82, 0x00, 0x01};

struct binding {
	uint64_t used_ms;      /* last answer, or end of the last connection */
	uint32_t holders;      /* connections */
	uint32_t older, newer; /* of those without a holder, by used_ms */
	uint8_t name_len;      /* 0: never bound */
	char name[HOST_NAME_MAX];
};

struct synthetic {
	struct synthetic_limits limits;
	struct map by_name;
	struct binding *bindings; /* the place of one is its number, and so its addresses */
	uint32_t count;		  /* bound; they are the first ones */
	uint32_t oldest, newest;
};

enum berm_code synthetic_new(const struct synthetic_limits *limits, struct synthetic **ret_table, struct berm_err *err)
{
	uint64_t sum;
	if (limits->max_names == 0 || limits->max_names > SYNTHETIC_MAX_NAMES ||
	    __builtin_add_overflow(limits->expiry_ms, limits->quarantine_ms, &sum))
		return err_set(err, BERM_ERR_INVALID, "limits of synthetic addresses that cannot be");
	struct synthetic *table = calloc(1, sizeof(*table));
	struct binding *bindings = calloc(limits->max_names, sizeof(*bindings));
	if (table == NULL || bindings == NULL) {
		free(table);
		free(bindings);
		return err_set(err, BERM_ERR_NOMEM, "out of memory");
	}
	*table = (struct synthetic){.limits = *limits, .bindings = bindings, .oldest = NONE, .newest = NONE};
	map_init(&table->by_name, limits->max_names + 1); /* a new name comes before the old one goes */
	*ret_table = table;
	return BERM_OK;
}

void synthetic_free(struct synthetic *table)
{
	if (table == NULL)
		return;
	map_done(&table->by_name);
	free(table->bindings);
	free(table);
}

/* ---- numbers and addresses ------------------------------------------------------------------------------------- */

static void put_number(uint8_t *last, uint32_t number)
{
	last[0] = (uint8_t)(number & 0xff);
	last[-1] = (uint8_t)(number >> 8 & 0xff);
	last[-2] = (uint8_t)(number >> 16 & 0xff);
}

static void addresses_of(uint32_t index, struct net_address *ret_ipv4, struct net_address *ret_ipv6)
{
	struct net_address ipv4 = {.family = NET_IPV4}, ipv6 = {.family = NET_IPV6};
	uint32_t number = FIRST_NUMBER + index;
	memcpy(ipv4.bytes, ipv4_base, sizeof(ipv4_base));
	memcpy(ipv6.bytes, ipv6_base, sizeof(ipv6_base));
	put_number(&ipv4.bytes[3], number);
	ipv4.bytes[1] = (uint8_t)(ipv4_base[1] + (number >> 16));
	put_number(&ipv6.bytes[15], number);
	*ret_ipv4 = ipv4;
	*ret_ipv6 = ipv6;
}

/* The number is read out of the address, and counts if that number's address is this one. */
static struct binding *find_binding(const struct synthetic *table, const struct net_address *address)
{
	const uint8_t *b = address->bytes;
	uint32_t number = address->family == NET_IPV4
				  ? (uint32_t)(b[1] - ipv4_base[1]) << 16 | (uint32_t)b[2] << 8 | b[3]
				  : (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15];
	if (number < FIRST_NUMBER || number - FIRST_NUMBER >= table->count)
		return NULL;
	struct net_address ipv4, ipv6;
	addresses_of(number - FIRST_NUMBER, &ipv4, &ipv6);
	if (!address_equal(address, &ipv4) && !address_equal(address, &ipv6))
		return NULL;
	return &table->bindings[number - FIRST_NUMBER];
}

bool synthetic_in_range(const struct net_address *address)
{
	const uint8_t *b = address->bytes;
	if (address->family == NET_IPV4)
		return b[0] == ipv4_base[0] && (b[1] & 0xfe) == ipv4_base[1];
	return address->family == NET_IPV6 && memcmp(b, ipv6_base, 6) == 0;
}

/* ---- by age ---------------------------------------------------------------------------------------------------- */

static uint32_t *newer_of(struct synthetic *table, uint32_t index)
{
	return index == NONE ? &table->oldest : &table->bindings[index].newer;
}

static uint32_t *older_of(struct synthetic *table, uint32_t index)
{
	return index == NONE ? &table->newest : &table->bindings[index].older;
}

static void unlink_binding(struct synthetic *table, const struct binding *binding)
{
	*newer_of(table, binding->older) = binding->newer;
	*older_of(table, binding->newer) = binding->older;
}

static void link_newest(struct synthetic *table, struct binding *binding, uint64_t now_ms)
{
	uint32_t index = (uint32_t)(binding - table->bindings);
	binding->used_ms = now_ms;
	binding->older = table->newest;
	binding->newer = NONE;
	*newer_of(table, table->newest) = index;
	table->newest = index;
}

/* ---- binding --------------------------------------------------------------------------------------------------- */

/* The one that a new name gets: never used, or unused for long enough. NULL: the table is full. */
static struct binding *pick(const struct synthetic *table, uint64_t now_ms)
{
	if (table->count < table->limits.max_names)
		return &table->bindings[table->count];
	if (table->oldest == NONE)
		return NULL;
	struct binding *oldest = &table->bindings[table->oldest];
	uint64_t rest_ms = table->limits.expiry_ms + table->limits.quarantine_ms;
	return now_ms > oldest->used_ms && now_ms - oldest->used_ms > rest_ms ? oldest : NULL;
}

static enum berm_code bind_new(struct synthetic *table, struct str name, uint64_t now_ms, struct binding **ret_binding,
			       struct berm_err *err)
{
	struct binding *binding = pick(table, now_ms);
	if (binding == NULL)
		return err_set(err, BERM_ERR_LIMIT, "all %zu addresses for names are in use", table->limits.max_names);
	TRY(map_put(&table->by_name, name, binding, err));
	if (binding->name_len > 0) {
		(void)map_remove(&table->by_name, (struct str){binding->name, binding->name_len});
		unlink_binding(table, binding);
	} else {
		table->count++;
	}
	memcpy(binding->name, name.ptr, name.len);
	binding->name_len = (uint8_t)name.len;
	link_newest(table, binding, now_ms);
	*ret_binding = binding;
	return BERM_OK;
}

enum berm_code synthetic_bind(struct synthetic *table, struct str name, uint64_t now_ms, struct net_address *ret_ipv4,
			      struct net_address *ret_ipv6, struct berm_err *err)
{
	if (name.len == 0 || name.len > HOST_NAME_MAX)
		return err_set(err, BERM_ERR_INVALID, "a name of %zu bytes", name.len);
	struct binding *binding = map_find(&table->by_name, name);
	if (binding == NULL) {
		TRY(bind_new(table, name, now_ms, &binding, err));
	} else if (binding->holders == 0) {
		unlink_binding(table, binding);
		link_newest(table, binding, now_ms);
	}
	addresses_of((uint32_t)(binding - table->bindings), ret_ipv4, ret_ipv6);
	return BERM_OK;
}

bool synthetic_has(const struct synthetic *table, struct str name)
{
	return map_find(&table->by_name, name) != NULL;
}

struct str synthetic_name(const struct synthetic *table, const struct net_address *address)
{
	const struct binding *binding = find_binding(table, address);
	return binding == NULL ? (struct str){"", 0} : (struct str){binding->name, binding->name_len};
}

bool synthetic_hold(struct synthetic *table, const struct net_address *address, struct str *ret_name)
{
	struct binding *binding = find_binding(table, address);
	if (binding == NULL || binding->holders == UINT32_MAX)
		return false;
	if (binding->holders++ == 0)
		unlink_binding(table, binding);
	*ret_name = (struct str){binding->name, binding->name_len};
	return true;
}

void synthetic_release(struct synthetic *table, const struct net_address *address, uint64_t now_ms)
{
	struct binding *binding = find_binding(table, address);
	if (binding == NULL || binding->holders == 0)
		return;
	if (--binding->holders == 0)
		link_newest(table, binding, now_ms);
}

size_t synthetic_count(const struct synthetic *table)
{
	return table->count;
}
