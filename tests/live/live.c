/*
 * live: changes a running sandbox at random, while threads inside try every path all the time.
 *
 *   live BASE WAY COUNT SEED [nest|kill|helper|pair]     WAY: hidden, visible, landlock
 *
 * Inside, each success is written to shared memory with the time at which it was begun. An access that the plan in force
 * denies must never be begun after the update returned and succeed, but where the update's report says "next run"; one
 * that the report says is granted now must succeed. "nest": further processes try from a mount namespace of their own.
 * "kill": the process that mounts is killed at any moment; then nothing may be wider than one of the two plans. Prints a
 * line of figures, and ends with 1 at the first violation.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "berm/berm.h"

enum {
	TREES = 7, /* the last one is the workspace */
	WORKSPACE = TREES - 1,
	RULES = 5,
	PATHS = TREES * 6 + 1,
	OPS = 3,
	THREADS = 2,
	BOARD_FD = 200,
	MAX_TEXT = 300,
	ROUNDS_PATIENCE_MS = 20000
};

/* ---- the board: shared with what runs inside --------------------------------------------------------------------- */

struct cell {
	_Atomic int64_t begun; /* of the last success */
	_Atomic uint64_t hits;
};
struct board {
	int threads;
	bool nest;
	atomic_uint rounds[2 * THREADS];
	char path[PATHS][MAX_TEXT];
	struct cell cells[PATHS][OPS];
};
static struct board *board;

static int64_t now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static _Noreturn void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* ---- inside ------------------------------------------------------------------------------------------------------ */

static const int flags_of[OPS] = {O_RDONLY, O_WRONLY, O_WRONLY | O_CREAT};

static void try(size_t path, size_t op)
{
	char name[MAX_TEXT + 8];
	int64_t begun = now_ns();
	(void)snprintf(name, sizeof name, "%s%s", board->path[path], op == 2 ? ".new" : "");
	int fd = open(name, flags_of[op] | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	struct cell *cell = &board->cells[path][op];
	int64_t last = atomic_load(&cell->begun);
	while (last < begun && !atomic_compare_exchange_weak(&cell->begun, &last, begun))
		continue;
	atomic_fetch_add(&cell->hits, 1);
	(void)close(fd);
}

static void *reader(void *arg)
{
	size_t number = (size_t)(uintptr_t)arg;
	for (;;) {
		for (size_t path = 0; path < PATHS; path++)
			for (size_t op = 0; op < OPS; op++)
				try(path, op);
		atomic_fetch_add(&board->rounds[number], 1);
	}
	return NULL;
}

static void start_readers(size_t first)
{
	for (size_t i = 0; i < THREADS; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, reader, (void *)(uintptr_t)(first + i)) != 0)
			die("no thread");
	}
}

static int agent(void)
{
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, BOARD_FD, 0);
	if (board == MAP_FAILED)
		die("inside: no board");
	if (board->nest && fork() == 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			die("inside: unshare: %s", strerror(errno));
		start_readers(THREADS);
		for (;;)
			(void)pause();
	}
	start_readers(0);
	for (;;)
		(void)pause();
}

/* ---- plans ------------------------------------------------------------------------------------------------------- */

enum { NONE = 0, READ, WRITE };
static const unsigned rights_of[] = {[READ] = BERM_READ, [WRITE] = BERM_READ | BERM_WRITE | BERM_DELETE};
static const char *const leaf[] = {"f", "secret", "x.key", "p.lock", "sub/f", "sub/secret"};

struct state {
	int level[TREES];
	int sub; /* of t0/sub */
	bool rule[RULES];
};

static struct {
	unsigned right;
	bool pattern;
	const char *path;
} const rules[RULES] = {
	{BERM_DENY, false, "t1/secret"}, {BERM_DENY, false, "t2/sub"},	    {BERM_DENY, false, "ws/secret"},
	{BERM_DENY, true, "**/x.key"},	 {BERM_PROTECT, true, "**/p.lock"},
};

static const char *base;
static enum berm_view view;
static enum berm_backend backend;
static bool nest;
static struct berm_facts *facts;
static struct berm_err err;

static void check(enum berm_code code, const char *what)
{
	if (code != BERM_OK)
		die("%s: %s", what, err.msg);
}

static const char *in_base(const char *name)
{
	static char text[4][MAX_TEXT];
	static size_t turn;
	turn = (turn + 1) % 4;
	(void)snprintf(text[turn], MAX_TEXT, "%s/%s", base, name);
	return text[turn];
}

static const char *tree_name(size_t tree)
{
	static const char *const names[TREES] = {"t0", "t1", "t2", "t3", "t4", "t5", "ws"};
	return names[tree];
}

static void add_rule(struct berm_caps *caps, unsigned right, const char *pattern)
{
	struct berm_rule rule = {.size = sizeof rule, .pattern = in_base(pattern), .right = right};
	check(berm_caps_rule(caps, &rule, &err), "rule");
}

static struct berm_plan *make_plan(const struct state *state)
{
	static const char *const system[] = {"/usr", "/bin", "/lib", "/lib64"};
	struct berm_caps *caps;
	struct berm_plan *plan;
	check(berm_caps_new(&caps, &err), "capabilities");
	for (size_t i = 0; i < sizeof system / sizeof system[0]; i++)
		check(berm_caps_path(caps, system[i], BERM_READ | BERM_EXEC, BERM_TREE, &err), "system");
	for (size_t i = 0; i < TREES; i++)
		if (state->level[i] != NONE)
			check(berm_caps_path(caps, in_base(tree_name(i)), rights_of[state->level[i]], BERM_TREE, &err),
			      "grant");
	check(berm_caps_path(caps, in_base("program"), BERM_READ | BERM_EXEC, BERM_FILE, &err), "program");
	if (state->sub != NONE)
		check(berm_caps_path(caps, in_base("t0/sub"), rights_of[state->sub], BERM_TREE, &err), "grant");
	add_rule(caps, BERM_PROTECT, "**/.git/hooks/**");
	for (size_t i = 0; i < RULES; i++) {
		if (!state->rule[i])
			continue;
		if (rules[i].pattern)
			add_rule(caps, rules[i].right, rules[i].path);
		else
			check(berm_caps_path(caps, in_base(rules[i].path), rules[i].right, BERM_FILE, &err), "deny");
	}
	check(berm_caps_scratch(caps, "/tmp", "TMPDIR", &err), "scratch");
	check(berm_caps_view(caps, view, &err), "view");
	check(berm_caps_backend(caps, backend, &err), "back-end");
	if (nest)
		check(berm_caps_allow(caps, BERM_EXTRA_USERNS, &err), "userns");
	check(berm_plan_make(caps, facts, &plan, &err), "plan");
	berm_caps_free(caps);
	return plan;
}

/* What the plan of a state says of one access. */
static bool allows(const struct state *state, size_t path, size_t op)
{
	size_t tree = path / 6, file = path % 6;
	if (path == PATHS - 1)
		return false;
	int level = state->level[tree];
	if (tree == 0 && file >= 4 && state->sub > level)
		level = state->sub;
	if (level < (op == 0 ? READ : WRITE))
		return false;
	/* ".new" is another name: the rules for one name do not hold for it. */
	bool named = op != 2;
	if (state->rule[0] && tree == 1 && file == 1 && named)
		return false;
	if (state->rule[1] && tree == 2 && file >= 4)
		return false;
	if (state->rule[2] && tree == WORKSPACE && file == 1 && named)
		return false;
	if (state->rule[3] && file == 2 && named)
		return false;
	return !(state->rule[4] && file == 3 && op == 1);
}

/* ---- what the reports said --------------------------------------------------------------------------------------- */

struct told {
	bool open[TREES + 1];  /* was taken away, but stays until the next run; the last is t0/sub */
	bool shut[TREES + 1];  /* was granted, but for the next run */
	bool open_rule[RULES]; /* came, but for the next run */
	bool shut_rule[RULES]; /* went, but for the next run */
};

static int grant_number(const char *line)
{
	const char *path = strstr(line, base);
	if (path == NULL)
		return -1;
	path += strlen(base) + 1;
	if (strcmp(path, "t0/sub") == 0)
		return TREES;
	for (int i = 0; i < TREES; i++)
		if (strcmp(path, tree_name((size_t)i)) == 0)
			return i;
	return -1;
}

static int rule_number(const char *line)
{
	const char *path = strstr(line, base);
	for (int i = 0; path != NULL && i < RULES; i++)
		if (strcmp(path + strlen(base) + 1, rules[i].path) == 0)
			return i;
	return -1;
}

static void take_change(struct told *told, const struct berm_change *change)
{
	bool later = change->when == BERM_WHEN_NEXT_RUN;
	bool narrowing_rule = strncmp(change->line, "deny ", 5) == 0 || strncmp(change->line, "protect ", 8) == 0;
	int number = narrowing_rule ? rule_number(change->line) : grant_number(change->line);
	if (number < 0)
		return;
	if (narrowing_rule && change->added) {
		told->open_rule[number] = later;
		told->shut_rule[number] = false;
	} else if (narrowing_rule) {
		told->shut_rule[number] = later;
		told->open_rule[number] = false;
	} else if (change->added) {
		told->shut[number] = later;
	} else {
		told->open[number] = later;
	}
}

static void take_report(const struct berm_sandbox *box, struct told *told)
{
	struct berm_change change;
	/* What comes back is not open any more for having been taken away. */
	for (size_t i = 0; berm_sandbox_change(box, i, &change); i++)
		if (change.added && grant_number(change.line) >= 0 && strncmp(change.line, "read", 4) == 0)
			told->shut[grant_number(change.line)] = false;
	for (size_t i = 0; berm_sandbox_change(box, i, &change); i++)
		take_change(told, &change);
}

static bool excused(const struct told *told, size_t path)
{
	size_t tree = path / 6, file = path % 6;
	if (path == PATHS - 1)
		return false;
	if (told->open[tree] || (tree == 0 && file >= 4 && told->open[TREES]))
		return true;
	return (told->open_rule[0] && tree == 1 && file == 1) || (told->open_rule[1] && tree == 2 && file >= 4) ||
	       (told->open_rule[2] && tree == WORKSPACE && file == 1) || (told->open_rule[3] && file == 2) ||
	       (told->open_rule[4] && file == 3);
}

static bool expected(const struct told *told, size_t path)
{
	size_t tree = path / 6, file = path % 6;
	if (told->shut[tree] || (tree == 0 && told->shut[TREES]))
		return false;
	return !((told->shut_rule[0] && tree == 1 && file == 1) || (told->shut_rule[1] && tree == 2 && file >= 4) ||
		 (told->shut_rule[2] && tree == WORKSPACE && file == 1) || (told->shut_rule[3] && file == 2) ||
		 (told->shut_rule[4] && file == 3));
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

static uint64_t seed;
static unsigned dice(unsigned sides)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % sides;
}

static void make_file(const char *name)
{
	int fd = open(in_base(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || close(fd) < 0)
		die("make '%s': %s", name, strerror(errno));
}

static void make_world(void)
{
	char name[MAX_TEXT];
	for (size_t i = 0; i < TREES; i++) {
		(void)snprintf(name, sizeof name, "%s/sub", tree_name(i));
		if ((mkdir(in_base(tree_name(i)), 0755) < 0 || mkdir(in_base(name), 0755) < 0) && errno != EEXIST)
			die("make '%s': %s", name, strerror(errno));
		for (size_t j = 0; j < 6; j++) {
			(void)snprintf(name, sizeof name, "%s/%s", tree_name(i), leaf[j]);
			make_file(name);
			(void)snprintf(board->path[i * 6 + j], MAX_TEXT, "%s", in_base(name));
		}
	}
	if (mkdir(in_base("never"), 0755) < 0 && errno != EEXIST)
		die("make 'never': %s", strerror(errno));
	make_file("never/f");
	(void)snprintf(board->path[PATHS - 1], MAX_TEXT, "%s", in_base("never/f"));
}

static void make_board(void)
{
	int fd = memfd_create("board", 0);
	if (fd < 0 || ftruncate(fd, sizeof *board) < 0 || dup2(fd, BOARD_FD) < 0)
		die("no board");
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, BOARD_FD, 0);
	if (board == MAP_FAILED)
		die("no board");
	(void)close(fd);
	board->nest = nest;
	board->threads = nest ? 2 * THREADS : THREADS;
}

static struct berm_sandbox *spawn(const struct berm_plan *plan)
{
	const char *const argv[] = {in_base("program"), "agent", NULL};
	const char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
	const int keep[] = {BOARD_FD};
	struct berm_sandbox *box;
	struct berm_command command = {.size = sizeof command,
				       .argv = argv,
				       .envp = envp,
				       .cwd = "/",
				       .stdio = {-1, 1, 2},
				       .keep_fds = keep,
				       .keep_count = 1,
				       .terminal = -1};
	check(berm_sandbox_spawn(plan, &command, &box, &err), "spawn");
	return box;
}

static void drain(struct berm_sandbox *box)
{
	static struct berm_request request;
	enum berm_code code;
	while ((code = berm_sandbox_next(box, 0, &request, &err)) == BERM_OK)
		continue;
	if (code != BERM_ERR_TIMEOUT)
		die("the sandbox has ended");
}

/* Until each thread has tried every path at least once since now. */
static void wait_rounds(struct berm_sandbox *box)
{
	unsigned from[2 * THREADS];
	int64_t end = now_ns() + (int64_t)ROUNDS_PATIENCE_MS * 1000000;
	for (int i = 0; i < board->threads; i++)
		from[i] = atomic_load(&board->rounds[i]);
	for (int i = 0; i < board->threads; i++)
		while (atomic_load(&board->rounds[i]) - from[i] < 2) {
			if (now_ns() > end)
				die("thread %d inside stands still", i);
			(void)usleep(300);
			drain(box);
		}
}

/* Since when each access has been denied; 0: it is not. */
static int64_t denied_since[PATHS][OPS];

static void deny_from(const struct state *state, const struct told *told, int64_t when)
{
	for (size_t path = 0; path < PATHS; path++)
		for (size_t op = 0; op < OPS; op++) {
			bool denied = !allows(state, path, op) && !excused(told, path);
			if (!denied)
				denied_since[path][op] = 0;
			else if (denied_since[path][op] == 0)
				denied_since[path][op] = when;
		}
}

static const char *const op_words[OPS] = {"read", "written", "created"};

static void look(const struct state *state, const struct told *told, int64_t when, int step, bool whole)
{
	for (size_t path = 0; path < PATHS; path++)
		for (size_t op = 0; op < OPS; op++) {
			int64_t begun = atomic_load(&board->cells[path][op].begun), since = denied_since[path][op];
			if (since != 0 && begun > since)
				die("update %d: '%s' was %s %lld us after it was denied", step, board->path[path],
				    op_words[op], (long long)(begun - since) / 1000);
			if (whole && allows(state, path, op) && expected(told, path) && begun <= when)
				die("update %d: '%s' is granted and cannot be %s", step, board->path[path],
				    op_words[op]);
		}
}

static void change_state(struct state *state)
{
	for (unsigned left = 1 + dice(3); left > 0; left--) {
		unsigned which = dice(TREES + 1 + RULES);
		if (which < TREES)
			state->level[which] = (int)dice(3);
		else if (which == TREES)
			state->sub = (int)dice(3);
		else
			state->rule[which - TREES - 1] ^= true;
	}
}

static int by_time(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
	return one < other ? -1 : one > other;
}

static void show_report(const struct berm_sandbox *box, int step)
{
	struct berm_change change;
	static const char *const words[] = {"next run", "new opens", "now"};
	for (size_t i = 0; berm_sandbox_change(box, i, &change); i++)
		(void)printf("%d: %c %s: %s %s\n", step, change.added ? '+' : '-', change.line, words[change.when],
			     change.note);
}

static const struct state first_state = {.level = {READ, WRITE, NONE, READ, NONE, NONE, WRITE},
					 .rule = {false, false, true, false, false}};

static void run_updates(int count)
{
	struct state state = first_state;
	struct told told = {0};
	struct berm_plan *plan = make_plan(&state);
	struct berm_sandbox *box = spawn(plan);
	int64_t *times = calloc((size_t)count + 1, sizeof *times);
	uint64_t later = 0, changes = 0;
	berm_plan_free(plan);
	int64_t when = now_ns();
	deny_from(&state, &told, 1);
	for (int step = 1; times != NULL && step <= count; step++) {
		wait_rounds(box);
		look(&state, &told, when, step - 1, true);
		change_state(&state);
		plan = make_plan(&state);
		int64_t begin = now_ns();
		check(berm_sandbox_update(box, plan, BERM_UPDATE_PARTIAL, &err), "update");
		when = now_ns();
		times[step - 1] = when - begin;
		berm_plan_free(plan);
		take_report(box, &told);
		deny_from(&state, &told, when);
		if (getenv("LIVE_SHOW") != NULL)
			show_report(box, step);
		struct berm_change change;
		for (size_t i = 0; berm_sandbox_change(box, i, &change); i++, changes++)
			later += change.when == BERM_WHEN_NEXT_RUN;
	}
	wait_rounds(box);
	look(&state, &told, when, count, true);
	if (times == NULL || berm_sandbox_generation(box) != (uint64_t)count + 1)
		die("generation %llu after %d updates", (unsigned long long)berm_sandbox_generation(box), count);
	qsort(times, (size_t)count, sizeof *times, by_time);
	(void)printf("%d updates, %llu lines (%llu next run), median %lld us, 99%% %lld us\n", count,
		     (unsigned long long)changes, (unsigned long long)later, (long long)times[count / 2] / 1000,
		     (long long)times[count * 99 / 100] / 1000);
	free(times);
	berm_sandbox_free(box);
}

/* ---- killing ----------------------------------------------------------------------------------------------------- */

static atomic_bool killing;
static atomic_int spared; /* the helper */

/* Any child but the helper, at a moment of its own choice. */
static void *killer(void *arg)
{
	(void)arg;
	for (;;) {
		char name[64];
		FILE *list = NULL;
		int pid;
		if (atomic_load(&killing) && snprintf(name, sizeof name, "/proc/self/task/%d/children", getpid()) > 0)
			list = fopen(name, "re");
		while (list != NULL && fscanf(list, "%d", &pid) == 1) {
			if (pid == atomic_load(&spared))
				continue;
			struct timespec nap = {.tv_nsec = (long)(now_ns() % 1500) * 1000};
			(void)nanosleep(&nap, NULL);
			(void)kill(pid, SIGKILL);
		}
		if (list != NULL)
			(void)fclose(list);
	}
	return NULL;
}

static int only_child(void)
{
	char name[64];
	int pid = 0;
	(void)snprintf(name, sizeof name, "/proc/self/task/%d/children", getpid());
	FILE *list = fopen(name, "re");
	if (list == NULL || fscanf(list, "%d", &pid) != 1)
		die("no child");
	(void)fclose(list);
	return pid;
}

/* Either plan may hold afterwards, and nothing beyond. */
static void kill_once(int number, int *ret_cut)
{
	struct state old = first_state, new = first_state;
	struct told told = {0};
	struct berm_plan *plan = make_plan(&old);
	struct berm_sandbox *box = spawn(plan);
	berm_plan_free(plan);
	atomic_store(&spared, only_child());
	wait_rounds(box);
	for (int i = 0; i < 4; i++)
		change_state(&new);
	plan = make_plan(&new);
	atomic_store(&killing, true);
	enum berm_code code = berm_sandbox_update(box, plan, BERM_UPDATE_PARTIAL, &err);
	int64_t when = now_ns();
	atomic_store(&killing, false);
	berm_plan_free(plan);
	take_report(box, &told);
	for (size_t path = 0; path < PATHS; path++)
		for (size_t op = 0; op < OPS; op++)
			denied_since[path][op] = !allows(&new, path, op) && !excused(&told, path) &&
								 (code == BERM_OK || !allows(&old, path, op))
							 ? when
							 : 0;
	wait_rounds(box);
	look(&new, &told, when, number, code == BERM_OK);
	*ret_cut += code != BERM_OK;
	berm_sandbox_free(box);
}

static void run_kills(int count)
{
	pthread_t thread;
	int cut = 0;
	if (pthread_create(&thread, NULL, killer, NULL) != 0)
		die("no thread");
	for (int i = 1; i <= count; i++)
		kill_once(i, &cut);
	(void)printf("%d updates, %d cut short\n", count, cut);
	if (cut == 0 && view == BERM_VIEW_HIDDEN)
		die("none was cut short");
}

/* The helper dies: the update says so, and nothing is left. */
static void run_helper_kills(int count)
{
	for (int i = 1; i <= count; i++) {
		struct state state = first_state;
		struct berm_plan *plan = make_plan(&state);
		struct berm_sandbox *box = spawn(plan);
		int helper = only_child();
		berm_plan_free(plan);
		change_state(&state);
		plan = make_plan(&state);
		pid_t killer_pid = fork();
		if (killer_pid == 0) {
			struct timespec nap = {.tv_nsec = (long)dice(1500) * 1000 * i / count};
			(void)nanosleep(&nap, NULL);
			(void)kill(helper, SIGKILL);
			_exit(0);
		}
		enum berm_code code = berm_sandbox_update(box, plan, BERM_UPDATE_PARTIAL, &err);
		(void)waitpid(killer_pid, NULL, 0);
		if (berm_sandbox_wait(box, NULL, &err) != BERM_OK)
			die("wait: %s", err.msg);
		if (berm_sandbox_update(box, plan, BERM_UPDATE_PARTIAL, &err) == BERM_OK)
			die("a sandbox that has ended was changed (before: %d)", code);
		berm_plan_free(plan);
		berm_sandbox_free(box);
	}
	(void)printf("%d helpers killed\n", count);
}

/* ---- two at once ------------------------------------------------------------------------------------------------- */

enum { PAIR_UPDATES = 100 };
struct pair {
	struct berm_sandbox *box;
	const struct berm_plan *plan;
	int done, busy, other;
};

/* An update is done or finds the other at work, and is tried again then. What else it says is told. */
static void *updater(void *arg)
{
	struct pair *pair = arg;
	const int64_t end = now_ns() + (int64_t)ROUNDS_PATIENCE_MS * 1000000;
	while (pair->done < PAIR_UPDATES && pair->other < 5 && now_ns() < end) {
		struct berm_err error = {0};
		enum berm_code code = berm_sandbox_update(pair->box, pair->plan, BERM_UPDATE_PARTIAL, &error);
		bool busy = code == BERM_ERR_TIMEOUT && strcmp(error.msg, "another update is under way") == 0;
		pair->done += code == BERM_OK;
		pair->busy += busy;
		pair->other += code != BERM_OK && !busy;
		if (code != BERM_OK && !busy)
			(void)fprintf(stderr, "%d done, %d busy, then code %d: %s\n", pair->done, pair->busy, (int)code,
				      error.msg);
		if (busy)
			(void)sched_yield();
	}
	return NULL;
}

/* How many found the other at work. */
static int run_pair(int round)
{
	struct state state = first_state, other = first_state;
	other.level[2] = WRITE;
	other.level[3] = NONE;
	struct berm_plan *plans[2] = {make_plan(&state), make_plan(&other)};
	struct berm_sandbox *box = spawn(plans[0]);
	struct pair pairs[2] = {{.box = box, .plan = plans[0]}, {.box = box, .plan = plans[1]}};
	pthread_t threads[2];
	for (size_t i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, updater, &pairs[i]) != 0)
			die("no thread");
	for (size_t i = 0; i < 2; i++)
		(void)pthread_join(threads[i], NULL);
	int done = pairs[0].done + pairs[1].done, busy = pairs[0].busy + pairs[1].busy;
	int unexpected = pairs[0].other + pairs[1].other;
	unsigned long long generation = berm_sandbox_generation(box);
	if (unexpected > 0 || done != 2 * PAIR_UPDATES || generation != (unsigned long long)done + 1)
		die("round %d: %d done, %d busy, %d neither, generation %llu", round, done, busy, unexpected,
		    generation);
	for (size_t i = 0; i < 2; i++)
		berm_plan_free(plans[i]);
	berm_sandbox_free(box);
	return busy;
}

static void run_pairs(int count)
{
	int busy = 0;
	for (int i = 1; i <= count; i++)
		busy += run_pair(i);
	(void)printf("%d updates of two threads, %d found the other at work\n", 2 * PAIR_UPDATES * count, busy);
	if (busy == 0)
		die("none found the other at work");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "agent") == 0)
		return agent();
	if (argc < 5)
		die("usage: live BASE hidden|visible|landlock COUNT SEED [nest|kill|helper|pair]");
	const char *mode = argc > 5 ? argv[5] : "";
	base = argv[1];
	view = strcmp(argv[2], "hidden") == 0 ? BERM_VIEW_HIDDEN : BERM_VIEW_VISIBLE;
	backend = strcmp(argv[2], "landlock") == 0 ? BERM_BACKEND_LANDLOCK : BERM_BACKEND_NAMESPACES;
	nest = strcmp(mode, "nest") == 0;
	seed = strtoull(argv[4], NULL, 10);
	int count = atoi(argv[3]);
	check(berm_facts_probe(&facts, &err), "facts");
	make_board();
	make_world();
	if (strcmp(mode, "kill") == 0)
		run_kills(count);
	else if (strcmp(mode, "helper") == 0)
		run_helper_kills(count);
	else if (strcmp(mode, "pair") == 0)
		run_pairs(count);
	else
		run_updates(count);
	berm_facts_free(facts);
	return 0;
}
