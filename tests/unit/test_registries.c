#include "check.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "session/registries.h"

/* A machine: its root, with a home folder and a workspace in it. */
struct machine {
	char root[64], home[80], work[96];
};

static int set_up(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -1;
	strcpy(m->root, "/tmp/berm-registries-XXXXXX");
	if (mkdtemp(m->root) == NULL)
		return -1;
	(void)snprintf(m->home, sizeof m->home, "%s/home", m->root);
	(void)snprintf(m->work, sizeof m->work, "%s/work", m->home);
	*state = m;
	return mkdir(m->home, 0755) == 0 && mkdir(m->work, 0755) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	struct machine *m = *state;
	char command[128];
	(void)snprintf(command, sizeof command, "rm -rf '%s'", m->root);
	int status = system(command); /* NOLINT(cert-env33-c,concurrency-mt-unsafe) */
	free(m);
	return status;
}

/* A file below the root, with the folders that it needs. */
static void put(const struct machine *m, const char *name, const char *text)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof path, "%s/%s", m->root, name);
	for (char *slash = strchr(path + strlen(m->root) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void free_registries(struct registries **registries)
{
	registries_free(*registries);
}
#define auto_registries __attribute__((cleanup(free_registries)))

static struct registries *read_all(const struct machine *m, const char *const *envp)
{
	struct registries *registries = NULL;
	const struct registries_request request = {
		.home = m->home, .workspace = m->work, .envp = envp, .root = m->root};
	assert_int_equal(registries_read(&request, &registries, NULL), BERM_OK);
	return registries;
}

static void has(const struct registries *registries, const char *variable, const char *expected)
{
	char text[1024] = "";
	const char *const *hosts = registries_values(registries, variable);
	assert_non_null(hosts);
	for (size_t i = 0; hosts[i] != NULL; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "", hosts[i]);
	assert_string_equal(text, expected);
}

static void test_where_nothing_is_configured_it_is_the_tool_s_own(void **state)
{
	auto_registries struct registries *r = read_all(*state, NULL);
	has(r, "NPM_REGISTRIES", "registry.npmjs.org registry.yarnpkg.com");
	has(r, "PIP_INDEXES", "pypi.org files.pythonhosted.org");
	has(r, "CARGO_REGISTRIES", "index.crates.io static.crates.io crates.io");
	has(r, "GO_PROXIES", "proxy.golang.org sum.golang.org");
	has(r, "MAVEN_REPOSITORIES", "repo.maven.apache.org repo1.maven.org");
	has(r, "APT_MIRRORS", "");
	assert_null(registries_values(r, "NPM_REGISTRY"));
	assert_string_equal(registries_environment(r)[0], "GOPROXY=https://proxy.golang.org,direct");
	assert_null(registries_environment(r)[1]);
}

static void test_a_mirror_of_the_user_s_stands_in_for_it(void **state)
{
	struct machine *m = *state;
	put(m, "home/.npmrc", "registry=https://npm.corp.example/\n@t:registry=https://t.corp.example:8443\n");
	put(m, "home/.config/pip/pip.conf", "[global]\nindex-url=http://10.0.0.7:3141/root/pypi\n");
	put(m, "home/.cargo/config.toml",
	    "[source.crates-io]\nreplace-with='m'\n[source.m]\nregistry='sparse+https://cargo.corp.example/i/'\n");
	put(m, "home/.config/go/env", "GOPROXY=https://go.corp.example,direct\nGOSUMDB=off\n");
	put(m, "home/.m2/settings.xml",
	    "<settings><mirrors><mirror><mirrorOf>*</mirrorOf><url>https://m.corp.example/x</url></mirror></mirrors></"
	    "settings>");
	auto_registries struct registries *r = read_all(m, NULL);
	has(r, "NPM_REGISTRIES", "npm.corp.example t.corp.example:8443");
	has(r, "PIP_INDEXES", "10.0.0.7:3141");
	has(r, "CARGO_REGISTRIES", "cargo.corp.example");
	has(r, "GO_PROXIES", "go.corp.example");
	has(r, "MAVEN_REPOSITORIES", "m.corp.example");
	const char *const *environment = registries_environment(r);
	while (*environment != NULL && strncmp(*environment, "GOPROXY", 7) != 0)
		environment++;
	assert_string_equal(*environment, "GOPROXY=https://go.corp.example,direct");
}

static void test_the_stronger_source_counts(void **state)
{
	struct machine *m = *state;
	static const char *const envp[] = {
		"npm_config_registry=https://env.example",     "GOPROXY=https://env.example",
		"PIP_EXTRA_INDEX_URL=https://more.example",    "CARGO_REGISTRIES_T_INDEX=https://t.example",
		"CARGO_REGISTRIES_T_TOKEN=https://no.example", NULL};
	put(m, "etc/npmrc", "registry=https://global.example\n@g:registry=https://g.example\n");
	put(m, "home/.npmrc", "registry=https://user.example\n");
	put(m, "etc/pip.conf", "[global]\nindex-url=https://global.example\n");
	put(m, "usr/local/go/go.env", "GOPROXY=https://go.example\n");
	auto_registries struct registries *with = read_all(m, envp);
	has(with, "NPM_REGISTRIES", "env.example g.example");
	has(with, "PIP_INDEXES", "more.example global.example");
	has(with, "GO_PROXIES", "env.example sum.golang.org");
	has(with, "CARGO_REGISTRIES", "t.example index.crates.io static.crates.io crates.io");
	auto_registries struct registries *without = read_all(m, NULL);
	has(without, "NPM_REGISTRIES", "user.example g.example");
	has(without, "GO_PROXIES", "go.example sum.golang.org");
}

static void test_all_sources_of_apt_count(void **state)
{
	struct machine *m = *state;
	put(m, "etc/apt/sources.list", "deb http://deb.debian.org/debian bookworm main\n");
	put(m, "etc/apt/sources.list.d/corp.sources", "Types: deb\nURIs: https://apt.corp.example/x\nSuites: x\n");
	put(m, "etc/apt/sources.list.d/off.list.disabled", "deb https://no.example x main\n");
	auto_registries struct registries *r = read_all(m, NULL);
	has(r, "APT_MIRRORS", "deb.debian.org:80 apt.corp.example");
}

static void test_what_the_workspace_says_does_not_count(void **state)
{
	struct machine *m = *state;
	char link[128], target[128], variable[160];
	(void)snprintf(link, sizeof link, "%s/.npmrc", m->home);
	(void)snprintf(target, sizeof target, "%s/.npmrc", m->work);
	(void)snprintf(variable, sizeof variable, "PIP_CONFIG_FILE=%s/pip.conf", m->work);
	const char *const envp[] = {variable, NULL};
	put(m, "home/work/.npmrc", "registry=https://evil.example\n");
	put(m, "home/work/pip.conf", "[global]\nindex-url=https://evil.example\n");
	assert_int_equal(symlink(target, link), 0);
	auto_registries struct registries *r = read_all(m, envp);
	has(r, "NPM_REGISTRIES", "registry.npmjs.org registry.yarnpkg.com");
	has(r, "PIP_INDEXES", "pypi.org files.pythonhosted.org");
}

static void test_what_others_may_write_does_not_count(void **state)
{
	struct machine *m = *state;
	char path[128];
	put(m, "home/.npmrc", "registry=https://evil.example\n");
	(void)snprintf(path, sizeof path, "%s/.npmrc", m->home);
	assert_int_equal(chmod(path, 0666), 0);
	auto_registries struct registries *r = read_all(m, NULL);
	has(r, "NPM_REGISTRIES", "registry.npmjs.org registry.yarnpkg.com");
}

static void test_a_file_that_is_broken_says_nothing(void **state)
{
	struct machine *m = *state;
	char path[128];
	put(m, "home/.cargo/config.toml", "[registries.t]\nindex='https://t.example'\n[broken\n");
	put(m, "home/.m2/settings.xml", "<settings><mirrors><mirror><url>https://m.example</url>");
	(void)snprintf(path, sizeof path, "%s/.npmrc", m->home);
	assert_int_equal(mkfifo(path, 0644), 0); /* not waited for */
	auto_registries struct registries *r = read_all(m, NULL);
	has(r, "CARGO_REGISTRIES", "index.crates.io static.crates.io crates.io");
	has(r, "MAVEN_REPOSITORIES", "repo.maven.apache.org repo1.maven.org");
	has(r, "NPM_REGISTRIES", "registry.npmjs.org registry.yarnpkg.com");
}

static void test_what_is_too_large_says_nothing(void **state)
{
	struct machine *m = *state;
	const size_t size = 300000;
	auto_free char *text = malloc(size);
	assert_non_null(text);
	memset(text, '\n', size - 1);
	text[size - 1] = '\0';
	memcpy(text, "registry=https://a.example\n", 27);
	put(m, "home/.npmrc", text);
	auto_registries struct registries *r = read_all(m, NULL);
	has(r, "NPM_REGISTRIES", "registry.npmjs.org registry.yarnpkg.com");
}

static void test_the_environment_stands_in_for_closed_files(void **state)
{
	struct machine *m = *state;
	static const char *const envp[] = {"PIP_INDEX_URL=https://env.example/simple", NULL};
	put(m, "home/.npmrc", "registry=https://user:secret@npm.corp.example/x/\n");
	put(m, "home/.config/pip/pip.conf",
	    "[global]\nindex-url=https://user:secret@pip.corp.example/simple\nextra-index-url=https://e.corp.example/"
	    "s\n");
	auto_registries struct registries *r = read_all(m, NULL);
	const char *const *environment = registries_environment(r);
	assert_string_equal(environment[0], "npm_config_registry=https://npm.corp.example/x/");
	assert_string_equal(environment[1], "PIP_INDEX_URL=https://pip.corp.example/simple");
	assert_string_equal(environment[2], "PIP_EXTRA_INDEX_URL=https://e.corp.example/s");
	assert_string_equal(environment[3], "GOPROXY=https://proxy.golang.org,direct");
	assert_null(environment[4]);
	auto_registries struct registries *set = read_all(m, envp);
	environment = registries_environment(set);
	assert_string_equal(environment[0], "npm_config_registry=https://npm.corp.example/x/");
	assert_string_equal(environment[1], "PIP_EXTRA_INDEX_URL=https://e.corp.example/s");
	assert_string_equal(environment[2], "GOPROXY=https://proxy.golang.org,direct");
	assert_null(environment[3]);
}

static void test_without_a_home_there_is_the_system(void **state)
{
	struct machine *m = *state;
	struct registries *r = NULL;
	put(m, "etc/npmrc", "registry=https://global.example\n");
	const struct registries_request request = {.root = m->root};
	assert_int_equal(registries_read(&request, &r, NULL), BERM_OK);
	auto_registries struct registries *kept = r;
	has(kept, "NPM_REGISTRIES", "global.example");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_where_nothing_is_configured_it_is_the_tool_s_own),
		TEST(test_a_mirror_of_the_user_s_stands_in_for_it),
		TEST(test_the_stronger_source_counts),
		TEST(test_all_sources_of_apt_count),
		TEST(test_what_the_workspace_says_does_not_count),
		TEST(test_what_others_may_write_does_not_count),
		TEST(test_a_file_that_is_broken_says_nothing),
		TEST(test_what_is_too_large_says_nothing),
		TEST(test_the_environment_stands_in_for_closed_files),
		TEST(test_without_a_home_there_is_the_system),
	};
	return cmocka_run_group_tests_name("registries", tests, NULL, NULL);
}
