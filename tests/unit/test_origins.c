#include "check.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own.h"
#include "berm/berm.h"
#include "egress/origins.h"

struct connection {
	struct origin_wait wait; /* first: a callback is given its address */
	int calls;
	bool told;
	struct origin origin;
};

struct rig {
	struct egress_loop loop;
	struct origins *origins;
	int supervisor;
};

static void note(struct origin_wait *wait, const struct origin *origin)
{
	struct connection *connection = (struct connection *)(void *)wait;
	connection->calls++;
	connection->told = origin != NULL;
	if (origin != NULL)
		connection->origin = *origin;
}

static int setup(void **state)
{
	int fds[2];
	struct rig *rig = calloc(1, sizeof(*rig));
	*state = rig;
	if (rig == NULL || loop_init(&rig->loop, NULL) != BERM_OK ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return -1;
	rig->supervisor = fds[1];
	enum berm_code code = origins_new(&rig->loop, fds[0], 50, &rig->origins, NULL);
	return code == BERM_OK || getenv("BERM_TORTURE") != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	origins_free(rig->origins);
	loop_done(&rig->loop);
	if (rig->supervisor >= 0)
		(void)close(rig->supervisor);
	free(rig);
	return 0;
}

static struct origin_key client(uint16_t port)
{
	struct origin_key key = {.port = port};
	assert_true(address_parse(STR("198.18.0.1"), &key.address));
	return key;
}

static struct berm_origin packet(uint16_t port, uint8_t last)
{
	struct berm_origin packet = {
		.size = sizeof(packet),
		.family = 4,
		.protocol = IPPROTO_TCP,
		.source_port = port,
		.source = {198, 18, 0, 1},
		.destination = {192, 0, 2, last},
		.destination_port = 443,
		.pid = 7,
		.exe = "/usr/bin/curl",
	};
	return packet;
}

static void tell(struct rig *rig, uint16_t port, uint8_t last)
{
	struct berm_origin record = packet(port, last);
	assert_int_equal(send(rig->supervisor, &record, sizeof(record), 0), sizeof(record));
}

/* There is no record: it is waited for. */
static void seek(struct rig *rig, const struct origin_key *key, struct connection *connection)
{
	struct origin origin;
	assert_false(origins_find(rig->origins, key, &origin));
	origins_wait(rig->origins, key, &connection->wait, note);
}

/* One turn, in which packets that are there are read. */
static void turn(struct rig *rig)
{
	assert_int_equal(loop_turn(&rig->loop, NULL), BERM_OK);
}

static void test_a_record_that_is_there_is_found_once(void **state)
{
	struct rig *rig = *state;
	struct connection connection = {0}, again = {0};
	struct origin origin = {0};
	struct origin_key key = client(40000);
	if (rig->origins == NULL)
		return;
	tell(rig, 40000, 5);
	turn(rig);
	assert_true(origins_find(rig->origins, &key, &origin));
	assert_int_equal(origin.port, 443);
	assert_int_equal(origin.destination.bytes[3], 5);
	assert_int_equal(origin.task.pid, 7);
	assert_string_equal(origin.task.exe, "/usr/bin/curl");
	seek(rig, &key, &again);
	origins_cancel(&again.wait);
	origins_cancel(&again.wait);
	assert_int_equal(connection.calls + again.calls, 0);
}

static void test_a_connection_waits_for_its_record(void **state)
{
	struct rig *rig = *state;
	struct connection mine = {0}, other = {0};
	struct origin_key key = client(40000), other_key = client(40001);
	if (rig->origins == NULL)
		return;
	seek(rig, &key, &mine);
	seek(rig, &other_key, &other);
	tell(rig, 40000, 9);
	turn(rig);
	assert_int_equal(mine.calls, 1);
	assert_true(mine.told);
	assert_int_equal(mine.origin.destination.bytes[3], 9);
	assert_int_equal(other.calls, 0);
	while (other.calls == 0)
		turn(rig);
	assert_false(other.told);
	assert_int_equal(mine.calls, 1);
}

/* A port is used again: the earlier record is of a connection that nobody came with. */
static void test_the_last_record_of_a_client_holds(void **state)
{
	struct rig *rig = *state;
	struct connection first = {0}, second = {0};
	struct origin origin = {0};
	struct origin_key key = client(40000);
	if (rig->origins == NULL)
		return;
	tell(rig, 40000, 1);
	tell(rig, 40000, 2);
	turn(rig);
	assert_true(origins_find(rig->origins, &key, &origin));
	assert_int_equal(origin.destination.bytes[3], 2);

	seek(rig, &key, &first);
	seek(rig, &key, &second);
	turn(rig);
	assert_int_equal(first.calls, 1);
	assert_false(first.told);
	tell(rig, 40000, 3);
	turn(rig);
	assert_int_equal(second.calls, 1);
	assert_true(second.told);
}

static void test_a_record_is_forgotten_after_a_while(void **state)
{
	struct rig *rig = *state;
	struct connection connection = {0};
	struct origin_key key = client(40000);
	if (rig->origins == NULL)
		return;
	tell(rig, 40000, 1);
	turn(rig);
	rig->loop.now_ms += 50;
	seek(rig, &key, &connection);
	origins_cancel(&connection.wait);
}

static void test_too_many_records_drive_out_the_oldest(void **state)
{
	struct rig *rig = *state;
	struct connection connection = {0};
	struct origin origin = {0};
	NOT_TORTURED();
	for (unsigned i = 0; i <= ORIGINS_MAX; i++) {
		tell(rig, (uint16_t)(10000 + i), 1);
		if (i % 16 == 0 /* the last one as well */)
			turn(rig);
	}
	rig->loop.now_ms -= 1000; /* none of them is too old */
	struct origin_key oldest = client(10000), newest = client(10000 + ORIGINS_MAX);
	seek(rig, &oldest, &connection);
	origins_cancel(&connection.wait);
	assert_true(origins_find(rig->origins, &newest, &origin));
}

static void test_a_packet_that_is_no_record_is_left_out(void **state)
{
	struct rig *rig = *state;
	struct connection connection = {0};
	struct origin_key key = client(40000);
	struct berm_origin bad[4];
	if (rig->origins == NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		bad[i] = packet(40000, 1);
	bad[0].size--;
	bad[1].protocol = IPPROTO_UDP;
	bad[2].family = 5;
	memset(bad[3].exe, 'x', sizeof(bad[3].exe));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(send(rig->supervisor, &bad[i], sizeof(bad[i]), 0), sizeof(bad[i]));
	assert_int_equal(send(rig->supervisor, &bad[0], sizeof(bad[0]) - 1, 0), sizeof(bad[0]) - 1);
	turn(rig);
	seek(rig, &key, &connection);
	origins_cancel(&connection.wait);
}

static void test_without_the_supervisor_nobody_waits(void **state)
{
	struct rig *rig = *state;
	struct connection connection = {0};
	struct origin_key key = client(40000);
	if (rig->origins == NULL)
		return;
	assert_false(origins_ended(rig->origins));
	(void)close(rig->supervisor);
	rig->supervisor = -1;
	turn(rig);
	assert_true(origins_ended(rig->origins));
	seek(rig, &key, &connection);
	turn(rig);
	assert_int_equal(connection.calls, 1);
	assert_false(connection.told);
}

#define ORIGINS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ORIGINS_TEST(test_a_record_that_is_there_is_found_once),
		ORIGINS_TEST(test_a_connection_waits_for_its_record),
		ORIGINS_TEST(test_the_last_record_of_a_client_holds),
		ORIGINS_TEST(test_a_record_is_forgotten_after_a_while),
		ORIGINS_TEST(test_too_many_records_drive_out_the_oldest),
		ORIGINS_TEST(test_a_packet_that_is_no_record_is_left_out),
		ORIGINS_TEST(test_without_the_supervisor_nobody_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
