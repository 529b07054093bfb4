#include "check.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "egress/tunnel.h"

struct caller {
	struct tunnel tunnel; /* first: a callback is given its address */
	int calls;
	enum tunnel_outcome outcome;
};

static void note(struct tunnel *tunnel, enum tunnel_outcome outcome)
{
	struct caller *caller = (struct caller *)(void *)tunnel;
	caller->calls++;
	caller->outcome = outcome;
}

static void print(const char *host, const char *login, const char *expected)
{
	auto_buf struct buf out;
	buf_init(&out, 1024);
	if (tunnel_print(host, 443, login, &out, NULL) == BERM_OK)
		assert_string_equal(out.data, expected);
}

static void test_the_request_is_as_the_rfc_has_it(void **state)
{
	(void)state;
	print("example.org", "", "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n");
	print("2001:db8::1", "Basic eDp5",
	      "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\nProxy-Authorization: Basic "
	      "eDp5\r\n\r\n");
	auto_buf struct buf out;
	buf_init(&out, 10);
	assert_int_not_equal(tunnel_print("example.org", 443, "", &out, NULL), BERM_OK);
}

/* What a proxy says in pieces, and what is left of it for the host's peer. */
struct exchange {
	const char *pieces[3];
	enum tunnel_outcome outcome;
	const char *left;
};

static void run(const struct exchange *exchange)
{
	int fds[2];
	struct caller caller = {0};
	struct egress_loop loop;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	auto_fd int mine = fds[0];
	auto_fd int proxy = fds[1];
	assert_int_equal(loop_init(&loop, NULL), BERM_OK);
	auto_fd int epoll_fd = loop.epoll_fd; /* what a failed assertion leaves */
	assert_true(epoll_fd >= 0);
	enum berm_code code = tunnel_start(&caller.tunnel, &loop, mine, STR("CONNECT x"), note, NULL);
	if (code == BERM_ERR_NOMEM)
		return;
	assert_int_equal(code, BERM_OK);
	assert_int_equal(loop_turn(&loop, NULL), BERM_OK);
	char bytes[64] = {0};
	assert_int_equal(recv(proxy, bytes, sizeof(bytes), MSG_DONTWAIT), 9);
	for (int i = 0; i < 3 && exchange->pieces[i] != NULL; i++) {
		assert_int_equal(caller.calls, 0);
		size_t len = strlen(exchange->pieces[i]);
		assert_int_equal(write(proxy, exchange->pieces[i], len), len);
		if (len == 0)
			assert_int_equal(shutdown(proxy, SHUT_WR), 0);
		assert_int_equal(loop_turn(&loop, NULL), BERM_OK);
	}
	assert_int_equal(caller.calls, 1);
	assert_int_equal(caller.outcome, exchange->outcome);
	if (exchange->left == NULL)
		return;
	memset(bytes, 0, sizeof(bytes));
	ssize_t n = recv(mine, bytes, sizeof(bytes) - 1, MSG_DONTWAIT);
	assert_int_equal(n > 0 ? n : 0, strlen(exchange->left));
	assert_string_equal(bytes, exchange->left);
}

static void test_the_answer_is_read_to_the_end_of_its_head(void **state)
{
	(void)state;
	static const struct exchange exchanges[] = {
		{{"HTTP/1.1 200 Connection established\r\n\r\n"}, TUNNEL_DONE, ""},
		{{"HTTP/1.0 200 OK\r\nVia: x\r\n\r\nSSH-2.0-"}, TUNNEL_DONE, "SSH-2.0-"},
		{{"HTTP/1.1 2", "00 OK\r\n", "\r\nx"}, TUNNEL_DONE, "x"},
		{{"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"}, TUNNEL_REFUSED, NULL},
		{{"HTTP/1.1 503 no\r\nContent-Length: 3\r\n\r\nno\n"}, TUNNEL_REFUSED, NULL},
		{{"SSH-2.0-x\r\n\r\n"}, TUNNEL_FAULT, NULL},
		{{"HTTP/1.1 200 OK\r\n", ""}, TUNNEL_FAULT, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(exchanges); i++)
		run(&exchanges[i]);
}

static void test_an_answer_without_end_is_a_fault(void **state)
{
	(void)state;
	char head[5000] = "HTTP/1.1 200 OK\r\nX: ";
	memset(head + strlen(head), 'x', sizeof(head) - strlen(head) - 1);
	const struct exchange exchange = {{head}, TUNNEL_FAULT, NULL};
	run(&exchange);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_request_is_as_the_rfc_has_it),
		cmocka_unit_test(test_the_answer_is_read_to_the_end_of_its_head),
		cmocka_unit_test(test_an_answer_without_end_is_a_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
