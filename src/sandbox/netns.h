/*
 * The sandbox's own network namespace. Making one is the longest single step of a start (a quarter of a millisecond),
 * so it is made beside the mounts, by a short-lived child that shares our memory and descriptors; with a filtered network
 * the ends are made there as well. No heap.
 */
#ifndef BERM_SANDBOX_NETNS_H
#define BERM_SANDBOX_NETNS_H

#include "sandbox/launch.h"

/* Starts making it. 0, or -1 with launch->failure set. */
int netns_begin(struct launch *launch);
/* Waits until it is made, with its loopback up and launch->ends, and enters it. */
int netns_enter(struct launch *launch);

#endif
