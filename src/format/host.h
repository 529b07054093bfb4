/*
 * The host that a URL, a header, a TLS hello, a SOCKS request or a rule names: a name or an address, in one canonical
 * form, so that what is judged is what is dialled. Strict: text that one program takes for a name and another for an
 * address ("127.1", "0x7f.1", "017.0.0.1", "2130706433", "1.2.3.4.", "fe80::1%eth0") is neither. Pure, no heap.
 */
#ifndef BERM_FORMAT_HOST_H
#define BERM_FORMAT_HOST_H

#include <limits.h> /* which has a HOST_NAME_MAX of its own, for what a machine calls itself */

#include "format/address.h"

#undef HOST_NAME_MAX
#define HOST_NAME_MAX 253 /* bytes of a name as text, without the final dot (RFC 1035 2.3.4) */
#define HOST_LABEL_MAX 63

enum host_kind { HOST_NONE = 0, HOST_ADDRESS, HOST_NAME };

struct host {
	enum host_kind kind;
	struct net_address address; /* HOST_ADDRESS */
	char name[HOST_NAME_MAX +
		  1]; /* both: canonical text, NUL-terminated: lower case, no final dot; an address printed */
	uint8_t name_len;
};

/*
 * A name: labels of 1 to 63 bytes out of letters, digits, '-' and '_', not beginning or ending with '-'; one final dot is
 * taken off; not more than 253 bytes; its last label is no number, decimal or hexadecimal (then every URL parser looks
 * for an IPv4 address, WHATWG URL "ends in a number"). Other bytes, so NUL, space, '%', '/', '@', and everything above
 * 0x7f, are refused: who wants an international name writes its "xn--" form.
 * An address: as address_parse takes it; in_brackets also "[2001:db8::1]", and then IPv6 only like this (URLs, Host).
 * False: neither; *ret_why, if not NULL, then says what is wrong, a constant text for behind the
 * host's ("looks like an address, but is not one").
 */
MUST_USE bool host_read(struct str text, bool in_brackets, struct host *ret_host, const char **ret_why);
/* "example.org:443", "192.0.2.1:22", "[2001:db8::1]:443": CONNECT, absolute URLs, rules. default_port where none is
 * written; 0: one must be. A port is 1 to 65535 in decimal without sign or leading zeros. */
MUST_USE bool host_read_port(struct str text, uint16_t default_port, struct host *ret_host, uint16_t *ret_port,
			     const char **ret_why);
/* The same host: canonical texts are equal. */
bool host_equal(const struct host *a, const struct host *b);
struct str host_text(const struct host *host);

#endif
