/*
 * A door for listeners on a loopback that is the host's: without a key that only this supervisor has nobody gets in. It is
 * the TCP MD5 signature of RFC 2385 (tcp(7), TCP_MD5SIG, no privilege needed): a listener that has a key for the
 * loopback drops every segment that is not signed with it, accepted connections inherit it, and connects on behalf get
 * the same key. So a program outside that connects to a port of the sandbox gets no answer at all. The task that owns the
 * socket cannot read the key, and the filter refuses it the option, so it cannot open the door either.
 *
 * A kernel without CONFIG_TCP_MD5SIG has no door: the host can connect to such a listener.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>

#include "base/own.h"
#include "sandbox/sup_socket.h"

enum { KEY_SIZE = 32, LOOPBACK4_PREFIX = 8, LOOPBACK6_PREFIX = 128 };

/* One supervisor a process. */
static struct {
	bool drawn;
	uint8_t key[KEY_SIZE];
} door_state;

static int draw(void)
{
	if (!door_state.drawn && getrandom(door_state.key, KEY_SIZE, 0) != KEY_SIZE)
		return errno;
	door_state.drawn = true;
	return 0;
}

static int set_key(int fd, const void *addr, size_t len, uint8_t prefix)
{
	struct tcp_md5sig key = {
		.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX, .tcpm_prefixlen = prefix, .tcpm_keylen = KEY_SIZE};
	memcpy(&key.tcpm_addr, addr, len);
	memcpy(key.tcpm_key, door_state.key, KEY_SIZE);
	return setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG_EXT, &key, sizeof(key)) < 0 ? errno : 0;
}

/* All of 127.0.0.0/8, and ::1. A socket of IPv6 knows the former by its mapped form. */
int door_set(int fd, int domain)
{
	const struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int error = draw();
	if (error != 0)
		return error;
	if (domain == AF_INET) {
		error = set_key(fd, &in, sizeof(in), LOOPBACK4_PREFIX);
	} else {
		error = set_key(fd, &in6, sizeof(in6), LOOPBACK6_PREFIX);
		memset(&in6.sin6_addr, 0, sizeof(in6.sin6_addr));
		in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
		in6.sin6_addr.s6_addr[12] = 127;
		in6.sin6_addr.s6_addr[15] = 1;
		if (error == 0)
			error = set_key(fd, &in6, sizeof(in6), LOOPBACK4_PREFIX);
	}
	return error == ENOPROTOOPT ? 0 : error;
}
