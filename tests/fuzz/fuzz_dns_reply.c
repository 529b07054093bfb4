/* Target: dns_reply_read, with the name of the question itself, so that more than one in a million gets that far. An address that
 * is found stands in the message. */
#include <stdlib.h>
#include <string.h>

#include "egress/dns_reply.h"
#include "format/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* The name as text; false if it has a pointer or is too long. */
static bool name_of(struct span message, char ret[HOST_NAME_MAX + 1])
{
	size_t at = 12, len = 0;
	while (at < message.len && message.ptr[at] != 0) {
		size_t label = message.ptr[at++];
		if (label > 63 || label > message.len - at || len + label + 1 > HOST_NAME_MAX)
			return false;
		for (size_t i = 0; i < label; i++)
			ret[len++] = (char)(message.ptr[at + i] | 0x20);
		ret[len++] = '.';
		at += label;
	}
	ret[len > 0 ? len - 1 : 0] = '\0';
	return len > 0 && at < message.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = {data, size};
	char name[HOST_NAME_MAX + 1];
	struct dns_reply reply;
	struct str text = STR("www.example");
	if (size > 12 && name_of(message, name))
		text = str_from(name);
	for (int i = 0; i < 2; i++) {
		if (dns_reply_read(message, text, i == 0 ? DNS_A : DNS_AAAA, &reply, NULL) != BERM_OK)
			continue;
		check(reply.count <= DNS_REPLY_ADDRESSES_MAX);
		for (size_t k = 0; k < reply.count; k++)
			check(memmem(data, size, reply.addresses[k].bytes, address_size(&reply.addresses[k])) != NULL);
	}
	return 0;
}
