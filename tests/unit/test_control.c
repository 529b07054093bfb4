/* A session's control socket: one request, one answer; strangers, descendants and garbage get nothing. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "folder_rig.h"
#include "session/control.h"

static char base[] = "/tmp/berm-control-XXXXXX";
static char folder[sizeof base + 16];

static int setup(void **state)
{
	(void)state;
	if (folder_make(base) < 0)
		return -1;
	(void)snprintf(folder, sizeof folder, "%s/sessions", base);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return folder_remove(base);
}

/* Whoever asks must not descend from the session: so that is the child here. */
static _Noreturn void serve(int ready)
{
	struct control *control = NULL;
	struct control_request request;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (control_open(folder, "one", &control, NULL) != BERM_OK || write(ready, "x", 1) != 1)
		_exit(1);
	for (;;) {
		struct pollfd wait = {.fd = control_fd(control), .events = POLLIN};
		(void)poll(&wait, 1, control_timeout_ms(control));
		while (control_next(control, &request)) {
			char text[256];
			int len = snprintf(text, sizeof text, "{\"op\":\"%s\",\"file\":\"%s\",\"bytes\":%zu}",
					   request.op, request.file, request.text.len);
			control_answer(control, (struct str){text, (size_t)len});
		}
	}
}

static pid_t start(void)
{
	int ends[2];
	char byte;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0)
		serve(ends[1]);
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	(void)close(ends[0]);
	return pid;
}

static void stop(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static enum berm_code ask(const char *session, struct str text, struct buf *answer)
{
	const struct control_request request = {.op = "apply", .file = "p.yaml", .text = text};
	return control_ask(folder, session, &request, answer, NULL);
}

static int open_raw(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/one", folder);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void a_request_gets_its_answer(void **state)
{
	(void)state;
	NOT_TORTURED();
	struct stat st;
	auto_buf struct buf answer = {0};
	auto_buf struct buf large = {0};
	pid_t pid = start();
	buf_init(&answer, CONTROL_MAX);
	buf_init(&large, CONTROL_MAX);
	assert_int_equal(ask("one", STR("a: \"b\"\n"), &answer), BERM_OK);
	assert_int_equal(answer.len, strlen("{\"op\":\"apply\",\"file\":\"p.yaml\",\"bytes\":7}"));
	assert_memory_equal(answer.data, "{\"op\":\"apply\",\"file\":\"p.yaml\",\"bytes\":7}", answer.len);
	for (int i = 0; i < 100000; i++)
		buf_puts(&large, "# a long policy\n");
	buf_clear(&answer);
	assert_int_equal(ask("one", buf_str(&large), &answer), BERM_OK);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(ask("two", STR("a"), &answer), BERM_ERR_NOTFOUND);
	char session[CONTROL_NAME_MAX + 1] = "";
	size_t count = 0;
	assert_int_equal(control_find(folder, session, &count, NULL), BERM_OK);
	assert_int_equal(count, 1);
	assert_string_equal(session, "one");
	assert_int_equal(ask("../one", STR("a"), &answer), BERM_ERR_INVALID);
	stop(pid);
	assert_int_equal(control_find(folder, session, &count, NULL), BERM_ERR_NOTFOUND);
	assert_int_equal(ask("one", STR("a"), &answer), BERM_ERR_NOTFOUND); /* its socket is left, and nobody listens */
}

static void garbage_is_no_request(void **state)
{
	(void)state;
	NOT_TORTURED();
	static const struct {
		uint8_t bytes[40];
		size_t len;
	} cases[] = {
		{{0, 0, 0, 0}, 4},	     {{255, 255, 255, 255, '{'}, 5},   {{0, 0, 0, 2, '{', '}'}, 6},
		{{0, 0, 0, 2, '[', ']'}, 6}, {{0, 0, 0, 3, 'a', ':', '1'}, 7}, {"\0\0\0\x13{\"op\":1,\"file\":[]}", 23},
	};
	pid_t pid = start();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char answer[128];
		auto_fd int fd = open_raw();
		assert_int_equal(send(fd, cases[i].bytes, cases[i].len, MSG_NOSIGNAL), (ssize_t)cases[i].len);
		ssize_t n = recv(fd, answer, 15, MSG_WAITALL);
		assert_true(n <= 0 || memcmp(answer + 4, "{\"ok\":false", 11) == 0);
	}
	auto_buf struct buf answer = {0};
	buf_init(&answer, CONTROL_MAX);
	auto_fd int slow = open_raw(); /* one that says nothing holds up nobody */
	assert_int_equal(ask("one", STR("a"), &answer), BERM_OK);
	stop(pid);
}

static void descendants_get_nothing(void **state)
{
	(void)state;
	NOT_TORTURED();
	struct control *control = NULL;
	struct control_request request;
	assert_int_equal(control_open(folder, "one", &control, NULL), BERM_OK);
	pid_t pid = fork();
	if (pid == 0) {
		auto_buf struct buf answer = {0};
		buf_init(&answer, CONTROL_MAX);
		_exit(ask("one", STR("a"), &answer) == BERM_ERR_CLOSED ? 0 : 1);
	}
	int status;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		struct pollfd wait = {.fd = control_fd(control), .events = POLLIN};
		(void)poll(&wait, 1, 20);
		assert_false(control_next(control, &request));
	}
	assert_int_equal(status, 0);
	control_free(control);
	assert_int_equal(access(folder, F_OK), 0);
}

static void sockets_of_the_dead_are_removed_and_those_of_the_living_are_not(void **state)
{
	(void)state;
	NOT_TORTURED();
	char path[128];
	struct control *other = NULL, *same = NULL;
	pid_t pid = start();
	assert_int_equal(control_open(folder, "one", &same, NULL), BERM_ERR_LIMIT);
	stop(pid);
	assert_int_equal(control_open(folder, "other", &other, NULL), BERM_OK);
	(void)snprintf(path, sizeof path, "%s/one", folder);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(control_open(folder, ".x", &same, NULL), BERM_ERR_INVALID);
	control_free(other);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(control_open(folder, "other", &other, NULL), BERM_ERR_DENIED);
}

static void the_folder_is_the_nearest_that_is_named(void **state)
{
	(void)state;
	static const char *const all[] = {"BERM_STATE_DIR=/s", "XDG_RUNTIME_DIR=/r", "XDG_STATE_HOME=/x", NULL};
	static const char *const relative[] = {"BERM_STATE_DIR=s", NULL};
	char found[PATH_MAX];
	assert_int_equal(control_folder(all, "/h", found, NULL), BERM_OK);
	assert_string_equal(found, "/s/sessions");
	assert_int_equal(control_folder(all + 1, "/h", found, NULL), BERM_OK);
	assert_string_equal(found, "/r/berm");
	assert_int_equal(control_folder(all + 2, "/h", found, NULL), BERM_OK);
	assert_string_equal(found, "/x/berm/sessions");
	assert_int_equal(control_folder(relative, "/h", found, NULL), BERM_OK);
	assert_string_equal(found, "/h/.local/state/berm/sessions");
	assert_int_equal(control_folder(relative, NULL, found, NULL), BERM_ERR_NOTFOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_request_gets_its_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(garbage_is_no_request, setup, teardown),
		cmocka_unit_test_setup_teardown(descendants_get_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(sockets_of_the_dead_are_removed_and_those_of_the_living_are_not, setup,
						teardown),
		cmocka_unit_test(the_folder_is_the_nearest_that_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
