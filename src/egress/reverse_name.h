/* Names that stand for addresses: "1.0.0.127.in-addr.arpa" (RFC 1035 3.5), and of IPv6 under ip6.arpa (RFC 3596 2.5). Pure. */
#ifndef BERM_EGRESS_REVERSE_NAME_H
#define BERM_EGRESS_REVERSE_NAME_H

#include "format/address.h"

/* Does the canonical name lie there? */
bool reverse_name_is(struct str name);
/* The address that it stands for, a whole one; false: none. */
MUST_USE bool reverse_name_read(struct str name, struct net_address *ret_address);

#endif
