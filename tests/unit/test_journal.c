#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "session/journal.h"

struct log_place {
	char folder[64], file[128], text[4096];
};

static int setup(void **state)
{
	struct log_place *place = calloc(1, sizeof(*place));
	if (place == NULL)
		return -1;
	(void)snprintf(place->folder, sizeof(place->folder), "/tmp/berm-journal-XXXXXX");
	*state = place;
	if (mkdtemp(place->folder) == NULL)
		return -1;
	(void)snprintf(place->file, sizeof(place->file), "%s/log", place->folder);
	return 0;
}

static int teardown(void **state)
{
	struct log_place *place = *state;
	char policy[128];
	(void)snprintf(policy, sizeof policy, "%s/policy.yaml", place->folder);
	(void)unlink(policy);
	(void)unlink(place->file);
	(void)rmdir(place->folder);
	free(place);
	return 0;
}

static const char *content(struct log_place *place)
{
	if (fd_read_file(AT_FDCWD, place->file, place->text, sizeof(place->text)) < 0)
		return "(none)";
	return place->text;
}

static void put(struct journal *journal, const char *op)
{
	struct event event = {.kind = EVENT_SESSION, .op = op, .time_ns = 1};
	journal_put(journal, &event);
	assert_int_equal(journal->failure.code, BERM_OK);
}

static void write_file(const char *path, const char *text)
{
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void free_sources(struct sources **sources)
{
	sources_free(*sources);
}

static void test_a_load_names_the_profile_and_the_files(void **state)
{
	struct log_place *place = *state;
	struct journal journal;
	char config[128], policy[128], expected[256];
	(void)snprintf(config, sizeof config, "BERM_CONFIG_DIR=%s", place->folder);
	(void)snprintf(policy, sizeof policy, "%s/policy.yaml", place->folder);
	const char *const envp[] = {config, "BERM_STATE_DIR=/var/empty/none", NULL};
	const struct sources_request request = {
		.cwd = "/", .home = "/home/u", .envp = envp, .system_folder = "/var/empty/none"};
	for (int with = 0; with < 2; with++) {
		__attribute__((cleanup(free_sources))) struct sources *sources = NULL;
		struct problems problems = {0};
		if (with)
			write_file(policy, "berm: 1\n");
		assert_int_equal(sources_open(&request, &sources, &problems, NULL), BERM_OK);
		assert_int_equal(journal_open(place->file, NULL, "one", &journal, NULL), BERM_OK);
		journal_put_load(&journal, sources);
		assert_int_equal(journal.failure.code, BERM_OK);
		journal_done(&journal);
		assert_non_null(strstr(content(place), "\"op\":\"load\",\"detail\":\"profile default\""));
		(void)snprintf(expected, sizeof expected, "\"files\":[\"%s\"]", policy);
		assert_int_equal(strstr(content(place), expected) != NULL, with);
	}
}

static void test_events_are_numbered_and_appended(void **state)
{
	struct log_place *place = *state;
	struct journal journal;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(journal_open(place->file, NULL, "one", &journal, NULL), BERM_OK);
		put(&journal, "start");
		put(&journal, "stop");
		journal_done(&journal);
	}
	const char *text = content(place);
	int lines = 0;
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, 4);
	assert_non_null(strstr(text, "\"seq\":1,"));
	assert_non_null(strstr(text, "\"seq\":2,"));
	assert_null(strstr(text, "\"seq\":3,"));
	assert_non_null(strstr(text, "\"session\":\"one\""));
	struct stat st;
	assert_int_equal(stat(place->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_without_a_target_nothing_happens(void **state)
{
	(void)state;
	struct journal journal;
	assert_int_equal(journal_open(NULL, NULL, NULL, &journal, NULL), BERM_OK);
	assert_int_equal(journal.fd, -1);
	put(&journal, "start");
	assert_int_equal(journal.seq, 0);
	journal_done(&journal);
}

static void test_sessions_without_a_name_get_one(void **state)
{
	struct log_place *place = *state;
	struct journal journal;
	assert_int_equal(journal_open(place->file, NULL, NULL, &journal, NULL), BERM_OK);
	assert_true(strlen(journal.session) > 8);
	assert_int_equal(strspn(journal.session, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(journal.session));
	journal_done(&journal);
}

static void test_a_descriptor_stays_the_callers(void **state)
{
	struct log_place *place = *state;
	struct journal journal;
	char target[32];
	auto_fd int fd = open(place->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)snprintf(target, sizeof(target), "fd:%d", fd);
	assert_int_equal(journal_open(target, NULL, "x", &journal, NULL), BERM_OK);
	put(&journal, "start");
	journal_done(&journal);
	assert_int_equal(write(fd, "more", 4), 4);
	assert_non_null(strstr(content(place), "}\nmore"));
}

static void test_descriptors_that_cannot_be(void **state)
{
	(void)state;
	struct journal journal = {.seq = 77};
	struct berm_err err;
	auto_fd int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char target[32];
	(void)snprintf(target, sizeof(target), "fd:%d", fd);
	assert_int_equal(journal_open(target, NULL, NULL, &journal, &err), BERM_ERR_INVALID);
	assert_int_equal(journal_open("fd:1023", NULL, NULL, &journal, &err), BERM_ERR_INVALID);
	assert_string_equal(err.msg, "descriptor 1023 is not open for writing");
	assert_int_equal(journal_open("fd:", NULL, NULL, &journal, &err), BERM_ERR_INVALID);
	assert_int_equal(journal_open("fd:1x", NULL, NULL, &journal, &err), BERM_ERR_INVALID);
	assert_int_equal(journal.seq, 77); /* untouched */
}

static void test_links_are_not_followed(void **state)
{
	struct log_place *place = *state;
	struct journal journal;
	char link[128], below[160];
	(void)snprintf(link, sizeof(link), "%s/link", place->folder);
	assert_int_equal(symlink("/nowhere/log", link), 0);
	assert_int_equal(journal_open(link, NULL, NULL, &journal, NULL), BERM_ERR_SYS);
	assert_int_equal(journal_open(link, place->folder, NULL, &journal, NULL), BERM_ERR_SYS);
	assert_int_equal(unlink(link), 0);
	/* A folder on the way: only inside of the workspace does it matter. */
	assert_int_equal(symlink(place->folder, link), 0);
	(void)snprintf(below, sizeof(below), "%s/log", link);
	assert_int_equal(journal_open(below, place->folder, NULL, &journal, NULL), BERM_ERR_SYS);
	assert_string_equal(content(place), "(none)");
	assert_int_equal(journal_open(below, NULL, NULL, &journal, NULL), BERM_OK);
	journal_done(&journal);
	assert_int_equal(unlink(link), 0);
}

static void test_paths_out_of_the_workspace_are_refused(void **state)
{
	struct log_place *place = *state;
	struct journal journal;
	char path[160];
	(void)snprintf(path, sizeof(path), "%s/../berm-journal-outside", place->folder);
	assert_int_equal(journal_open(path, place->folder, NULL, &journal, NULL), BERM_ERR_SYS);
}

static void test_the_first_failure_ends_it(void **state)
{
	(void)state;
	struct journal journal;
	struct event event = {.kind = EVENT_SESSION, .op = "start"};
	assert_int_equal(journal_open("/dev/full", NULL, "x", &journal, NULL), BERM_OK);
	journal_put(&journal, &event);
	assert_int_equal(journal.failure.code, BERM_ERR_SYS);
	assert_int_equal(journal.fd, -1);
	journal_put(&journal, &event);
	journal_done(&journal);
}

#define unit(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void free_denials(struct denials **denials)
{
	denials_free(*denials);
}

static void test_denials_are_kept_though_no_events_are(void **state)
{
	(void)state;
	struct journal journal __attribute__((cleanup(journal_done))) = {.fd = -1};
	struct denials *denials __attribute__((cleanup(free_denials))) = NULL;
	struct event event = {.kind = EVENT_FILE, .op = "read", .object.path = "/x", .decided = true, .count = 1};
	auto_buf struct buf text;
	buf_init(&text, EVENT_LINE_MAX);
	assert_int_equal(journal_open(NULL, NULL, "one", &journal, NULL), BERM_OK);
	assert_int_equal(denials_new(&denials, NULL), BERM_OK);
	journal.denials = denials;
	journal_put(&journal, &event);
	assert_int_equal(denials_count(denials), 1);
	denials_text(denials, &text);
	assert_int_equal(buf_check(&text, NULL), BERM_OK);
	assert_non_null(strstr(text.data, "\"seq\":1,"));
	assert_non_null(strstr(text.data, "\"session\":\"one\""));
	/* what is allowed, not decided, or about the session is none */
	size_t before = denials_count(denials);
	struct event others[] = {event, event, {.kind = EVENT_SESSION, .op = "start"}};
	others[0].verdict = BERM_VERDICT_ALLOW;
	others[1].decided = false;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		others[i].object.path = "/y";
		journal_put(&journal, &others[i]);
	}
	assert_int_equal(denials_count(denials), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(test_a_load_names_the_profile_and_the_files),
		unit(test_events_are_numbered_and_appended),
		unit(test_without_a_target_nothing_happens),
		unit(test_sessions_without_a_name_get_one),
		unit(test_a_descriptor_stays_the_callers),
		unit(test_descriptors_that_cannot_be),
		unit(test_links_are_not_followed),
		unit(test_paths_out_of_the_workspace_are_refused),
		unit(test_the_first_failure_ends_it),
		unit(test_denials_are_kept_though_no_events_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
