#include "check.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/nl.h"

static void test_built_messages_read_back(void **state)
{
	(void)state;
	uint32_t bytes[64];
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	nl_begin(&out, 7, NLM_F_ACK, "head", 4);
	nl_put(&out, 1, "abcde", 5);
	size_t nest = nl_nest_begin(&out, 2);
	nl_put_u32(&out, 3, 0x01020304);
	nl_nest_end(&out, nest);
	nl_end(&out);
	nl_begin(&out, 8, 0, NULL, 0);
	nl_end(&out);
	assert_false(out.failed);
	struct span rest = {out.bytes, out.len};
	struct nl_message message;
	assert_true(nl_next_message(&rest, &message));
	assert_int_equal(message.type, 7);
	assert_int_equal(message.flags, NLM_F_ACK | NLM_F_REQUEST);
	assert_memory_equal(message.payload.ptr, "head", 4);
	struct span inside = {message.payload.ptr + 4, message.payload.len - 4};
	struct nl_attribute attribute;
	assert_true(nl_next_attribute(&inside, &attribute));
	assert_int_equal(attribute.type, 1);
	assert_int_equal(attribute.value.len, 5);
	assert_memory_equal(attribute.value.ptr, "abcde", 5);
	assert_true(nl_next_attribute(&inside, &attribute));
	assert_int_equal(attribute.type, 2);
	struct span nested = attribute.value;
	assert_false(nl_next_attribute(&inside, &attribute));
	assert_true(nl_next_attribute(&nested, &attribute));
	assert_int_equal(attribute.type, 3);
	uint32_t value = 0x01020304;
	assert_int_equal(attribute.value.len, sizeof(value));
	assert_memory_equal(attribute.value.ptr, &value, sizeof(value));
	assert_true(nl_next_message(&rest, &message));
	assert_int_equal(message.type, 8);
	assert_int_equal(message.payload.len, 0);
	assert_false(nl_next_message(&rest, &message));
}

static void test_what_does_not_fit_is_told(void **state)
{
	(void)state;
	uint32_t bytes[8];
	memset(bytes, 0x55, sizeof(bytes));
	struct nl_out out = nl_into(bytes, 28);
	nl_begin(&out, 7, 0, NULL, 0);
	nl_put(&out, 1, "12345678", 8);
	assert_false(out.failed);
	nl_put_u32(&out, 2, 0);
	nl_end(&out);
	assert_true(out.failed);
	assert_int_equal(bytes[7], 0x55555555);
	static const char large[65536];
	static uint32_t more[20000];
	out = nl_into(more, sizeof(more));
	nl_begin(&out, 7, 0, NULL, 0);
	nl_put(&out, 1, large, sizeof(large));
	assert_true(out.failed);
}

static void test_lengths_that_lie_are_refused(void **state)
{
	(void)state;
	struct nlmsghdr header = {.nlmsg_len = sizeof(header) + 1};
	struct nl_message message;
	struct span rest = {(const uint8_t *)&header, sizeof(header)};
	assert_false(nl_next_message(&rest, &message));
	header.nlmsg_len = sizeof(header) - 1;
	assert_false(nl_next_message(&rest, &message));
	header.nlmsg_len = 0;
	assert_false(nl_next_message(&rest, &message));
	rest.len = sizeof(header) - 1;
	assert_false(nl_next_message(&rest, &message));
	struct nlattr attribute = {.nla_len = sizeof(attribute) + 1};
	struct nl_attribute found;
	rest = (struct span){(const uint8_t *)&attribute, sizeof(attribute)};
	assert_false(nl_next_attribute(&rest, &found));
	attribute.nla_len = 3;
	assert_false(nl_next_attribute(&rest, &found));
	attribute.nla_len = 4;
	assert_true(nl_next_attribute(&rest, &found));
	assert_int_equal(found.value.len, 0);
	assert_int_equal(rest.len, 0);
}

static bool loopback_is_up(void)
{
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo"};
	return fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
}

/* 0 or the number of the step that failed; 77: no namespaces for this user here. */
static int raise_loopback(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return 77;
	if (loopback_is_up())
		return 1;
	if (nl_loopback_up() != 0)
		return 2;
	return loopback_is_up() ? 0 : 3;
}

static void test_loopback_comes_up_in_a_new_namespace(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(raise_loopback());
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_refusals_of_the_kernel_are_told(void **state)
{
	(void)state;
	uint32_t bytes[16];
	const struct ifinfomsg nothing = {.ifi_index = 0x7ffffff0, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct nl_out out = nl_into(bytes, sizeof(bytes));
	nl_begin(&out, RTM_NEWLINK, NLM_F_ACK, &nothing, sizeof(nothing));
	nl_end(&out);
	assert_int_equal(nl_transact(NETLINK_ROUTE, &out), -1);
	assert_true(errno == ENODEV || errno == EPERM);
	out.failed = true;
	assert_int_equal(nl_transact(NETLINK_ROUTE, &out), -1);
	assert_int_equal(errno, EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_messages_read_back),
		cmocka_unit_test(test_what_does_not_fit_is_told),
		cmocka_unit_test(test_lengths_that_lie_are_refused),
		cmocka_unit_test(test_refusals_of_the_kernel_are_told),
		cmocka_unit_test(test_loopback_comes_up_in_a_new_namespace),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
