#include "os/nl_route.h"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

static size_t address_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

void nl_link_up(struct nl_out *out, int index)
{
	const struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	nl_begin(out, RTM_NEWLINK, NLM_F_ACK, &link, sizeof(link));
	nl_end(out);
}

void nl_address(struct nl_out *out, int family, int index, const uint8_t *address)
{
	size_t size = address_size(family);
	const struct ifaddrmsg message = {.ifa_family = (uint8_t)family,
					  .ifa_prefixlen = (uint8_t)(8 * size),
					  .ifa_flags = IFA_F_NODAD,
					  .ifa_index = (uint32_t)index};
	nl_begin(out, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &message, sizeof(message));
	nl_put(out, IFA_LOCAL, address, size);
	nl_put(out, IFA_ADDRESS, address, size);
	nl_end(out);
}

void nl_all_local(struct nl_out *out, int family, int index, const uint8_t *source)
{
	const struct rtmsg route = {.rtm_family = (uint8_t)family,
				    .rtm_table = RT_TABLE_LOCAL,
				    .rtm_protocol = RTPROT_BOOT,
				    .rtm_scope = family == AF_INET ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE,
				    .rtm_type = RTN_LOCAL};
	nl_begin(out, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, &route, sizeof(route));
	nl_put_u32(out, RTA_OIF, (uint32_t)index);
	nl_put(out, RTA_PREFSRC, source, address_size(family));
	nl_end(out);
}
