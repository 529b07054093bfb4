#include "check.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "egress/pipes.h"

struct rig {
	struct pipes *pipes;
	int in[2], out[2]; /* socket pairs: what is written to in[1] goes through a pipe to out[1] */
};

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	*state = rig;
	if (rig == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rig->in) != 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, rig->out) != 0)
		return -1;
	enum berm_code code = pipes_new(&rig->pipes, NULL);
	return code == BERM_OK || getenv("BERM_TORTURE") != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	pipes_free(rig->pipes);
	for (int i = 0; i < 2; i++) {
		(void)close(rig->in[i]);
		(void)close(rig->out[i]);
	}
	free(rig);
	return 0;
}

static void test_what_goes_in_comes_out(void **state)
{
	struct rig *rig = *state;
	struct pipe_user user = {0};
	char bytes[6] = {0};
	if (!pipes_borrow(rig->pipes, &user))
		return;
	assert_true(pipes_borrow(rig->pipes, &user));
	assert_int_equal(write(rig->in[1], "hello", 5), 5);
	assert_int_equal(pipes_fill(rig->pipes, &user, rig->in[0]), 5);
	assert_int_equal(user.bytes, 5);
	assert_int_equal(pipes_drain(rig->pipes, &user, rig->out[0]), 5);
	assert_int_equal(user.bytes, 0);
	assert_int_equal(read(rig->out[1], bytes, 5), 5);
	assert_string_equal(bytes, "hello");
	pipes_return(rig->pipes, &user);
	pipes_return(rig->pipes, &user);
	assert_int_equal(user.number, 0);
}

static void test_what_is_left_in_a_pipe_is_no_others(void **state)
{
	struct rig *rig = *state;
	struct pipe_user user = {0}, next = {0};
	if (!pipes_borrow(rig->pipes, &user))
		return;
	assert_int_equal(write(rig->in[1], "secret", 6), 6);
	assert_int_equal(pipes_fill(rig->pipes, &user, rig->in[0]), 6);
	pipes_return(rig->pipes, &user);
	assert_true(pipes_borrow(rig->pipes, &next));
	assert_int_equal(next.number, 1);
	assert_int_equal(next.bytes, 0);
	assert_int_equal(write(rig->in[1], "x", 1), 1);
	assert_int_equal(pipes_fill(rig->pipes, &next, rig->in[0]), 1);
	assert_int_equal(pipes_drain(rig->pipes, &next, rig->out[0]), 1);
	char byte = 0;
	assert_int_equal(read(rig->out[1], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	pipes_return(rig->pipes, &next);
}

static void test_an_empty_pipe_is_lent_to_another(void **state)
{
	struct rig *rig = *state;
	static struct pipe_user users[PIPES_MAX], one_more;
	memset(users, 0, sizeof(users));
	one_more = (struct pipe_user){0};
	if (rig->pipes == NULL) {
		assert_false(pipes_borrow(NULL, &one_more));
		return;
	}
	for (size_t i = 0; i < PIPES_MAX; i++) {
		assert_true(pipes_borrow(rig->pipes, &users[i]));
		assert_int_equal(write(rig->in[1], "x", 1), 1);
		assert_int_equal(pipes_fill(rig->pipes, &users[i], rig->in[0]), 1);
	}
	assert_false(pipes_borrow(rig->pipes, &one_more));
	assert_int_equal(pipes_drain(rig->pipes, &users[5], rig->out[0]), 1);
	assert_true(pipes_borrow(rig->pipes, &one_more));
	assert_int_equal(users[5].number, 0);
	assert_int_equal(one_more.number, 6);
	for (size_t i = 0; i < PIPES_MAX; i++)
		pipes_return(rig->pipes, &users[i]);
	pipes_return(rig->pipes, &one_more);
}

#define PIPES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PIPES_TEST(test_what_goes_in_comes_out),
		PIPES_TEST(test_what_is_left_in_a_pipe_is_no_others),
		PIPES_TEST(test_an_empty_pipe_is_lent_to_another),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
