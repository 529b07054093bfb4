#include "check.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/own.h"
#include "egress/door.h"
#include "egress/egress.h"

/* @egress and the monitor in one process: fds[1] is the monitor's end. */
struct pair {
	struct egress egress;
	int monitor;
	uint8_t bytes[DOOR_MESSAGE_MAX];
	struct door_question question;
	struct str text;
};

static struct {
	int ends, reloads;
	uint16_t port;
	int fds[DOOR_END_COUNT];
} told;

static void on_ends(struct egress *egress, const struct door_ends *ends, const int fds[DOOR_END_COUNT])
{
	(void)egress;
	told.ends++;
	told.port = ends->proxy_port;
	memcpy(told.fds, fds, sizeof(told.fds));
}

static void on_reloaded(struct egress *egress, const struct door_answer *answer)
{
	(void)egress;
	told.reloads += answer->close_denied != 0 ? 1 : 100;
}

static const struct door_events events = {on_ends, on_reloaded};

static void pair_done(struct pair *pair)
{
	door_free(pair->egress.door);
	loop_done(&pair->egress.loop);
	own_close(&pair->monitor);
}
#define auto_pair __attribute__((cleanup(pair_done)))

static void pair_init(struct pair *pair)
{
	int fds[2];
	memset(&told, 0, sizeof(told));
	assert_int_equal(loop_init(&pair->egress.loop, NULL), BERM_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	pair->monitor = fds[1];
	if (door_new(&pair->egress, fds[0], &events, &pair->egress.door, NULL) != BERM_OK) {
		own_close(&fds[0]);
		fail();
	}
}
#define PAIR_EMPTY                                                                                                     \
	{                                                                                                              \
		.egress = {.loop = {.epoll_fd = -1}}, .monitor = -1                                                    \
	}

static void turn(struct pair *pair)
{
	assert_int_equal(loop_turn(&pair->egress.loop, NULL), BERM_OK);
}

struct waiting {
	struct door_wait wait; /* first */
	int answered;
	struct door_answer answer;
};

static void on_answer(struct door_wait *wait, const struct door_answer *answer)
{
	struct waiting *waiting = (struct waiting *)wait;
	waiting->answered++;
	waiting->answer = *answer;
}

static enum berm_code ask(struct pair *pair, struct waiting *waiting, const char *host)
{
	struct door_question question = {.kind = DOOR_CONNECT, .port = 443};
	memcpy(question.host, host, strlen(host));
	return door_ask(pair->egress.door, &question, STR(""), &waiting->wait, on_answer, NULL);
}

static enum berm_code take_question(struct pair *pair)
{
	return door_take(pair->monitor, pair->bytes, &pair->question, &pair->text, NULL);
}

static void answer(struct pair *pair, uint64_t id, enum door_verdict verdict)
{
	struct door_answer said = {.kind = DOOR_ANSWER, .id = id, .verdict = (uint8_t)verdict};
	assert_int_equal(door_send(pair->monitor, &said, NULL), BERM_OK);
}

static void test_a_question_gets_its_answer(void **state)
{
	(void)state;
	auto_pair struct pair pair = PAIR_EMPTY;
	pair_init(&pair);
	struct waiting first = {0}, second = {0};
	assert_int_equal(take_question(&pair), BERM_ERR_TIMEOUT);
	assert_int_equal(ask(&pair, &first, "a.example"), BERM_OK);
	assert_int_equal(ask(&pair, &second, "b.example"), BERM_OK);
	assert_int_equal(take_question(&pair), BERM_OK);
	uint64_t first_id = pair.question.id;
	assert_string_equal(pair.question.host, "a.example");
	assert_int_equal(take_question(&pair), BERM_OK);
	assert_string_equal(pair.question.host, "b.example");
	answer(&pair, pair.question.id, DOOR_ALLOW);
	turn(&pair);
	assert_int_equal(first.answered, 0);
	assert_int_equal(second.answered, 1);
	assert_int_equal(second.answer.verdict, DOOR_ALLOW);
	answer(&pair, first_id, DOOR_DENY);
	turn(&pair);
	assert_int_equal(first.answered, 1);
	assert_int_equal(first.answer.verdict, DOOR_DENY);
	assert_int_equal(first.wait.id, 0);
}

static void test_a_withdrawn_question_gets_none(void **state)
{
	(void)state;
	auto_pair struct pair pair = PAIR_EMPTY;
	pair_init(&pair);
	struct waiting first = {0}, second = {0};
	door_withdraw(pair.egress.door, &first.wait); /* idle */
	assert_int_equal(ask(&pair, &first, "a.example"), BERM_OK);
	assert_int_equal(ask(&pair, &second, "b.example"), BERM_OK);
	uint64_t id = first.wait.id, second_id = second.wait.id;
	door_withdraw(pair.egress.door, &first.wait);
	for (int i = 0; i < 3; i++)
		assert_int_equal(take_question(&pair), BERM_OK);
	assert_int_equal(pair.question.kind, DOOR_WITHDRAW);
	assert_int_equal(pair.question.id, id);
	answer(&pair, id, DOOR_ALLOW);
	answer(&pair, second_id, DOOR_ALLOW);
	turn(&pair);
	assert_int_equal(first.answered, 0);
	assert_int_equal(second.answered, 1);
	assert_false(pair.egress.stopping);
}

static void test_a_question_that_cannot_be_is_not_sent(void **state)
{
	(void)state;
	auto_pair struct pair pair = PAIR_EMPTY;
	pair_init(&pair);
	struct waiting waiting = {0};
	assert_int_equal(ask(&pair, &waiting, "Not.Canonical"), BERM_ERR_INVALID);
	assert_int_equal(waiting.wait.id, 0);
	assert_int_equal(take_question(&pair), BERM_ERR_TIMEOUT);
}

static void test_the_monitor_drops_what_is_no_question(void **state)
{
	(void)state;
	auto_pair struct pair pair = PAIR_EMPTY;
	pair_init(&pair);
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	static char bytes[DOOR_MESSAGE_MAX + 1];
	bool sent = send(fds[0], "x", 1, 0) == 1 && send(fds[0], bytes, sizeof(bytes), 0) == sizeof(bytes);
	own_close(&pair.monitor);
	pair.monitor = fds[1];
	enum berm_code first = take_question(&pair), second = take_question(&pair), third = take_question(&pair);
	own_close(&fds[0]);
	assert_true(sent);
	assert_int_equal(first, BERM_ERR_PARSE);
	assert_int_equal(second, BERM_ERR_PARSE);
	assert_int_equal(third, BERM_ERR_TIMEOUT);
	assert_int_equal(take_question(&pair), BERM_ERR_CLOSED);
}

static void test_what_is_no_answer_ends_egress(void **state)
{
	(void)state;
	auto_pair struct pair pair = PAIR_EMPTY;
	pair_init(&pair);
	assert_int_equal(send(pair.monitor, "nonsense", 8, 0), 8);
	turn(&pair);
	assert_true(pair.egress.stopping);
	assert_true(door_failed(pair.egress.door));
	struct waiting waiting = {0};
	assert_int_equal(ask(&pair, &waiting, "a.example"), BERM_ERR_CLOSED);
}

static void test_egress_stops_when_the_monitor_is_gone(void **state)
{
	(void)state;
	auto_pair struct pair pair = PAIR_EMPTY;
	pair_init(&pair);
	struct waiting waiting = {0};
	assert_int_equal(ask(&pair, &waiting, "a.example"), BERM_OK);
	own_close(&pair.monitor);
	pair.monitor = -1;
	turn(&pair);
	assert_true(pair.egress.stopping);
	assert_false(door_failed(pair.egress.door));
	assert_int_equal(waiting.answered, 0);
	door_withdraw(pair.egress.door, &waiting.wait);
}

static void test_descriptors_lie_where_their_bits_are(void **state)
{
	(void)state;
	auto_pair struct pair pair = PAIR_EMPTY;
	pair_init(&pair);
	int fds[DOOR_END_COUNT] = {-1, -1, -1, -1, -1, -1, -1, -1, -1};
	fds[0] = fds[3] = fds[8] = pair.monitor;
	assert_int_equal(door_send_ends(pair.monitor, fds, 3128, NULL), BERM_OK);
	struct door_answer reloaded = {.kind = DOOR_RELOADED, .close_denied = 1};
	assert_int_equal(door_send(pair.monitor, &reloaded, NULL), BERM_OK);
	turn(&pair);
	assert_int_equal(told.ends, 1);
	assert_int_equal(told.port, 3128);
	assert_int_equal(told.reloads, 1);
	for (size_t i = 0; i < DOOR_END_COUNT; i++) {
		assert_int_equal(told.fds[i] >= 0, fds[i] >= 0);
		if (told.fds[i] >= 0)
			assert_int_equal(fcntl(told.fds[i], F_GETFD), FD_CLOEXEC);
		own_close(&told.fds[i]);
	}
}

/* More descriptors, or fewer, than the message counts. */
static void test_descriptors_without_a_bit_end_egress(void **state)
{
	(void)state;
	auto_pair struct pair pair = PAIR_EMPTY;
	pair_init(&pair);
	uint8_t bytes[] = {0};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.align = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	memcpy(CMSG_DATA(&control.align), &pair.monitor, sizeof(int));
	struct iovec part = {bytes, sizeof(bytes)};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	assert_int_equal(sendmsg(pair.monitor, &message, 0), 1);
	turn(&pair);
	assert_true(door_failed(pair.egress.door));
}

enum { MANY = 4000 };

/* More than the socket has a place for: nothing is lost, and the monitor is stopped before it has no place to answer. */
static void test_many_questions_wait_for_a_place(void **state)
{
	(void)state;
	auto_pair struct pair pair = PAIR_EMPTY;
	pair_init(&pair);
	static struct waiting waiting[MANY];
	memset(waiting, 0, sizeof(waiting));
	for (int i = 0; i < MANY; i++)
		assert_int_equal(ask(&pair, &waiting[i], "a.example"), BERM_OK);
	int taken = 0, stops = 0, turns = 0;
	while (taken < MANY && turns++ < 10 * MANY) {
		while (take_question(&pair) == BERM_OK) {
			taken++;
			answer(&pair, pair.question.id, DOOR_ALLOW);
		}
		stops++;
		turn(&pair); /* has something to do: to send, or to receive */
	}
	for (int i = 0; i < 100 && waiting[MANY - 1].answered == 0; i++)
		turn(&pair);
	assert_int_equal(taken, MANY);
	assert_true(stops > 10);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(waiting[i].answered, 1);
}

static void test_what_waits_has_a_maximum(void **state)
{
	(void)state;
	auto_pair struct pair pair = PAIR_EMPTY;
	pair_init(&pair);
	static struct waiting waiting[DOOR_WAITING_MAX + 1];
	memset(waiting, 0, sizeof(waiting));
	enum berm_code code = BERM_OK;
	int asked = 0;
	for (; asked <= DOOR_WAITING_MAX && code == BERM_OK; asked++)
		code = ask(&pair, &waiting[asked], "a.example");
	assert_int_equal(code, BERM_ERR_LIMIT);
	assert_true(asked > MANY);
	/* Withdrawals still have a place. */
	door_withdraw(pair.egress.door, &waiting[0].wait);
	int seen = 0;
	for (int i = 0; i < 1000 && seen == 0; i++) {
		while (take_question(&pair) == BERM_OK)
			seen += pair.question.kind == DOOR_WITHDRAW;
		if (seen == 0)
			turn(&pair);
	}
	assert_int_equal(seen, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_question_gets_its_answer),
		cmocka_unit_test(test_a_withdrawn_question_gets_none),
		cmocka_unit_test(test_a_question_that_cannot_be_is_not_sent),
		cmocka_unit_test(test_the_monitor_drops_what_is_no_question),
		cmocka_unit_test(test_what_is_no_answer_ends_egress),
		cmocka_unit_test(test_egress_stops_when_the_monitor_is_gone),
		cmocka_unit_test(test_descriptors_lie_where_their_bits_are),
		cmocka_unit_test(test_descriptors_without_a_bit_end_egress),
		cmocka_unit_test(test_many_questions_wait_for_a_place),
		cmocka_unit_test(test_what_waits_has_a_maximum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
