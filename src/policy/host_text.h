/*
 * Hosts as lines of a policy have them: "example.org:8443", "10.0.0.0/8", "[fd00::/8]:5432", and addresses as numbers. An
 * address of IPv4 is "::ffff:a.b.c.d", however it was written.
 */
#ifndef BERM_POLICY_HOST_TEXT_H
#define BERM_POLICY_HOST_TEXT_H

#include "base/str.h"

struct host_net {
	uint8_t address[16];
	uint8_t bits;
};
/* Takes a text apart. port: 0 if none is named. What is not one of the forms is all host. */
struct str host_text_split(const char *text, uint16_t *ret_port);
/* An address, or with net a network behind which bits are zero. False: it is none. */
bool host_text_net(struct str host, bool net, struct host_net *ret_net);
/* Are the first bits the same? */
bool host_text_covers(const struct host_net *net, const struct host_net *address);
/* Does it lie in it? IPv4 is in no network of IPv6. */
bool host_text_in(const struct host_net *net, const struct host_net *address);
/* Letters, digits, '-' and '_' in labels of which none is empty, and the last no number: such a name might be taken for an
 * address by who resolves it. One '.' at the end is fine. */
bool host_text_is_name(struct str host);

#endif
