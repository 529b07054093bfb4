/*
 * The ends of a filtered network as the helper, which makes them, and the caller, which gets them, have them: a struct with
 * names, and the same as one row of descriptors for the frame that carries them. No heap.
 */
#ifndef BERM_SANDBOX_ENDS_H
#define BERM_SANDBOX_ENDS_H

#include "berm/berm.h"

enum { ENDS_COUNT = 9 };

/* None of them there. */
void ends_clear(struct berm_network_ends *ends);
/* Closes those that are there, and clears. */
void ends_close(struct berm_network_ends *ends);
/* Those that are there, in order; bit i of *ret_present: place i of the struct is among them. Returns how many. Borrowed. */
size_t ends_pack(const struct berm_network_ends *ends, int ret_fds[static ENDS_COUNT], uint32_t *ret_present);
/* The opposite: takes the descriptors, one for each bit. False, with nothing taken, unless there are just so many. */
bool ends_unpack(uint32_t present, const int *fds, size_t count, struct berm_network_ends *ret_ends);
/* In the sandbox's own network with all rights in it, ends_open.c: makes those that listen, on the ports of netns_rules.h; six:
 * of IPv6, too. 0, or -1 with errno and nothing made. errno is written by a failure only, and never read. */
int ends_open(bool six, struct berm_network_ends *ret_ends);
/* On the machine's loopback, on ports that are free, without those for datagrams. prepare: called for each socket before it
 * listens; 0, or an errno. 0, or -1 with errno and nothing made. */
int ends_open_host(int (*prepare)(int fd, int domain), struct berm_network_ends *ret_ends);
/* Makes origins, and the end that they are told by, which does not block. 0, or -1 with errno and nothing made. */
int ends_origins(struct berm_network_ends *ends, int *ret_origins);

#endif
