#include "sandbox/sup_target.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "sandbox/sup_state.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t loopback4[4] = {127, 0, 0, 1};

static struct target target_of4(const struct sockaddr_in *in)
{
	struct target target = {.family = AF_INET, .port = ntohs(in->sin_port)};
	memcpy(target.addr, &in->sin_addr, 4);
	return target;
}

struct target target_of6(const uint8_t addr[16], uint16_t port)
{
	struct target target = {.family = AF_INET6, .port = port};
	bool mapped = memcmp(addr, mapped_prefix, sizeof(mapped_prefix)) == 0;
	if (mapped)
		target.family = AF_INET;
	memcpy(target.addr, addr + (mapped ? 12 : 0), mapped ? 4 : 16);
	return target;
}

int target_read(const struct sock_call *sock, struct target *ret_target)
{
	if (sock->addr.any.sa_family != sock->domain)
		return EAFNOSUPPORT;
	if (sock->len <
	    (sock->domain == AF_INET ? sizeof(struct sockaddr_in) : offsetof(struct sockaddr_in6, sin6_scope_id)))
		return EINVAL;
	*ret_target = sock->domain == AF_INET
			      ? target_of4(&sock->addr.in)
			      : target_of6(sock->addr.in6.sin6_addr.s6_addr, ntohs(sock->addr.in6.sin6_port));
	return 0;
}

size_t target_size(const struct target *target)
{
	return target->family == AF_INET ? 4 : 16;
}

bool target_is_any(const struct target *target)
{
	static const uint8_t zero[16];
	return memcmp(target->addr, zero, target_size(target)) == 0;
}

bool target_is_loopback(const struct target *target)
{
	if (target->family == AF_INET)
		return target->addr[0] == 127;
	return memcmp(target->addr, &in6addr_loopback, 16) == 0;
}

const char *target_text(const struct target *target, char ret_text[static TARGET_TEXT])
{
	bool six = target->family == AF_INET6;
	size_t at = six ? 1 : 0;
	ret_text[0] = '[';
	(void)inet_ntop(target->family, target->addr, ret_text + at, INET6_ADDRSTRLEN);
	at += strlen(ret_text + at);
	(void)text_put(ret_text, TARGET_TEXT, &at, six ? "]:" : ":");
	(void)text_put_number(ret_text, TARGET_TEXT, &at, target->port);
	return ret_text;
}

/* The address that stands for "this machine" means loopback, which is what the kernel would make of it. */
void target_set_loopback(struct sock_call *sock, struct target *target, bool mapped)
{
	if (target->family == AF_INET || mapped) {
		target->family = AF_INET;
		memcpy(target->addr, loopback4, 4);
	} else {
		memcpy(target->addr, &in6addr_loopback, 16);
	}
	if (sock->domain == AF_INET) {
		memcpy(&sock->addr.in.sin_addr, target->addr, 4);
		return;
	}
	uint8_t *addr = sock->addr.in6.sin6_addr.s6_addr;
	bool four = target->family == AF_INET;
	if (four)
		memcpy(addr, mapped_prefix, sizeof(mapped_prefix));
	memcpy(addr + (four ? 12 : 0), target->addr, four ? 4 : 16);
}
