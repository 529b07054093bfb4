#include "policy/host_text.h"

#include <arpa/inet.h>
#include <string.h>

enum { PORT_MAX = 65535, V4_BITS = 32, V6_BITS = 128, MAPPED_BITS = 96, TEXT_MAX = 64 };

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* "[ab].example:80" is a name: an address has two colons. */
struct str host_text_split(const char *text, uint16_t *ret_port)
{
	struct str host = str_from(text);
	const char *first = strchr(text, ':'), *last = strrchr(text, ':');
	const char *end = text[0] == '[' && first != last ? strchr(text, ']') : NULL;
	uint64_t port;
	*ret_port = 0;
	if (end != NULL)
		host = (struct str){text + 1, (size_t)(end - text - 1)};
	bool behind = last != NULL && (end != NULL ? last == end + 1 : last == first);
	if (behind && str_u64(str_from(last + 1), PORT_MAX, &port, NULL) == BERM_OK) {
		*ret_port = (uint16_t)port;
		host.len = end != NULL ? host.len : (size_t)(last - text);
	}
	return host;
}

static bool is_mapped(const uint8_t address[static 16])
{
	return memcmp(address, mapped, sizeof mapped) == 0;
}

/* All is looked at that stands in front of a '/', which is cheap to tell from a name. */
static bool parse_address(struct str text, struct host_net *net)
{
	char copy[TEXT_MAX];
	if (text.len == 0 || text.len >= sizeof copy)
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	*net = (struct host_net){.bits = V6_BITS};
	if (memchr(copy, ':', text.len) != NULL)
		return inet_pton(AF_INET6, copy, net->address) == 1;
	memcpy(net->address, mapped, sizeof mapped);
	return copy[0] >= '0' && copy[0] <= '9' && inet_pton(AF_INET, copy, net->address + sizeof mapped) == 1;
}

static bool is_zero_behind(const struct host_net *net)
{
	for (size_t bit = net->bits; bit < V6_BITS; bit++)
		if ((net->address[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return false;
	return true;
}

bool host_text_net(struct str host, bool net, struct host_net *ret_net)
{
	const char *slash = net && host.len > 0 ? memchr(host.ptr, '/', host.len) : NULL;
	struct str address = {host.ptr, slash != NULL ? (size_t)(slash - host.ptr) : host.len};
	struct host_net found;
	uint64_t bits;
	if (!parse_address(address, &found))
		return false;
	if (slash != NULL) {
		bool v4 = memchr(address.ptr, ':', address.len) == NULL;
		struct str tail = {slash + 1, host.len - address.len - 1};
		if (str_u64(tail, v4 ? V4_BITS : V6_BITS, &bits, NULL) != BERM_OK)
			return false;
		found.bits = (uint8_t)(bits + (v4 ? MAPPED_BITS : 0));
	}
	if (!is_zero_behind(&found))
		return false;
	*ret_net = found;
	return true;
}

bool host_text_covers(const struct host_net *net, const struct host_net *address)
{
	size_t whole = net->bits / 8, rest = net->bits % 8;
	if (memcmp(net->address, address->address, whole) != 0)
		return false;
	return rest == 0 || (net->address[whole] ^ address->address[whole]) >> (8 - rest) == 0;
}

bool host_text_in(const struct host_net *net, const struct host_net *address)
{
	return (net->bits >= MAPPED_BITS || !is_mapped(address->address)) && host_text_covers(net, address);
}

static bool is_label(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* "1", "0x7f": what inet_aton would read as part of an address. */
static bool is_number(struct str label)
{
	bool hex = label.len >= 2 && label.ptr[0] == '0' && (label.ptr[1] | 0x20) == 'x';
	for (size_t i = hex ? 2 : 0; i < label.len; i++) {
		char c = label.ptr[i];
		char low = (char)(c | 0x20);
		if ((c < '0' || c > '9') && !(hex && low >= 'a' && low <= 'f'))
			return false;
	}
	return true;
}

bool host_text_is_name(struct str host)
{
	size_t begin = 0;
	if (host.len > 1 && host.ptr[host.len - 1] == '.')
		host.len--;
	for (size_t i = 0; i < host.len; i++) {
		if (host.ptr[i] != '.' && !is_label(host.ptr[i]))
			return false;
		if (host.ptr[i] != '.')
			continue;
		if (i == begin)
			return false;
		begin = i + 1;
	}
	return begin < host.len && !is_number((struct str){host.ptr + begin, host.len - begin});
}
