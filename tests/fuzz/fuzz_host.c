/* Target: host_read, host_read_port, address_parse, address_range_parse, address_special. What is taken has one canonical
 * text, which is taken again and means the same; nothing is name and address at once. */
#include <stdlib.h>
#include <string.h>

#include "format/address_special.h"
#include "format/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_host(const struct host *host)
{
	struct host again;
	struct net_address address;
	check(host->name[host->name_len] == '\0' && strlen(host->name) == host->name_len);
	check(host_read(host_text(host), false, &again, NULL) && host_equal(host, &again));
	check((host->kind == HOST_ADDRESS) == address_parse(host_text(host), &address));
	if (host->kind == HOST_ADDRESS)
		check(address_equal(&address, &host->address));
}

static void check_range(struct str text)
{
	struct net_range range, again;
	char printed[ADDRESS_RANGE_SIZE];
	if (address_range_parse(text, &range, NULL) != BERM_OK)
		return;
	check(address_in_range(&range.base, &range));
	(void)address_range_print(&range, printed);
	check(address_range_parse(str_from(printed), &again, NULL) == BERM_OK && again.bits == range.bits);
	check(address_equal(&range.base, &again.base));
}

/* The bytes as an address: an IPv4 one that is special is so in NAT64 as well. */
static void check_special(const uint8_t *data, size_t size)
{
	struct net_address address, inner, nat64 = {NET_IPV6, {0, 0x64, 0xff, 0x9b}};
	if (!address_from_bytes((struct span){data, size}, &address))
		return;
	const struct address_special *row = address_special(&address);
	check(address.family != NET_IPV4 || !address_embedded(&address, 0, &inner));
	if (address.family != NET_IPV4)
		return;
	memcpy(nat64.bytes + 12, address.bytes, 4);
	const struct address_special *outer = address_special(&nat64);
	check(outer != NULL &&
	      (row == NULL || outer->class == (row->class < ADDRESS_TRANSLATED ? row->class : outer->class)));
	check(address_embedded(&nat64, 0, &inner) && address_equal(&inner, &address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct host host;
	uint16_t port = 0;
	const char *why = NULL;
	if (host_read(text, false, &host, &why))
		check_host(&host);
	else
		check(why != NULL);
	if (host_read(text, true, &host, NULL))
		check_host(&host);
	if (host_read_port(text, 0, &host, &port, NULL)) {
		check_host(&host);
		check(port != 0);
	}
	check_range(text);
	check_special(data, size);
	return 0;
}
