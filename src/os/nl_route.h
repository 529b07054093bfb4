/* Messages to NETLINK_ROUTE, each asking for an answer: what a network of one's own needs to have any address. No heap. */
#ifndef BERM_OS_NL_ROUTE_H
#define BERM_OS_NL_ROUTE_H

#include "os/nl.h"

enum { NL_LOOPBACK_INDEX = 1 }; /* the first interface of every network namespace */

void nl_link_up(struct nl_out *out, int index);
/* A host address of family AF_INET (4 bytes) or AF_INET6 (16). */
void nl_address(struct nl_out *out, int family, int index, const uint8_t *address);
/* Every address that has no better route is this machine's own, and connections to it come from source. */
void nl_all_local(struct nl_out *out, int family, int index, const uint8_t *source);

#endif
