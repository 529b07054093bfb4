#include "format/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define IPV4_SIZE 4
#define IPV6_SIZE 16

bool address_from_bytes(struct span bytes, struct net_address *ret_address)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct net_address address = {0};
	if (bytes.len != IPV4_SIZE && bytes.len != IPV6_SIZE)
		return false;
	if (bytes.len == IPV6_SIZE && memcmp(bytes.ptr, mapped, sizeof(mapped)) == 0)
		bytes = (struct span){bytes.ptr + sizeof(mapped), IPV4_SIZE};
	address.family = bytes.len == IPV4_SIZE ? NET_IPV4 : NET_IPV6;
	memcpy(address.bytes, bytes.ptr, bytes.len);
	*ret_address = address;
	return true;
}

/* inet_pton takes the strict forms only, other than inet_aton and getaddrinfo. */
bool address_parse(struct str text, struct net_address *ret_address)
{
	char copy[ADDRESS_TEXT_SIZE];
	uint8_t bytes[IPV6_SIZE];
	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	bool ipv6 = memchr(text.ptr, ':', text.len) != NULL;
	if (inet_pton(ipv6 ? AF_INET6 : AF_INET, copy, bytes) != 1)
		return false;
	return address_from_bytes((struct span){bytes, ipv6 ? IPV6_SIZE : IPV4_SIZE}, ret_address);
}

size_t address_size(const struct net_address *address)
{
	return address->family == NET_IPV4 ? IPV4_SIZE : address->family == NET_IPV6 ? IPV6_SIZE : 0;
}

bool address_equal(const struct net_address *a, const struct net_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* ---- text ------------------------------------------------------------------------------------------------------ */

/* RFC 5952, 4.2: the first of the longest runs of at least two groups of zeros. */
static size_t longest_zeros(const uint8_t *bytes, size_t *ret_len)
{
	size_t best = 0, best_len = 0, run = 0;
	for (size_t i = 0; i < 8; i++) {
		run = bytes[2 * i] == 0 && bytes[2 * i + 1] == 0 ? run + 1 : 0;
		if (run > best_len) {
			best = i + 1 - run;
			best_len = run;
		}
	}
	*ret_len = best_len >= 2 ? best_len : 0;
	return best;
}

static size_t print_group(unsigned group, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = 0;
	for (int shift = 12; shift >= 0; shift -= 4)
		if (group >> shift != 0 || shift == 0)
			ret_text[len++] = digits[group >> shift & 0xf];
	return len;
}

static size_t print_ipv6(const uint8_t *bytes, char ret_text[ADDRESS_TEXT_SIZE])
{
	size_t zeros_len, zeros = longest_zeros(bytes, &zeros_len), len = 0;
	for (size_t i = 0; i < 8;) {
		if (zeros_len > 0 && i == zeros) {
			ret_text[len++] = ':';
			ret_text[len++] = ':';
			i += zeros_len;
			continue;
		}
		if (len > 0 && ret_text[len - 1] != ':')
			ret_text[len++] = ':';
		len += print_group((unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1], ret_text + len);
		i++;
	}
	ret_text[len] = '\0';
	return len;
}

size_t address_print(const struct net_address *address, char ret_text[ADDRESS_TEXT_SIZE])
{
	const uint8_t *b = address->bytes;
	if (address->family == NET_IPV6)
		return print_ipv6(b, ret_text);
	if (address->family == NET_IPV4)
		return (size_t)snprintf(ret_text, ADDRESS_TEXT_SIZE, "%u.%u.%u.%u", (unsigned)b[0], (unsigned)b[1],
					(unsigned)b[2], (unsigned)b[3]);
	return (size_t)snprintf(ret_text, ADDRESS_TEXT_SIZE, "-");
}

/* ---- ranges ---------------------------------------------------------------------------------------------------- */

bool address_in_range(const struct net_address *address, const struct net_range *range)
{
	size_t whole = range->bits / 8, rest = range->bits % 8;
	if (address->family != range->base.family || range->bits > 8 * address_size(address) ||
	    address->family == NET_NONE)
		return false;
	if (memcmp(address->bytes, range->base.bytes, whole) != 0)
		return false;
	return rest == 0 || (address->bytes[whole] ^ range->base.bytes[whole]) >> (8 - rest) == 0;
}

static bool has_bits_behind(const struct net_range *range)
{
	for (size_t bit = range->bits; bit < 8 * address_size(&range->base); bit++)
		if ((range->base.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return true;
	return false;
}

/* A length as written; one of an address that was written in IPv6 and became IPv4 counts the 96 bits in front. */
static bool read_bits(struct str text, bool written_ipv6, struct net_range *range)
{
	uint64_t bits, max = written_ipv6 ? 128 : 32;
	uint64_t before = written_ipv6 && range->base.family == NET_IPV4 ? 96 : 0;
	bool leading_zero = text.len > 1 && text.ptr[0] == '0';
	if (text.len == 0 || leading_zero || str_u64(text, max, &bits, NULL) != BERM_OK || bits < before)
		return false;
	range->bits = (uint8_t)(bits - before);
	return true;
}

enum berm_code address_range_parse(struct str text, struct net_range *ret_range, struct berm_err *err)
{
	const char *slash = text.len == 0 ? NULL : memchr(text.ptr, '/', text.len);
	struct str address = {text.ptr, slash == NULL ? text.len : (size_t)(slash - text.ptr)};
	struct net_range range = {0};
	int shown = (int)(text.len < ADDRESS_RANGE_SIZE ? text.len : ADDRESS_RANGE_SIZE);
	if (!address_parse(address, &range.base))
		return err_set(err, BERM_ERR_PARSE, "'%.*s' is not an address or a range of addresses", shown,
			       text.ptr);
	range.bits = (uint8_t)(8 * address_size(&range.base));
	if (slash == NULL) {
		*ret_range = range;
		return BERM_OK;
	}
	struct str bits = {slash + 1, text.len - address.len - 1};
	if (!read_bits(bits, memchr(address.ptr, ':', address.len) != NULL, &range))
		return err_set(err, BERM_ERR_PARSE, "'%.*s' has no length of a range behind '/'", shown, text.ptr);
	if (has_bits_behind(&range))
		return err_set(err, BERM_ERR_PARSE, "'%.*s' has bits set behind its length", shown, text.ptr);
	*ret_range = range;
	return BERM_OK;
}

size_t address_range_print(const struct net_range *range, char ret_text[ADDRESS_RANGE_SIZE])
{
	size_t len = address_print(&range->base, ret_text);
	if (range->bits == 8 * address_size(&range->base))
		return len;
	return len + (size_t)snprintf(ret_text + len, ADDRESS_RANGE_SIZE - len, "/%u", (unsigned)range->bits);
}
