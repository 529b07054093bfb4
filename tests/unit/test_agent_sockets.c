#include "check.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/agent_sockets.h"
#include "session/machine_values.h"

static void test_sockets_have_their_group(void **state)
{
	(void)state;
	assert_string_equal(agent_sockets_group("/run/user/1000/gnupg/S.gpg-agent", NULL), "gpg-agent");
	assert_string_equal(agent_sockets_group("/run/user/0/gnupg/d.abc/S.gpg-agent", NULL), "gpg-agent");
	assert_string_equal(agent_sockets_group("/home/u/.gnupg/S.gpg-agent", NULL), "gpg-agent");
	assert_string_equal(agent_sockets_group("/tmp/ssh-XXXX1234/agent.99", NULL), "ssh-agent");
	assert_string_equal(agent_sockets_group("/run/user/1000/keyring/ssh", NULL), "ssh-agent");
	assert_string_equal(agent_sockets_group("/run/user/1000/gnupg/S.gpg-agent.ssh", NULL), "ssh-agent");
	assert_string_equal(agent_sockets_group("/opt/x.sock", "/opt/x.sock"), "ssh-agent");
}

static void test_others_have_none(void **state)
{
	(void)state;
	assert_null(agent_sockets_group("/run/docker.sock", NULL)); /* by an override alone */
	assert_null(agent_sockets_group("/run/user/1000/bus", NULL));
	assert_null(agent_sockets_group("/run/user/1000/gnupg/S.gpg-agent.extra", NULL));
	assert_null(agent_sockets_group("/opt/x.sock", "/opt/y.sock"));
	assert_null(agent_sockets_group("/run/postgresql/.s.PGSQL.5432", NULL)); /* --socket is narrower */
	assert_null(agent_sockets_group("relative", "relative"));
	assert_null(agent_sockets_group("", ""));
}

/* A program that says what the test wants. */
static bool asks(const char *script, char *ret_path, size_t size)
{
	char program[] = "/tmp/berm-gpgconf-XXXXXX";
	int fd = mkstemp(program);
	assert_true(fd >= 0);
	bool written = write(fd, script, strlen(script)) == (ssize_t)strlen(script) && fchmod(fd, 0700) == 0;
	(void)close(fd);
	bool found = agent_sockets_ask_gpgconf(program, "/home/u/keys", ret_path, size);
	(void)unlink(program);
	assert_true(written);
	return found;
}

static void test_gpgconf_is_asked(void **state)
{
	(void)state;
	char path[64];
	assert_true(asks("#!/bin/sh\n[ \"$*\" = '--list-dirs agent-socket' ] && echo \"$GNUPGHOME/S.gpg-agent\"\n",
			 path, sizeof path));
	assert_string_equal(path, "/home/u/keys/S.gpg-agent");
}

static void test_other_answers_are_none(void **state)
{
	(void)state;
	char path[64];
	assert_false(asks("#!/bin/sh\n", path, sizeof path));
	assert_false(asks("#!/bin/sh\necho /etc/passwd\n", path, sizeof path));
	assert_false(asks("#!/bin/sh\necho relative/S.gpg-agent\n", path, sizeof path));
	assert_false(asks("#!/bin/sh\nprintf '/a\\n/S.gpg-agent\\n'\n", path, sizeof path));
	assert_false(asks("#!/bin/sh\necho /a/S.gpg-agent; exit 1\n", path, sizeof path));
	assert_false(asks("#!/bin/sh\nprintf /%0100d/S.gpg-agent 1\n", path, sizeof path));
	assert_false(agent_sockets_ask_gpgconf("/nonexistent/gpgconf", "/home/u", path, sizeof path));
}

static void free_values(struct machine_values *values)
{
	machine_values_done(values);
}

static void test_values_are_found_when_they_are_asked_for(void **state)
{
	(void)state;
	static const char *const envp[] = {"npm_config_registry=https://npm.corp.example", NULL};
	__attribute__((cleanup(free_values))) struct machine_values values = {
		.request = {.home = "/nonexistent", .envp = envp, .root = "/nonexistent"}};
	assert_null(machine_values_find(&values, "CARGO_HOME"));
	assert_null(machine_values_find(&values, "GPG_AGENT_SOCK")); /* the usual one */
	assert_null(values.registries);
	assert_null(machine_values_environment(&values)[0]);
	const char *const *hosts = machine_values_find(&values, "NPM_REGISTRIES");
	assert_non_null(hosts);
	assert_string_equal(hosts[0], "npm.corp.example");
	assert_non_null(values.registries);
	/* the environment says npm's already */
	assert_string_equal(machine_values_environment(&values)[0], "GOPROXY=https://proxy.golang.org,direct");
	assert_null(machine_values_environment(&values)[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sockets_have_their_group),
		cmocka_unit_test(test_others_have_none),
		cmocka_unit_test(test_gpgconf_is_asked),
		cmocka_unit_test(test_other_answers_are_none),
		cmocka_unit_test(test_values_are_found_when_they_are_asked_for),
	};
	return cmocka_run_group_tests_name("agent_sockets", tests, NULL, NULL);
}
