#include "sandbox/ends.h"

#include "base/own.h"

/* The struct's place number i. */
static int *place(struct berm_network_ends *ends, size_t i)
{
	int *const places[ENDS_COUNT] = {&ends->tcp[0],	    &ends->tcp[1],     &ends->dns_udp[0],
					 &ends->dns_udp[1], &ends->dns_tcp[0], &ends->dns_tcp[1],
					 &ends->proxy[0],   &ends->proxy[1],   &ends->origins};
	return places[i];
}

void ends_clear(struct berm_network_ends *ends)
{
	*ends = (struct berm_network_ends){.size = sizeof(*ends)};
	for (size_t i = 0; i < ENDS_COUNT; i++)
		*place(ends, i) = -1;
}

void ends_close(struct berm_network_ends *ends)
{
	for (size_t i = 0; i < ENDS_COUNT; i++)
		own_close(place(ends, i));
	ends_clear(ends);
}

size_t ends_pack(const struct berm_network_ends *ends, int ret_fds[static ENDS_COUNT], uint32_t *ret_present)
{
	struct berm_network_ends copy = *ends;
	size_t count = 0;
	*ret_present = 0;
	for (size_t i = 0; i < ENDS_COUNT; i++) {
		if (*place(&copy, i) < 0)
			continue;
		ret_fds[count++] = *place(&copy, i);
		*ret_present |= 1U << i;
	}
	return count;
}

bool ends_unpack(uint32_t present, const int *fds, size_t count, struct berm_network_ends *ret_ends)
{
	struct berm_network_ends ends;
	size_t taken = 0;
	ends_clear(&ends);
	for (size_t i = 0; i < ENDS_COUNT; i++) {
		if ((present & 1U << i) == 0)
			continue;
		if (taken == count)
			return false;
		*place(&ends, i) = fds[taken++];
	}
	if (taken != count || present >> ENDS_COUNT != 0)
		return false;
	*ret_ends = ends;
	return true;
}
