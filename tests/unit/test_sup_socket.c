#include "sup_world.h"

#include <ifaddrs.h>
#include <netdb.h>
#include <sys/inotify.h>

/* ---- Unix: connect ------------------------------------------------------------------------------------------------ */

static void try_outside(void *arg)
{
	static const char *const kinds[] = {"plain", "link", "deep"};
	(void)arg;
	int fd = new_socket(AF_UNIX);
	CHECK_FAILS(connect_unix(fd, in_folder(world.out, "plain")), EACCES);
	CHECK_FAILS(connect_unix(fd, in_folder(world.ws, "theirs")), EACCES);
	CHECK_FAILS(connect_unix(fd, in_folder(world.ws, "link")), EACCES);
	CHECK_FAILS(connect_unix(fd, in_folder(world.ws, "folder/plain")), EACCES);
	CHECK(chdir(world.out) == 0);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		CHECK_FAILS(connect_unix(fd, kinds[i]), i == 0 ? EACCES : ENOENT);
	int folder = open(world.out, O_PATH);
	char name[64];
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d/plain", folder);
	CHECK_FAILS(connect_unix(fd, name), EACCES);
	int object = open(in_folder(world.out, "plain"), O_PATH);
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", object);
	CHECK_FAILS(connect_unix(fd, name), EACCES);
	(void)snprintf(name, sizeof(name), "/proc/%d/cwd/plain", getpid());
	CHECK_FAILS(connect_unix(fd, name), EACCES);
}

static void test_listeners_outside_are_refused(void **state)
{
	(void)state;
	int plain = listen_outside_unix(in_folder(world.out, "plain"));
	int theirs = listen_outside_unix(in_folder(world.ws, "theirs"));
	assert_int_equal(symlink(in_folder(world.out, "plain"), in_folder(world.ws, "link")), 0);
	assert_int_equal(symlink(world.out, in_folder(world.ws, "folder")), 0);
	struct rig rigs[] = {bare_rig(try_outside, NULL), private_rig(try_outside, NULL)};
	for (size_t i = 0; i < ARRAY_LEN(rigs); i++) {
		char told[200];
		assert_int_equal(rig_run(&rigs[i]), 0);
		(void)snprintf(told, sizeof(told), "unix:%s/plain", world.out);
		assert_true(rig_told(BERM_OP_CONNECT, EACCES, told));
		(void)snprintf(told, sizeof(told), "unix:%s/theirs", world.ws);
		assert_true(rig_told(BERM_OP_CONNECT, EACCES, told));
	}
	assert_nobody_came(plain);
	assert_nobody_came(theirs);
}

static void use_granted(void *arg)
{
	(void)arg;
	int fd = new_socket(AF_UNIX);
	CHECK(connect_unix(fd, world.granted) == 0);
	CHECK(write(fd, "hello", 5) == 5);
	(void)close(fd);
	fd = new_socket(AF_UNIX);
	CHECK(chdir(world.out) == 0 && connect_unix(fd, "../out/granted") == 0);
}

static void test_a_granted_socket_is_connected_to(void **state)
{
	(void)state;
	int listener = listen_outside_unix(world.granted);
	struct rig rigs[] = {bare_rig(use_granted, NULL), private_rig(use_granted, NULL)};
	for (size_t i = 0; i < ARRAY_LEN(rigs); i++) {
		char text[8] = {0};
		assert_int_equal(rig_run(&rigs[i]), 0);
		assert_int_equal(rig_notice_count, 0);
		int server = accept(listener, NULL, NULL);
		assert_true(server >= 0);
		assert_int_equal(read(server, text, sizeof(text)), 5);
		assert_string_equal(text, "hello");
		(void)close(server);
		assert_int_equal(close(accept(listener, NULL, NULL)), 0);
	}
	assert_nobody_came(listener);
}

/* The granted path is a name: whatever file has it is judged, not what was granted once. */
static void test_a_granted_name_that_leads_elsewhere(void **state)
{
	(void)state;
	int listener = listen_outside_unix(in_folder(world.out, "plain"));
	(void)unlink(world.granted);
	assert_int_equal(symlink(in_folder(world.out, "plain"), world.granted), 0);
	struct rig rig = bare_rig(use_granted, NULL);
	assert_int_equal(rig_run(&rig), 1);
	assert_int_equal(unlink(world.granted), 0);
	assert_nobody_came(listener);
}

static void use_odd_addresses(void *arg)
{
	(void)arg;
	int fd = new_socket(AF_UNIX), file = open("/dev/null", O_RDWR);
	struct sockaddr_un address = unix_address(in_folder(world.ws, "nobody"));
	const struct sockaddr *any = (const struct sockaddr *)&address;
	CHECK_FAILS(connect(fd, any, sizeof(address)), ENOENT);
	CHECK_FAILS(connect(fd, any, 0), EINVAL);
	CHECK_FAILS(connect(fd, any, 1), EINVAL);
	CHECK_FAILS(connect(fd, any, 2), EINVAL);
	CHECK_FAILS(connect(fd, any, sizeof(struct sockaddr_storage) + 1), EINVAL);
	CHECK_FAILS(connect(fd, any, (socklen_t)-1), EINVAL);
	CHECK_FAILS(connect(fd, nowhere, sizeof(address)), EFAULT);
	CHECK_FAILS(connect(999, any, sizeof(address)), EBADF);
	CHECK_FAILS(connect(-1, any, sizeof(address)), EBADF);
	CHECK_FAILS(connect(file, any, sizeof(address)), ENOTSOCK);
	CHECK_FAILS(bind(file, any, sizeof(address)), ENOTSOCK);
	CHECK_FAILS(listen(file, 1), ENOTSOCK);
	CHECK_FAILS(listen(999, 1), EBADF);
	address.sun_family = AF_INET;
	CHECK_FAILS(connect(fd, any, sizeof(address)), EINVAL);
	CHECK_FAILS(bind(fd, any, sizeof(address)), EINVAL);
	CHECK(close(open(in_folder(world.ws, "plain-file"), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) == 0);
	CHECK_FAILS(connect_unix(fd, in_folder(world.ws, "plain-file")), ECONNREFUSED);
	CHECK_FAILS(connect_unix(fd, "/proc/self/status"), EACCES);
}

static void test_odd_addresses_get_the_kernels_errors(void **state)
{
	(void)state;
	struct rig rig = bare_rig(use_odd_addresses, NULL);
	assert_int_equal(rig_run(&rig), 0);
}

/* ---- Unix: bind --------------------------------------------------------------------------------------------------- */

static void check_name(int fd, const char *path)
{
	struct sockaddr_un name = {0};
	socklen_t len = sizeof(name);
	CHECK(getsockname(fd, (struct sockaddr *)&name, &len) == 0);
	CHECK(strncmp(name.sun_path, path, sizeof(name.sun_path)) == 0);
}

static void use_own(void *arg)
{
	const char *folder = arg;
	struct stat st = {0};
	char path[160];
	(void)snprintf(path, sizeof(path), "%s", in_folder(folder, "mine"));
	(void)umask(027);
	int listener = listen_unix(path);
	check_name(listener, path);
	CHECK(stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0750);
	int client = new_socket(AF_UNIX);
	CHECK(connect_unix(client, path) == 0);
	struct sockaddr_un peer = {0};
	socklen_t len = sizeof(peer);
	CHECK(getpeername(client, (struct sockaddr *)&peer, &len) == 0 && strcmp(peer.sun_path, path) == 0);
	check_pair(listener, client);
	client = new_socket(AF_UNIX);
	CHECK(chdir(folder) == 0 && connect_unix(client, "mine") == 0);
	check_pair(listener, client);
	/* moved, it is the same socket */
	CHECK(rename("mine", "moved") == 0);
	client = new_socket(AF_UNIX);
	CHECK(connect_unix(client, "moved") == 0);
	check_pair(listener, client);
	CHECK(close(listener) == 0);
	CHECK_FAILS(connect_unix(new_socket(AF_UNIX), "moved"), ECONNREFUSED);
	CHECK_FAILS(bind_unix(new_socket(AF_UNIX), "moved"), EADDRINUSE);
	CHECK(unlink("moved") == 0);
	CHECK_FAILS(connect_unix(new_socket(AF_UNIX), "moved"), ENOENT);
	/* as it was written */
	CHECK(mkdir("sub", 0755) == 0);
	listener = listen_unix("sub/../sub//mine");
	check_name(listener, "sub/../sub//mine");
	client = new_socket(AF_UNIX);
	CHECK(connect_unix(client, "sub/mine") == 0);
	check_pair(listener, client);
	CHECK_FAILS(bind_unix(listener, "second"), EINVAL);
	CHECK_FAILS(stat("second", &st), ENOENT);
	CHECK_FAILS(bind_unix(new_socket(AF_UNIX), "none/mine"), ENOENT);
	CHECK_FAILS(bind_unix(new_socket(AF_UNIX), "mine/"), ENOENT);
	/* as programs do for long paths */
	int sub = open("sub", O_PATH);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/long", sub);
	listener = listen_unix(path);
	client = new_socket(AF_UNIX);
	CHECK(connect_unix(client, path) == 0);
	check_pair(listener, client);
	CHECK(stat("sub/long", &st) == 0 && S_ISSOCK(st.st_mode));
	CHECK(unlink("sub/long") == 0 && unlink("sub/mine") == 0 && rmdir("sub") == 0);
}

static void test_own_sockets_work_in_folders_that_may_be_written(void **state)
{
	char *folders[] = {world.ws, world.own};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		struct rig rig = bare_rig(use_own, folders[i]);
		assert_int_equal(rig_run(&rig), 0);
		assert_int_equal(rig_notice_count, 0);
	}
	struct rig rig = private_rig(use_own, world.ws);
	assert_int_equal(rig_run(&rig), 0);
	rig.plan.landlock_abi = 0;
	assert_int_equal(rig_run(&rig), 0);
}

/* Shared memory is everybody's: in it the sandbox may make sockets, and gets to its own alone. */
static void use_shared_memory(void *arg)
{
	const char *theirs = arg;
	char path[64];
	(void)snprintf(path, sizeof(path), "/dev/shm/berm-own-%d", getpid());
	int listener = listen_unix(path), client = new_socket(AF_UNIX);
	check_name(listener, path);
	CHECK(connect_unix(client, path) == 0);
	check_pair(listener, client);
	CHECK_FAILS(connect_unix(new_socket(AF_UNIX), theirs), EACCES);
	CHECK(unlink(path) == 0);
}

static void test_sockets_in_shared_memory(void **state)
{
	char path[64];
	(void)state;
	(void)snprintf(path, sizeof(path), "/dev/shm/berm-theirs-%d", getpid());
	int theirs = listen_outside_unix(path);
	struct rig rig = bare_rig(use_shared_memory, path);
	assert_int_equal(rig_run(&rig), 0);
	assert_int_equal(unlink(path), 0);
	assert_nobody_came(theirs);
}

/* The longest name there is has no NUL behind it. */
static void use_full_name(void *arg)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX}, name = {0};
	const struct sockaddr *any = (const struct sockaddr *)&address;
	socklen_t len = sizeof(name);
	(void)arg;
	CHECK(chdir(world.ws) == 0);
	memset(address.sun_path, 'a', sizeof(address.sun_path));
	int listener = new_socket(AF_UNIX), client = new_socket(AF_UNIX);
	CHECK(bind(listener, any, sizeof(address)) == 0 && listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&name, &len) == 0);
	CHECK(memcmp(name.sun_path, address.sun_path, sizeof(name.sun_path)) == 0);
	CHECK(connect(client, any, sizeof(address)) == 0);
	check_pair(listener, client);
}

static void test_full_names(void **state)
{
	(void)state;
	struct rig rig = bare_rig(use_full_name, NULL);
	assert_int_equal(rig_run(&rig), 0);
}

static void bind_elsewhere(void *arg)
{
	(void)arg;
	CHECK_FAILS(bind_unix(new_socket(AF_UNIX), in_folder(world.out, "new")), EACCES);
	CHECK_FAILS(bind_unix(new_socket(AF_UNIX), in_folder(world.ro, "new")), EACCES);
	CHECK_FAILS(bind_unix(new_socket(AF_UNIX), in_folder(world.base, "new")), EACCES);
	CHECK_FAILS(bind_unix(new_socket(AF_UNIX), in_folder(world.ws, "out/new")), EACCES);
	CHECK(chdir(world.out) == 0);
	CHECK_FAILS(bind_unix(new_socket(AF_UNIX), "new"), EACCES);
}

static void test_bind_elsewhere_is_refused(void **state)
{
	char told[200];
	struct stat st = {0};
	(void)state;
	assert_int_equal(symlink(world.out, in_folder(world.ws, "out")), 0);
	struct rig rig = bare_rig(bind_elsewhere, NULL);
	assert_int_equal(rig_run(&rig), 0);
	(void)snprintf(told, sizeof(told), "unix:%s/new", world.out);
	assert_true(rig_told(BERM_OP_BIND, EACCES, told));
	assert_int_equal(stat(in_folder(world.out, "new"), &st), -1);
	assert_int_equal(stat(in_folder(world.ro, "new"), &st), -1);
	assert_int_equal(unlink(in_folder(world.ws, "out")), 0);
}

/* ---- Unix: the same name, another socket -------------------------------------------------------------------------- */

/* Inside binds a name and gives it up; outside makes a listener of it, very likely with the same inode number. */
static void give_up_names(void *arg)
{
	const int *steps = arg;
	char byte;
	int fd = new_socket(AF_UNIX);
	char path[160];
	(void)snprintf(path, sizeof(path), "%s", in_folder(world.ws, "shared"));
	CHECK(bind_unix(fd, path) == 0 && unlink(path) == 0 && close(fd) == 0);
	CHECK(write(steps[1], "x", 1) == 1 && read(steps[1], &byte, 1) == 1);
	for (int i = 0; i < 8; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "theirs%d", i);
		CHECK_FAILS(connect_unix(new_socket(AF_UNIX), in_folder(world.ws, name)), EACCES);
	}
	CHECK_FAILS(connect_unix(new_socket(AF_UNIX), path), EACCES);
}

static void *make_names(void *arg)
{
	const int *steps = arg;
	char byte;
	static int fds[9];
	if (read(steps[0], &byte, 1) != 1)
		return NULL;
	for (int i = 0; i < 9; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), i == 8 ? "shared" : "theirs%d", i);
		fds[i] = listen_outside_unix(in_folder(world.ws, name));
	}
	return write(steps[0], "x", 1) == 1 ? fds : NULL;
}

static void test_a_name_made_anew_outside_is_refused(void **state)
{
	int steps[2];
	pthread_t maker;
	void *made = NULL;
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, steps), 0);
	assert_int_equal(pthread_create(&maker, NULL, make_names, steps), 0);
	struct rig rig = bare_rig(give_up_names, steps);
	assert_int_equal(rig_run(&rig), 0);
	assert_int_equal(pthread_join(maker, &made), 0);
	assert_non_null(made);
	for (int i = 0; i < 9; i++)
		assert_nobody_came(((const int *)made)[i]);
}

/* ---- abstract names ----------------------------------------------------------------------------------------------- */

static const struct sockaddr_un abstract = {.sun_family = AF_UNIX, .sun_path = "\0berm-test"};
enum { ABSTRACT_LEN = offsetof(struct sockaddr_un, sun_path) + 10 };

static void use_abstract(void *arg)
{
	bool allowed = arg != NULL;
	const struct sockaddr *any = (const struct sockaddr *)&abstract;
	int listener = new_socket(AF_UNIX), client = new_socket(AF_UNIX), unnamed = new_socket(AF_UNIX);
	if (!allowed) {
		int on = 1;
		CHECK_FAILS(connect(client, any, ABSTRACT_LEN), ECONNREFUSED);
		CHECK_FAILS(bind(listener, any, ABSTRACT_LEN), EACCES);
		CHECK_FAILS(bind(unnamed, any, sizeof(sa_family_t)), EACCES);
		/* a name that the kernel gives to who wants to tell who it is */
		CHECK(setsockopt(client, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
		CHECK(bind_unix(listener, in_folder(world.ws, "dead")) == 0);
		CHECK_FAILS(connect_unix(client, in_folder(world.ws, "dead")), ECONNREFUSED);
		CHECK_FAILS(listen(client, 1), EACCES);
		return;
	}
	CHECK_FAILS(connect(client, any, ABSTRACT_LEN), ECONNREFUSED);
	CHECK(bind(listener, any, ABSTRACT_LEN) == 0 && listen(listener, 1) == 0);
	CHECK(connect(client, any, ABSTRACT_LEN) == 0);
	check_pair(listener, client);
	CHECK(bind(unnamed, any, sizeof(sa_family_t)) == 0);
}

static void test_abstract_names_are_for_an_own_network(void **state)
{
	(void)state;
	int outside = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(outside, (const struct sockaddr *)&abstract, ABSTRACT_LEN), 0);
	assert_int_equal(listen(outside, 1), 0);
	struct rig rig = bare_rig(use_abstract, NULL);
	assert_int_equal(rig_run(&rig), 0);
	assert_true(rig_told(BERM_OP_CONNECT, ECONNREFUSED, "unix:@berm-test"));
	assert_true(rig_told(BERM_OP_BIND, EACCES, "unix:@berm-test"));
	rig = private_rig(use_abstract, &world);
	assert_int_equal(rig_run(&rig), 0);
	assert_nobody_came(outside);
}

/* ---- races -------------------------------------------------------------------------------------------------------- */

/* One thread swaps what number 200 is and what the address says, the other connects. */
static struct swap {
	int fds[2];
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in in;
	} address;
	struct sockaddr_un good, bad;
	struct sockaddr_in loopback;
	bool stop;
} swap_state;

static void *swap_descriptors(void *arg)
{
	(void)arg;
	for (unsigned i = 0; !__atomic_load_n(&swap_state.stop, __ATOMIC_RELAXED); i++) {
		(void)dup2(swap_state.fds[i % 2], 200);
		if (i % 3 == 0)
			memcpy(&swap_state.address, &swap_state.bad, sizeof(swap_state.bad));
		if (i % 3 == 1)
			memcpy(&swap_state.address, &swap_state.good, sizeof(swap_state.good));
		if (i % 3 == 2)
			memcpy(&swap_state.address, &swap_state.loopback, sizeof(swap_state.loopback));
	}
	return NULL;
}

static void race_connects(void *arg)
{
	pthread_t swapper;
	(void)arg;
	int listener = listen_unix(in_folder(world.ws, "racer"));
	swap_state.good = unix_address(in_folder(world.ws, "racer"));
	swap_state.bad = unix_address(in_folder(world.ws, "theirs"));
	swap_state.loopback = ip_address("127.0.0.1", world.port);
	swap_state.fds[0] = new_socket(AF_UNIX);
	swap_state.fds[1] = new_socket(AF_INET);
	CHECK(pthread_create(&swapper, NULL, swap_descriptors, NULL) == 0);
	for (int i = 0; i < RACES; i++) {
		(void)connect(200, &swap_state.address.any, sizeof(swap_state.address));
		if (i % 16 != 0)
			continue;
		int fresh[2] = {new_socket(AF_UNIX), new_socket(AF_INET)};
		(void)dup2(fresh[0], swap_state.fds[0]);
		(void)dup2(fresh[1], swap_state.fds[1]);
		(void)close(fresh[0]);
		(void)close(fresh[1]);
	}
	__atomic_store_n(&swap_state.stop, true, __ATOMIC_RELAXED);
	CHECK(pthread_join(swapper, NULL) == 0 && close(listener) == 0);
}

static void test_swapped_descriptors_and_addresses_reach_nobody(void **state)
{
	(void)state;
	int theirs = listen_outside_unix(in_folder(world.ws, "theirs"));
	int ip = listen_outside_ip("127.0.0.1", 0);
	struct rig rig = bare_rig(race_connects, NULL);
	assert_int_equal(rig_run(&rig), 0);
	assert_nobody_came(theirs);
	assert_nobody_came(ip);
}

/* One process swaps an own socket's name with the name of one that is not, the other connects. */
static void race_names(void *arg)
{
	int reached = 0;
	(void)arg;
	CHECK(chdir(world.ws) == 0);
	int listener = new_socket(AF_UNIX);
	CHECK(bind_unix(listener, "racer") == 0 && listen(listener, RACES) == 0);
	pid_t swapper = rig_fork();
	while (swapper == 0)
		if (renameat2(AT_FDCWD, "racer", AT_FDCWD, "theirs", RENAME_EXCHANGE) < 0)
			_exit(1);
	for (int i = 0; i < RACES; i++) {
		int fd = new_socket(AF_UNIX);
		reached += connect_unix(fd, "racer") == 0;
		CHECK(close(fd) == 0);
	}
	CHECK(kill(swapper, SIGKILL) == 0 && waitpid(swapper, NULL, 0) == swapper);
	CHECK(reached > 0 && reached < RACES);
}

static void test_swapped_names_reach_nobody(void **state)
{
	(void)state;
	int theirs = listen_outside_unix(in_folder(world.ws, "theirs"));
	struct rig rig = bare_rig(race_names, NULL);
	assert_int_equal(rig_run(&rig), 0);
	assert_nobody_came(theirs);
}

/* One process swaps a folder with a link to a closed one, the other binds in it. */
static void race_binds(void *arg)
{
	(void)arg;
	CHECK(chdir(world.ws) == 0 && mkdir("real", 0755) == 0 && symlink(world.out, "trick") == 0);
	pid_t swapper = rig_fork();
	while (swapper == 0)
		if (renameat2(AT_FDCWD, "real", AT_FDCWD, "trick", RENAME_EXCHANGE) < 0)
			_exit(1);
	char absolute[160];
	(void)snprintf(absolute, sizeof(absolute), "%s/real/caught", world.ws);
	int made = 0;
	/* On a busy machine the swapper may win for a long time. */
	for (int i = 0; i < RACES / 8 || (made == 0 && i < RACES * 8); i++) {
		int fd = new_socket(AF_UNIX);
		made += bind_unix(fd, i % 2 == 0 ? "real/caught" : absolute) == 0;
		CHECK(close(fd) == 0);
		(void)unlinkat(AT_FDCWD, "real/caught", 0);
		(void)unlinkat(AT_FDCWD, "trick/caught", 0);
	}
	CHECK(kill(swapper, SIGKILL) == 0 && waitpid(swapper, NULL, 0) == swapper);
	CHECK(made > 0);
}

static void test_swapped_folders_do_not_lead_bind_outside(void **state)
{
	char event[512];
	(void)state;
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	assert_true(inotify_add_watch(watch, world.out, IN_CREATE | IN_MOVED_TO) >= 0);
	struct rig rig = bare_rig(race_binds, NULL);
	assert_int_equal(rig_run(&rig), 0);
	assert_int_equal(read(watch, event, sizeof(event)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(close(watch), 0);
}

/* ---- waiting ------------------------------------------------------------------------------------------------------ */

/* A full backlog holds up the one who connects, and nobody else. */
static void wait_for_room(void *arg)
{
	(void)arg;
	int listener = new_socket(AF_UNIX);
	char path[160];
	(void)snprintf(path, sizeof(path), "%s", in_folder(world.ws, "full"));
	CHECK(bind_unix(listener, path) == 0 && listen(listener, 0) == 0);
	CHECK(connect_unix(new_socket(AF_UNIX), path) == 0);
	int impatient = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_FAILS(connect_unix(impatient, path), EAGAIN);
	int limited = new_socket(AF_UNIX);
	const struct timeval limit = {.tv_usec = 50000};
	CHECK(setsockopt(limited, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0);
	CHECK_FAILS(connect_unix(limited, path), EAGAIN);
	pid_t waiter = rig_fork();
	if (waiter == 0) {
		int fd = new_socket(AF_UNIX);
		CHECK(connect_unix(fd, path) == 0 && write(fd, "w", 1) == 1);
		_exit(0);
	}
	for (int i = 0; i < 50; i++)
		CHECK_FAILS(connect_unix(new_socket(AF_UNIX), in_folder(world.ws, "nobody")), ENOENT);
	CHECK(waitpid(waiter, NULL, WNOHANG) == 0);
	CHECK(close(accept(listener, NULL, NULL)) == 0);
	char byte = 0;
	int server = accept(listener, NULL, NULL), status = 0;
	CHECK(read(server, &byte, 1) == 1 && byte == 'w');
	CHECK(waitpid(waiter, &status, 0) == waiter && status == 0);
	/* one that is killed while it waits takes its helper along */
	CHECK(connect_unix(new_socket(AF_UNIX), path) == 0);
	waiter = rig_fork();
	if (waiter == 0) {
		(void)connect_unix(new_socket(AF_UNIX), path);
		_exit(0);
	}
	const struct timespec pause = {.tv_nsec = 20000000};
	(void)nanosleep(&pause, NULL);
	CHECK(kill(waiter, SIGKILL) == 0 && waitpid(waiter, &status, 0) == waiter && WIFSIGNALED(status));
}

static void test_a_full_backlog_holds_up_only_who_waits(void **state)
{
	(void)state;
	struct rig rigs[] = {bare_rig(wait_for_room, NULL), private_rig(wait_for_room, NULL)};
	for (size_t i = 0; i < ARRAY_LEN(rigs); i++) {
		assert_int_equal(rig_run(&rigs[i]), 0);
		(void)unlink(in_folder(world.ws, "full"));
	}
}

/* ---- netlink ------------------------------------------------------------------------------------------------------ */

static void ask_for_addresses(void *arg)
{
	struct ifaddrs *addresses = NULL;
	bool found = false;
	(void)arg;
	for (int i = 0; i < 3; i++) {
		CHECK(getifaddrs(&addresses) == 0);
		for (const struct ifaddrs *at = addresses; at != NULL; at = at->ifa_next)
			found = found || strcmp(at->ifa_name, "lo") == 0;
		CHECK(found);
		freeifaddrs(addresses);
	}
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	struct addrinfo *list = NULL;
	int error = getaddrinfo("127.0.0.1", "80", &hints, &list);
	CHECK(error == 0 || error == EAI_NONAME || error == EAI_ADDRFAMILY); /* where lo alone does not count */
	if (list != NULL)
		freeaddrinfo(list);
}

static void test_addresses_can_be_asked_for(void **state)
{
	(void)state;
	struct rig rigs[] = {bare_rig(ask_for_addresses, NULL), private_rig(ask_for_addresses, NULL)};
	for (size_t i = 0; i < ARRAY_LEN(rigs); i++)
		assert_int_equal(rig_run(&rigs[i]), 0);
}

/* ---- socketpair --------------------------------------------------------------------------------------------------- */

static size_t count_fds(void)
{
	size_t count = 0;
	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void use_datagram_pair(void *arg)
{
	int pair[2], type = 0;
	char text[8] = {0};
	(void)arg;
	for (int kind = SOCK_DGRAM; kind <= SOCK_RAW; kind++) {
		CHECK(socketpair(AF_UNIX, kind, 0, pair) == 0);
		CHECK(write(pair[0], "one", 3) == 3 && write(pair[0], "three", 5) == 5);
		CHECK(read(pair[1], text, sizeof(text)) == 3 && read(pair[1], text, sizeof(text)) == 5);
		CHECK(fcntl(pair[0], F_GETFD) == 0 && (fcntl(pair[0], F_GETFL) & O_NONBLOCK) == 0);
		CHECK(sock_get_int(pair[0], SOL_SOCKET, SO_TYPE, &type) == 0 && type == SOCK_SEQPACKET);
		CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
	}
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	CHECK(fcntl(pair[0], F_GETFD) == FD_CLOEXEC && fcntl(pair[1], F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(pair[0], F_GETFL) & O_NONBLOCK) != 0 && (fcntl(pair[1], F_GETFL) & O_NONBLOCK) != 0);
	size_t before = count_fds();
	CHECK_FAILS(socketpair(AF_UNIX, SOCK_DGRAM, 0, nowhere), EFAULT);
	CHECK_FAILS(socketpair(AF_UNIX, SOCK_DGRAM, 77, pair), EPROTONOSUPPORT);
	CHECK_FAILS(socketpair(AF_UNIX, SOCK_DGRAM | 0x100, 0, pair), EINVAL);
	CHECK(count_fds() == before);
}

static void test_datagram_pairs_are_packet_pairs(void **state)
{
	(void)state;
	struct rig rig = bare_rig(use_datagram_pair, NULL);
	assert_int_equal(rig_run(&rig), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, make_world, remove_world)
		WORLD_TEST(test_listeners_outside_are_refused),
		WORLD_TEST(test_a_granted_socket_is_connected_to),
		WORLD_TEST(test_a_granted_name_that_leads_elsewhere),
		WORLD_TEST(test_odd_addresses_get_the_kernels_errors),
		WORLD_TEST(test_own_sockets_work_in_folders_that_may_be_written),
		WORLD_TEST(test_sockets_in_shared_memory),
		WORLD_TEST(test_full_names),
		WORLD_TEST(test_bind_elsewhere_is_refused),
		WORLD_TEST(test_a_name_made_anew_outside_is_refused),
		WORLD_TEST(test_abstract_names_are_for_an_own_network),
		WORLD_TEST(test_swapped_descriptors_and_addresses_reach_nobody),
		WORLD_TEST(test_swapped_names_reach_nobody),
		WORLD_TEST(test_swapped_folders_do_not_lead_bind_outside),
		WORLD_TEST(test_a_full_backlog_holds_up_only_who_waits),
		WORLD_TEST(test_addresses_can_be_asked_for),
		WORLD_TEST(test_datagram_pairs_are_packet_pairs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
