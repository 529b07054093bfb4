#include "session/approver_program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "os/fd.h"
#include "session/approval_text.h"

enum { QUESTION_MAX = 8 * APPROVAL_TEXT_MAX };

/* One that runs. */
struct asking {
	struct ev_source ended; /* first: found by it; the process */
	struct ev_source said;	/* its output */
	struct program *program;
	uint64_t id; /* 0: withdrawn, and only waited for */
	pid_t pid;   /* 0: free */
	int out;
	struct buf reply;
};

struct program {
	struct approver approver;
	char **argv;
	const char *const *envp;
	struct asking asking[APPROVER_PROGRAM_ROOM];
};

/* ---- the end of one ---------------------------------------------------------------------------------------------- */

static void stop_listening(struct asking *asking)
{
	ev_remove(&asking->said);
	if (asking->out >= 0)
		(void)close(asking->out);
	asking->out = -1;
}

static void asking_done(struct asking *asking)
{
	stop_listening(asking);
	ev_remove(&asking->ended);
	buf_done(&asking->reply);
	asking->pid = 0;
	asking->id = 0;
}

/* With what it has started; it leads its session. It is waited for when it has ended. */
static void asking_kill(struct asking *asking)
{
	asking->id = 0;
	stop_listening(asking);
	(void)kill(-asking->pid, SIGKILL);
	(void)kill(asking->pid, SIGKILL);
}

static void tell(struct asking *asking, struct approval_answer *answer)
{
	struct approver *approver = &asking->program->approver;
	const char *path = asking->program->argv[0], *name = strrchr(path, '/');
	uint64_t id = asking->id;
	asking->id = 0;
	(void)snprintf(answer->by, sizeof answer->by, "program");
	if (answer->who[0] == '\0')
		(void)snprintf(answer->who, sizeof answer->who, "%s", name != NULL ? name + 1 : path);
	if (id != 0)
		approver->answered(approver->ctx, approver, id, answer);
}

static void tell_odd(struct asking *asking, const char *what)
{
	struct approval_answer answer = {0};
	(void)snprintf(answer.reason, sizeof answer.reason, "%s", what);
	tell(asking, &answer);
}

/* Reads what is there. False: more than an answer can be. */
static bool hear(struct asking *asking)
{
	char part[1024];
	ssize_t n;
	while ((n = read(asking->out, part, sizeof part)) > 0)
		buf_put(&asking->reply, part, (size_t)n);
	if (n == 0)
		ev_remove(&asking->said); /* it will end */
	return !asking->reply.failed;
}

static void on_said(struct ev_source *source, uint32_t events)
{
	struct asking *asking = (void *)((char *)source - offsetof(struct asking, said));
	(void)events;
	if (hear(asking))
		return;
	tell_odd(asking, "its answer is too long");
	asking_kill(asking);
}

static void judge(struct asking *asking, const siginfo_t *how)
{
	struct approval_answer answer;
	struct berm_err err;
	char text[64];
	if (how->si_code != CLD_EXITED || how->si_status != 0) {
		(void)snprintf(text, sizeof text, "it ended with %s %d",
			       how->si_code == CLD_EXITED ? "status" : "signal", how->si_status);
		tell_odd(asking, text);
	} else if (!hear(asking)) {
		tell_odd(asking, "its answer is too long");
	} else if (approval_text_parse(buf_str(&asking->reply), &answer, &err) != BERM_OK) {
		tell_odd(asking, err.msg);
	} else {
		tell(asking, &answer);
	}
}

static void on_ended(struct ev_source *source, uint32_t events)
{
	struct asking *asking = (struct asking *)source;
	siginfo_t how = {0};
	(void)events;
	if (waitid(P_PID, (id_t)asking->pid, &how, WEXITED | WNOHANG) == 0 && how.si_pid == 0)
		return; /* not yet */
	if (asking->id != 0)
		judge(asking, &how);
	asking_done(asking);
}

/* ---- the beginning ----------------------------------------------------------------------------------------------- */

/* The question as a file that can be read from its beginning. */
static enum berm_code make_question(const struct approval_prompt *prompt, int *ret_fd, struct berm_err *err)
{
	struct json_out json;
	auto_buf struct buf text;
	buf_init(&text, QUESTION_MAX);
	json_init(&json, &text);
	approval_text_put(prompt, ev_now_ms(), &json, NULL);
	buf_putc(&text, '\n');
	TRY(buf_check(&text, err));
	auto_fd int fd = memfd_create("question", MFD_CLOEXEC);
	if (fd < 0 || fd_write_full(fd, text.data, text.len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, "write a question");
	*ret_fd = take_fd(&fd);
	return BERM_OK;
}

static int set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int in, int out)
{
	sigset_t none, all;
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	int error = posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO);
	error = error != 0 ? error : posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
	error = error != 0 ? error : posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	/* Nothing is looked up in a folder that the sandbox writes. */
	error = error != 0 ? error : posix_spawn_file_actions_addchdir_np(actions, "/");
	error = error != 0 ? error : posix_spawnattr_setsigmask(attributes, &none);
	error = error != 0 ? error : posix_spawnattr_setsigdefault(attributes, &all);
	return error != 0 ? error
			  : posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
									 POSIX_SPAWN_SETSID);
}

static enum berm_code start(const struct program *program, int in, int out, pid_t *ret_pid, struct berm_err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char *const *envp;
	memcpy(&envp, &program->envp, sizeof(envp)); /* POSIX has them without const, and leaves them alone */
	if (posix_spawn_file_actions_init(&actions) != 0)
		return err_set(err, BERM_ERR_NOMEM, "start '%s'", program->argv[0]);
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return err_set(err, BERM_ERR_NOMEM, "start '%s'", program->argv[0]);
	}
	int error = set_up(&actions, &attributes, in, out);
	if (error == 0)
		error = posix_spawn(ret_pid, program->argv[0], &actions, &attributes, program->argv, envp);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	errno = error;
	return error == 0 ? BERM_OK : err_sys(err, "start '%s'", program->argv[0]);
}

static enum berm_code listen_to(struct asking *asking, struct berm_err *err)
{
	struct ev_loop *loop = asking->program->approver.loop;
	TRY(ev_add(loop, &asking->said, asking->out, EPOLLIN, on_said, err));
	return ev_add_process(loop, &asking->ended, asking->pid, on_ended, err);
}

static enum berm_code begin(struct asking *asking, const struct approval_prompt *prompt, struct berm_err *err)
{
	auto_fd int question = -1;
	int ends[2];
	TRY(make_question(prompt, &question, err));
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	auto_fd int out = ends[1];
	asking->out = ends[0];
	if (fcntl(asking->out, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(err, "make a pipe");
	TRY(start(asking->program, question, out, &asking->pid, err));
	return listen_to(asking, err);
}

static enum berm_code program_ask(struct approver *approver, const struct approval_prompt *prompt, struct berm_err *err)
{
	struct program *program = (struct program *)approver;
	struct asking *asking = NULL;
	for (size_t i = 0; i < APPROVER_PROGRAM_ROOM && asking == NULL; i++)
		if (program->asking[i].pid == 0)
			asking = &program->asking[i];
	if (asking == NULL)
		return err_set(err, BERM_ERR_LIMIT, "'%s' runs too often", program->argv[0]);
	*asking = (struct asking){.program = program, .out = -1};
	asking->ended.fd = asking->said.fd = -1;
	buf_init(&asking->reply, APPROVAL_ANSWER_MAX);
	enum berm_code code = begin(asking, prompt, err);
	if (code == BERM_OK) {
		asking->id = prompt->id;
		return BERM_OK;
	}
	if (asking->pid > 0) {
		asking_kill(asking);
		(void)waitpid(asking->pid, NULL, 0);
	}
	asking_done(asking);
	return code;
}

static void program_withdraw(struct approver *approver, uint64_t id)
{
	struct program *program = (struct program *)approver;
	for (size_t i = 0; i < APPROVER_PROGRAM_ROOM; i++)
		if (program->asking[i].pid > 0 && program->asking[i].id == id)
			asking_kill(&program->asking[i]);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

static void program_done(struct program *program)
{
	str_free_all(program->argv);
	free(program);
}

static void program_free(struct approver *approver)
{
	struct program *program = (struct program *)approver;
	for (size_t i = 0; i < APPROVER_PROGRAM_ROOM; i++) {
		struct asking *asking = &program->asking[i];
		if (asking->pid == 0)
			continue;
		asking_kill(asking);
		(void)waitpid(asking->pid, NULL, WNOHANG); /* one that takes longer is our parent's */
		asking_done(asking);
	}
	program_done(program);
}

static const struct approver_kind program_kind = {
	.name = "program",
	.room = APPROVER_PROGRAM_ROOM,
	.ask = program_ask,
	.withdraw = program_withdraw,
	.free = program_free,
};

static enum berm_code copy_argv(struct program *program, const char *const *argv)
{
	size_t count = 0;
	while (argv[count] != NULL)
		count++;
	program->argv = calloc(count + 1, sizeof *program->argv);
	for (size_t i = 0; program->argv != NULL && i < count; i++)
		if ((program->argv[i] = str_dup(str_from(argv[i]))) == NULL)
			return BERM_ERR_NOMEM;
	return program->argv != NULL ? BERM_OK : BERM_ERR_NOMEM;
}

enum berm_code approver_program_new(struct ev_loop *loop, const char *const *argv, const char *const *envp,
				    struct approver **ret_approver, struct berm_err *err)
{
	if (argv[0] == NULL || argv[0][0] != '/')
		return err_set(err, BERM_ERR_INVALID, "a program that answers is named by its absolute path: '%.100s'",
			       argv[0] != NULL ? argv[0] : "");
	struct program *program = calloc(1, sizeof *program);
	if (program == NULL)
		return err_set(err, BERM_ERR_NOMEM, "prepare '%.100s'", argv[0]);
	program->approver = (struct approver){.kind = &program_kind, .loop = loop};
	program->envp = envp;
	if (copy_argv(program, argv) != BERM_OK) {
		program_done(program);
		return err_set(err, BERM_ERR_NOMEM, "prepare '%.100s'", argv[0]);
	}
	*ret_approver = (struct approver *)program;
	return BERM_OK;
}
