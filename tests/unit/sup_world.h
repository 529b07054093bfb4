/* What the tests of sockets share: folders, plans and sockets. */
#ifndef BERM_TESTS_SUP_WORLD_H
#define BERM_TESTS_SUP_WORLD_H

#include "sup_rig.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/un.h>
#include <time.h>

#include "os/sock.h"

/* ---- a world ------------------------------------------------------------------------------------------------------ */

enum { RACES = 4000 };

/* An address where nothing is. */
static void *volatile nowhere = (void *)16; /* NOLINT(performance-no-int-to-ptr) */

/* Folders below a new one: ws may be written, ro read, own is the sandbox's, out is nobody's. */
static struct world {
	char base[64], ws[96], ro[96], own[96], out[96];
	char granted[128]; /* a socket that the plan names */
	struct berm_plan *plan;
	uint16_t port; /* of a listener outside */
} world;

static inline const char *in_folder(const char *folder, const char *name)
{
	static char paths[4][160];
	static unsigned next;
	char *path = paths[next++ % 4];
	(void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* Made from capabilities for this machine without namespaces. The caller frees. */
static inline struct berm_plan *world_plan(void)
{
	struct berm_caps *caps = NULL;
	struct berm_facts *facts = NULL;
	struct berm_plan *plan = NULL;
	struct berm_err err = {0};
	const unsigned all = BERM_READ | BERM_WRITE | BERM_DELETE;
	assert_int_equal(berm_caps_new(&caps, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, world.ro, BERM_READ, BERM_TREE, NULL), BERM_OK);
	assert_int_equal(berm_caps_path(caps, world.ws, all, BERM_TREE, NULL), BERM_OK);
	assert_int_equal(berm_caps_socket(caps, world.granted, NULL), BERM_OK);
	assert_int_equal(berm_caps_backend(caps, BERM_BACKEND_LANDLOCK, NULL), BERM_OK);
	assert_int_equal(berm_facts_probe(&facts, NULL), BERM_OK);
	if (berm_plan_make(caps, facts, &plan, &err) != BERM_OK)
		fail_msg("%s", err.msg);
	berm_facts_free(facts);
	berm_caps_free(caps);
	return plan;
}

static inline int make_world(void **state)
{
	(void)state;
	(void)snprintf(world.base, sizeof(world.base), "/tmp/berm-socket-XXXXXX");
	if (mkdtemp(world.base) == NULL)
		return -1;
	const struct {
		char *path;
		size_t size;
		const char *name;
	} folders[] = {{world.ws, sizeof(world.ws), "ws"},
		       {world.ro, sizeof(world.ro), "ro"},
		       {world.own, sizeof(world.own), "own"},
		       {world.out, sizeof(world.out), "out"}};
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		(void)snprintf(folders[i].path, folders[i].size, "%s/%s", world.base, folders[i].name);
		if (mkdir(folders[i].path, 0755) < 0)
			return -1;
	}
	(void)snprintf(world.granted, sizeof(world.granted), "%s/granted", world.out);
	world.plan = world_plan();
	return 0;
}

static inline int remove_world(void **state)
{
	char command[128];
	(void)state;
	berm_plan_free(world.plan);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", world.base);
	return system(command); /* NOLINT(cert-env33-c): a folder of our own making */
}

/* Without namespaces, no network: where most is on behalf. */
static inline struct rig bare_rig(void (*task)(void *arg), void *arg)
{
	struct rig rig = {.plan = *world.plan, .own = world.own, .task = task, .arg = arg};
	rig.plan.network = BERM_NET_NONE;
	rig.plan.spec = (struct seccomp_spec){.trap_connect = true,
					      .trap_listen = true,
					      .trap_dgram_pair = true,
					      .keep_dumpable = true,
					      .refuse_udp = true};
	return rig;
}

/* With a network namespace of its own. */
static inline struct rig private_rig(void (*task)(void *arg), void *arg)
{
	struct rig rig = bare_rig(task, arg);
	rig.plan.backend = BERM_BACKEND_NAMESPACES;
	rig.plan.net_namespace = true;
	rig.plan.spec.trap_listen = rig.plan.spec.refuse_udp = false;
	rig.unshare_flags = CLONE_NEWUSER | CLONE_NEWNET;
	return rig;
}

/* ---- sockets ------------------------------------------------------------------------------------------------------ */

static inline struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	for (size_t i = 0; i < sizeof(address.sun_path) - 1 && path[i] != '\0'; i++)
		address.sun_path[i] = path[i];
	return address;
}

static inline struct sockaddr_in ip_address(const char *text, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	(void)inet_pton(AF_INET, text, &address.sin_addr);
	return address;
}

static inline struct sockaddr_in6 ip6_address(const char *text, uint16_t port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	(void)inet_pton(AF_INET6, text, &address.sin6_addr);
	return address;
}

static inline int connect_unix(int fd, const char *path)
{
	struct sockaddr_un address = unix_address(path);
	return connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

static inline int bind_unix(int fd, const char *path)
{
	struct sockaddr_un address = unix_address(path);
	return bind(fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1));
}

static inline int connect_ip(int fd, const char *text, uint16_t port)
{
	struct sockaddr_in address = ip_address(text, port);
	return connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

static inline int bind_ip(int fd, const char *text, uint16_t port)
{
	struct sockaddr_in address = ip_address(text, port);
	return bind(fd, (const struct sockaddr *)&address, sizeof(address));
}

static inline int connect_ip6(int fd, const char *text, uint16_t port)
{
	struct sockaddr_in6 address = ip6_address(text, port);
	return connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

static inline int bind_ip6(int fd, const char *text, uint16_t port)
{
	struct sockaddr_in6 address = ip6_address(text, port);
	return bind(fd, (const struct sockaddr *)&address, sizeof(address));
}

static inline uint16_t port_of(int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return 0;
	return ntohs(((const struct sockaddr_in *)&address)->sin_port); /* the same place in both families */
}

static inline int new_socket(int domain)
{
	return socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Outside: a listener, and what came in. */
static inline int listen_outside_unix(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	(void)unlink(path);
	assert_true(fd >= 0);
	assert_int_equal(bind_unix(fd, path), 0);
	assert_int_equal(listen(fd, 128), 0);
	return fd;
}

static inline int listen_outside_ip(const char *text, int option)
{
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	if (option != 0)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)), 0);
	assert_int_equal(bind_ip(fd, text, 0), 0);
	assert_int_equal(listen(fd, 128), 0);
	world.port = port_of(fd);
	return fd;
}

static inline void assert_nobody_came(int fd)
{
	errno = 0;
	assert_int_equal(accept(fd, NULL, NULL), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(close(fd), 0);
}

/* Inside: a listener, and a whole connection to it. */
static inline int listen_unix(const char *path)
{
	int fd = new_socket(AF_UNIX);
	CHECK(fd >= 0 && bind_unix(fd, path) == 0 && listen(fd, 8) == 0);
	return fd;
}

static inline int listen_ip(const char *text, uint16_t port)
{
	int fd = new_socket(AF_INET);
	CHECK(fd >= 0 && bind_ip(fd, text, port) == 0 && listen(fd, 8) == 0);
	return fd;
}

static inline void check_pair(int listener, int client)
{
	char byte = 0;
	int server = accept(listener, NULL, NULL);
	CHECK(server >= 0 && write(client, "x", 1) == 1 && read(server, &byte, 1) == 1 && byte == 'x');
	CHECK(close(server) == 0 && close(client) == 0);
}

static inline int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
