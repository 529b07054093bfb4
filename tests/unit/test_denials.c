/* What a run was denied: kept within bounds, told in a file that is whole, in a folder that is one session's. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "folder_rig.h"
#include "os/fd.h"
#include "session/denials.h"

static char base[] = "/tmp/berm-denials-XXXXXX";
static char folder[sizeof base + 16];

static int setup(void **state)
{
	(void)state;
	if (folder_make(base) < 0)
		return -1;
	(void)snprintf(folder, sizeof folder, "%s/a/b", base);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return folder_remove(base);
}

static void drop(struct denials **denials)
{
	denials_free(*denials);
}
#define auto_denials __attribute__((cleanup(drop)))

static void put(struct denials *denials, const char *path, uint32_t count)
{
	const struct event event = {.kind = EVENT_FILE,
				    .op = "write",
				    .object.path = path,
				    .task = {.pid = (int64_t)count, .exe = "/bin/x"},
				    .decided = true,
				    .count = count};
	denials_put(denials, &event);
}

/* What the file says, or "-". */
static const char *told(const struct denials *denials)
{
	static char text[1 << 19];
	char path[PATH_MAX + 32];
	(void)snprintf(path, sizeof path, "%s/%s", denials_folder(denials), denials_name);
	return fd_read_file(AT_FDCWD, path, text, sizeof text) < 0 ? "-" : text;
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;
	for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
		count++;
	return count;
}

static void test_where_it_is(void **state)
{
	(void)state;
	static const struct {
		const char *envp[3], *home, *expect;
	} rows[] = {
		{{"XDG_RUNTIME_DIR=/run/user/1", "XDG_STATE_HOME=/s"}, "/h", "/run/user/1/berm-denials"},
		{{"XDG_RUNTIME_DIR=run", "XDG_STATE_HOME=/s"}, "/h", "/s/berm-denials"},
		{{"XDG_RUNTIME_DIR="}, "/h", "/h/.local/state/berm-denials"},
		{{NULL}, "/", NULL},
		{{NULL}, NULL, NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char found[PATH_MAX] = "";
		assert_int_equal(denials_base(rows[i].envp, rows[i].home, found), rows[i].expect != NULL);
		assert_string_equal(found, rows[i].expect != NULL ? rows[i].expect : "");
	}
}

static void test_the_file_comes_with_the_first_denial(void **state)
{
	(void)state;
	auto_denials struct denials *denials = NULL;
	assert_int_equal(denials_new(&denials, NULL), BERM_OK);
	assert_null(denials_folder(denials));
	assert_int_equal(denials_open_folder(denials, folder, NULL), BERM_OK);
	assert_int_equal(denials_timeout_ms(denials), -1);
	denials_write(denials);
	assert_string_equal(told(denials), "-");
	put(denials, "/a", 1);
	assert_int_equal(denials_timeout_ms(denials), 0);
	denials_write(denials);
	assert_int_equal(count_of(told(denials), "\n"), 1);
	assert_int_equal(denials_timeout_ms(denials), -1);
	put(denials, "/b", 1);
	denials_write(denials);
	assert_int_equal(count_of(told(denials), "\n"), 2);
	assert_true(strstr(told(denials), "\"/a\"") < strstr(told(denials), "\"/b\""));
}

static void test_what_is_equal_is_one_line(void **state)
{
	(void)state;
	auto_denials struct denials *denials = NULL;
	auto_buf struct buf text;
	buf_init(&text, 1 << 20);
	assert_int_equal(denials_new(&denials, NULL), BERM_OK);
	put(denials, "/a", 1);
	put(denials, "/b", 1);
	put(denials, "/a", 4);
	assert_int_equal(denials_count(denials), 2);
	denials_text(denials, &text);
	assert_int_equal(buf_check(&text, NULL), BERM_OK);
	assert_true(strstr(text.data, "\"/b\"") < strstr(text.data, "\"/a\"")); /* newest last */
	assert_non_null(strstr(text.data, "\"count\":5"));
	put(denials, "/a", UINT32_MAX);
	buf_clear(&text);
	denials_text(denials, &text);
	assert_non_null(strstr(text.data, "\"count\":4294967295"));
	assert_false(denials_dropped(denials));
}

static void test_there_is_a_bound(void **state)
{
	(void)state;
	char path[64];
	auto_denials struct denials *denials = NULL;
	assert_int_equal(denials_new(&denials, NULL), BERM_OK);
	for (int i = 0; i < DENIALS_MAX; i++) {
		(void)snprintf(path, sizeof path, "/p%d", i);
		put(denials, path, 1);
	}
	assert_int_equal(denials_count(denials), DENIALS_MAX);
	assert_false(denials_dropped(denials));
	put(denials, "/newest", 1);
	auto_buf struct buf text;
	buf_init(&text, 1 << 20);
	denials_text(denials, &text);
	assert_int_equal(buf_check(&text, NULL), BERM_OK);
	assert_int_equal(count_of(text.data, "\n"), DENIALS_MAX);
	assert_true(denials_dropped(denials) && strstr(text.data, "\"/p0\"") == NULL);
	assert_non_null(strstr(text.data, "\"/newest\""));
}

static void test_there_is_a_bound_of_bytes(void **state)
{
	(void)state;
	char path[16 * 1024];
	auto_denials struct denials *denials = NULL;
	assert_int_equal(denials_new(&denials, NULL), BERM_OK);
	memset(path, 'x', sizeof path);
	path[sizeof path - 1] = '\0';
	for (int i = 0; i < 40; i++) {
		path[0] = (char)('A' + i % 26);
		path[1] = (char)('A' + i / 26);
		put(denials, path, 1);
	}
	auto_buf struct buf text;
	buf_init(&text, 1 << 20);
	denials_text(denials, &text);
	assert_true(text.len <= DENIALS_MAX_BYTES && text.len > DENIALS_MAX_BYTES / 2);
	assert_true(denials_dropped(denials));
}

static void test_a_flood_is_written_now_and_then(void **state)
{
	(void)state;
	auto_denials struct denials *denials = NULL;
	char path[64];
	struct stat st;
	ino_t before = 0;
	int changed = 0;
	assert_int_equal(denials_new(&denials, NULL), BERM_OK);
	assert_int_equal(denials_open_folder(denials, folder, NULL), BERM_OK);
	int dir = open(denials_folder(denials), O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(path, sizeof path, "/p%d", i);
		put(denials, path, 1);
		denials_write(denials);
		if (fstatat(dir, denials_name, &st, 0) == 0 && st.st_ino != before) {
			before = st.st_ino;
			changed++;
		}
	}
	(void)close(dir);
	assert_in_range(changed, 1, DENIALS_BURST + 20); /* 20: five slow seconds */
	/* the last state is written when its time has come */
	for (int wait = denials_timeout_ms(denials); wait >= 0; wait = denials_timeout_ms(denials)) {
		assert_in_range(wait, 0, DENIALS_INTERVAL_MS);
		(void)usleep((useconds_t)wait * 1000);
		denials_write(denials);
	}
	assert_non_null(strstr(told(denials), "\"/p1999\""));
}

static size_t folders(void)
{
	size_t count = 0;
	auto_folder DIR *dir = opendir(folder);
	const struct dirent *entry;
	while (dir != NULL && (entry = readdir(dir)) != NULL) /* NOLINT(concurrency-mt-unsafe) */
		count += entry->d_name[0] != '.';
	return count;
}

static void test_each_session_has_its_folder(void **state)
{
	(void)state;
	auto_denials struct denials *one = NULL;
	auto_denials struct denials *two = NULL;
	char path[PATH_MAX];
	assert_int_equal(denials_new(&one, NULL), BERM_OK);
	assert_int_equal(denials_new(&two, NULL), BERM_OK);
	assert_int_equal(denials_open_folder(one, folder, NULL), BERM_OK);
	assert_int_equal(denials_open_folder(two, folder, NULL), BERM_OK);
	assert_string_not_equal(denials_folder(one), denials_folder(two));
	put(two, "/secret", 1);
	denials_write(two);
	assert_string_equal(told(one), "-");
	strcpy(path, denials_folder(two));
	denials_free(take(two));
	/* the folder is used again, empty */
	assert_int_equal(denials_new(&two, NULL), BERM_OK);
	assert_int_equal(denials_open_folder(two, folder, NULL), BERM_OK);
	assert_string_equal(denials_folder(two), path);
	assert_string_equal(told(two), "-");
	assert_int_equal(folders(), 2);
}

static void test_what_was_killed_is_swept(void **state)
{
	(void)state;
	NOT_TORTURED();
	char path[PATH_MAX] = "", file[PATH_MAX + 32];
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	for (int i = 0; i < 6; i++) { /* none of them at the same time as another, but for what it left */
		pid_t pid = fork();
		if (pid == 0) {
			struct denials *denials[2];
			for (int k = 0; k < 2; k++)
				if (denials_new(&denials[k], NULL) != BERM_OK ||
				    denials_open_folder(denials[k], folder, NULL) != BERM_OK)
					_exit(1);
			put(denials[1], "/a", 1);
			denials_write(denials[1]);
			_exit(write(ends[1], denials_folder(denials[1]), PATH_MAX / 2) > 0 ? 0 : 1);
		}
		int status = 1;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_true(read(ends[0], path, PATH_MAX / 2) > 0);
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
	(void)snprintf(file, sizeof file, "%s/%s", path, denials_name);
	assert_int_equal(access(file, F_OK), 0);
	auto_denials struct denials *next = NULL;
	assert_int_equal(denials_new(&next, NULL), BERM_OK);
	assert_int_equal(denials_open_folder(next, folder, NULL), BERM_OK);
	assert_int_equal(access(file, F_OK), -1);
	assert_in_range(folders(), 1, DENIALS_SPARE + 1);
}

static void test_too_many_folders_go(void **state)
{
	(void)state;
	struct denials *many[DENIALS_SPARE + 4] = {NULL};
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		if (denials_new(&many[i], NULL) == BERM_OK)
			(void)!denials_open_folder(many[i], folder, NULL);
	}
	size_t had = folders();
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		denials_free(many[i]);
	assert_int_equal(had, ARRAY_LEN(many));
	auto_denials struct denials *next = NULL;
	assert_int_equal(denials_new(&next, NULL), BERM_OK);
	assert_int_equal(denials_open_folder(next, folder, NULL), BERM_OK);
	assert_int_equal(folders(), DENIALS_SPARE + 1);
}

static void test_a_folder_that_others_may_use_is_not_used(void **state)
{
	(void)state;
	auto_denials struct denials *denials = NULL;
	char path[64];
	assert_int_equal(denials_new(&denials, NULL), BERM_OK);
	(void)snprintf(path, sizeof path, "%s/open", base);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(denials_open_folder(denials, path, NULL), BERM_ERR_DENIED);
	assert_null(denials_folder(denials));
	(void)snprintf(folder, sizeof folder, "%s/link", base);
	assert_int_equal(symlink(base, folder), 0);
	assert_int_equal(denials_open_folder(denials, folder, NULL), BERM_ERR_SYS);
	put(denials, "/a", 1); /* without a folder it is kept for the report alone */
	assert_int_equal(denials_timeout_ms(denials), -1);
	denials_write(denials);
	assert_true(denials_count(denials) <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_where_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_file_comes_with_the_first_denial, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_equal_is_one_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_there_is_a_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_there_is_a_bound_of_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_flood_is_written_now_and_then, setup, teardown),
		cmocka_unit_test_setup_teardown(test_each_session_has_its_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_was_killed_is_swept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_folders_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_folder_that_others_may_use_is_not_used, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
