/*
 * Allocation torture: a unit test program linked with this file instead of cmocka runs each of its tests again and again,
 * with the first, the second, the third ... allocation inside the code under test failing, until none is left to fail.
 *
 * A test whose assertion fails in such a run is not to blame; it just ends there. Its stack is unwound, so that what
 * it holds in auto_ variables is released, and then these must hold:
 *   - nothing crashed (the program is built with ASan and UBSan);
 *   - a test that ran to its end left nothing allocated but what globals point to;
 *   - when a test ended early, everything allocated could be reached from its variables, globals, or other blocks.
 *
 * The objects of src/ are compiled with -finstrument-functions: so we know when the program is inside of them.
 * Allocations of the test itself never fail. A test that skips itself is well: the unit suite counts its skips.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

#define MAX_RUNS 600	     /* of one test; a test with more allocations is sampled */
#define BUDGET_MS 8000	     /* for the runs of one test, all in all; the same */
#define MIN_RUNS 10	     /* though they may take longer */
#define RUN_SECONDS 20	     /* one run; more is a hang */
#define TABLE_SIZE (1 << 18) /* live blocks; a power of two */

struct block {
	void *pointer; /* NULL: free; GONE: was taken */
	size_t size;
	void *caller;
	bool listed, reachable;
};
#define GONE ((void *)(uintptr_t)1)

/* Shared with children that a test forks, so that an allocation which fails in one of them is known here. */
struct progress {
	unsigned long allocations; /* inside the code under test, in this run */
	unsigned long fail_at;	   /* 0: never */
	bool injected;
};

static struct progress *progress;
static struct block *blocks; /* TABLE_SIZE, mapped: globals must not point to what is looked for */
static struct block **used;  /* the slots of blocks that this run has touched */
static size_t used_count, leaks;
static int depth; /* of calls into the code under test */
static bool tracking;
static const char *current_test = "";
static pid_t runner_pid;
static jmp_buf runner;
static uintptr_t runner_frame;

#define PLAIN __attribute__((no_instrument_function, no_sanitize("address", "undefined")))

/* ---- inside or outside of the code under test ------------------------------------------------------------------ */

void __cyg_profile_func_enter(void *function, void *caller);
void __cyg_profile_func_exit(void *function, void *caller);

PLAIN void __cyg_profile_func_enter(void *function, void *caller)
{
	(void)function;
	(void)caller;
	depth++;
}

PLAIN void __cyg_profile_func_exit(void *function, void *caller)
{
	(void)function;
	(void)caller;
	depth--;
}

/* ---- blocks ---------------------------------------------------------------------------------------------------- */

static size_t slot_of(const void *pointer)
{
	return (size_t)(((uintptr_t)pointer >> 4) * 0x9e3779b97f4a7c15U >> 32) % TABLE_SIZE;
}

static void track(void *pointer, size_t size, void *caller)
{
	if (!tracking || pointer == NULL)
		return;
	size_t at = slot_of(pointer);
	for (size_t i = 0; i < TABLE_SIZE; i++, at = (at + 1) % TABLE_SIZE) {
		if (blocks[at].pointer == NULL || blocks[at].pointer == GONE) {
			if (!blocks[at].listed)
				used[used_count++] = &blocks[at];
			blocks[at] = (struct block){pointer, size, caller, true, false};
			return;
		}
	}
}

static void untrack(const void *pointer)
{
	if (!tracking || pointer == NULL)
		return;
	size_t at = slot_of(pointer);
	for (size_t i = 0; i < TABLE_SIZE && blocks[at].pointer != NULL; i++, at = (at + 1) % TABLE_SIZE) {
		if (blocks[at].pointer == pointer) {
			blocks[at].pointer = GONE;
			return;
		}
	}
}

static void forget_blocks(void)
{
	for (size_t i = 0; i < used_count; i++)
		*used[i] = (struct block){0};
	used_count = 0;
}

static bool must_fail(void)
{
	if (!tracking || depth == 0 || ++progress->allocations != progress->fail_at)
		return false;
	progress->injected = true;
	errno = ENOMEM;
	return true;
}

/* ---- allocators (-Wl,--wrap) ----------------------------------------------------------------------------------- */

#define HERE __builtin_return_address(0)

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
void *__real_reallocarray(void *pointer, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
int __real_vasprintf(char **ret_text, const char *format, va_list args);
void __real_free(void *pointer);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__real_fdopen(int fd, const char *mode);
FILE *__real_open_memstream(char **ret_text, size_t *ret_len);
DIR *__real_opendir(const char *path);
DIR *__real_fdopendir(int fd);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_reallocarray(void *pointer, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_vasprintf(char **ret_text, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
int __wrap_asprintf(char **ret_text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __wrap_free(void *pointer);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fdopen(int fd, const char *mode);
FILE *__wrap_open_memstream(char **ret_text, size_t *ret_len);
DIR *__wrap_opendir(const char *path);
DIR *__wrap_fdopendir(int fd);

void *__wrap_malloc(size_t size)
{
	if (must_fail())
		return NULL;
	void *pointer = __real_malloc(size);
	track(pointer, size, HERE);
	return pointer;
}

void *__wrap_calloc(size_t count, size_t size)
{
	if (must_fail())
		return NULL;
	void *pointer = __real_calloc(count, size);
	track(pointer, count * size, HERE);
	return pointer;
}

void *__wrap_realloc(void *pointer, size_t size)
{
	if (must_fail())
		return NULL;
	untrack(pointer);
	void *moved = __real_realloc(pointer, size);
	track(moved, size, HERE);
	return moved;
}

void *__wrap_reallocarray(void *pointer, size_t count, size_t size)
{
	if (must_fail())
		return NULL;
	untrack(pointer);
	void *moved = __real_reallocarray(pointer, count, size);
	track(moved, count * size, HERE);
	return moved;
}

char *__wrap_strdup(const char *text)
{
	if (must_fail())
		return NULL;
	char *copy = __real_strdup(text);
	track(copy, strlen(text) + 1, HERE);
	return copy;
}

char *__wrap_strndup(const char *text, size_t len)
{
	if (must_fail())
		return NULL;
	char *copy = __real_strndup(text, len);
	track(copy, len + 1, HERE);
	return copy;
}

int __wrap_vasprintf(char **ret_text, const char *format, va_list args)
{
	if (must_fail())
		return -1;
	int len = __real_vasprintf(ret_text, format, args);
	if (len >= 0)
		track(*ret_text, (size_t)len + 1, HERE);
	return len;
}

int __wrap_asprintf(char **ret_text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = __wrap_vasprintf(ret_text, format, args);
	va_end(args);
	return len;
}

void __wrap_free(void *pointer)
{
	untrack(pointer);
	__real_free(pointer);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	return must_fail() ? NULL : __real_fopen(path, mode);
}

FILE *__wrap_fdopen(int fd, const char *mode)
{
	return must_fail() ? NULL : __real_fdopen(fd, mode);
}

FILE *__wrap_open_memstream(char **ret_text, size_t *ret_len)
{
	return must_fail() ? NULL : __real_open_memstream(ret_text, ret_len);
}

DIR *__wrap_opendir(const char *path)
{
	return must_fail() ? NULL : __real_opendir(path);
}

DIR *__wrap_fdopendir(int fd)
{
	return must_fail() ? NULL : __real_fdopendir(fd);
}

/* ---- leaks ----------------------------------------------------------------------------------------------------- */

extern char __data_start[], _end[]; /* the globals of the program (end(3)) */

void __asan_handle_no_return(void);
void __sanitizer_set_death_callback(void (*callback)(void));
void __sanitizer_symbolize_pc(void *pc, const char *format, char *ret_text, size_t size);
const char *__asan_default_options(void);

static int compare_blocks(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)(*(struct block *const *)a)->pointer,
		  y = (uintptr_t)(*(struct block *const *)b)->pointer;
	return x < y ? -1 : x > y;
}

/* The live blocks, by address, at the front of used; those that are gone are forgotten. */
static size_t sort_blocks(void)
{
	size_t count = 0;
	for (size_t i = 0; i < used_count; i++) {
		if (used[i]->pointer == NULL || used[i]->pointer == GONE)
			*used[i] = (struct block){0};
		else
			used[count++] = used[i];
	}
	used_count = count;
	qsort(used, count, sizeof(struct block *), compare_blocks);
	return count;
}

/* The block that an address lies in; a block of no bytes has its own address. */
static struct block *block_of(uintptr_t address)
{
	size_t low = 0, high = used_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if ((uintptr_t)used[middle]->pointer <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	struct block *block = used[low - 1];
	uintptr_t offset = address - (uintptr_t)block->pointer;
	return offset < block->size || offset == 0 ? block : NULL;
}

/* Marks the blocks that words between two addresses point to, and appends them to the list of those to be looked into. */
PLAIN static void mark_range(uintptr_t begin, uintptr_t end, struct block **list, size_t *list_count)
{
	begin = (begin + sizeof(uintptr_t) - 1) & ~(uintptr_t)(sizeof(uintptr_t) - 1);
	for (; begin + sizeof(uintptr_t) <= end; begin += sizeof(uintptr_t)) {
		struct block *block = block_of(*(const uintptr_t *)begin);
		if (block == NULL || block->reachable)
			continue;
		block->reachable = true;
		list[(*list_count)++] = block;
	}
}

static void tell_leak(const struct block *block)
{
	char place[256];
	__sanitizer_symbolize_pc(block->caller, "%F %S", place, sizeof(place));
	(void)fprintf(stderr, "leak of %zu bytes, allocated %s\n", block->size, place);
}

/* Counts the blocks that neither the stack from here to the runner, nor globals, nor other such blocks point to. */
static void find_leaks(uintptr_t stack)
{
	size_t count = sort_blocks(), list_count = 0;
	if (count == 0)
		return;
	struct block **list = __real_calloc(count, sizeof(struct block *));
	if (list == NULL)
		abort();
	mark_range(stack, runner_frame, list, &list_count);
	mark_range((uintptr_t)__data_start, (uintptr_t)_end, list, &list_count);
	for (size_t i = 0; i < list_count; i++) {
		uintptr_t begin = (uintptr_t)list[i]->pointer;
		mark_range(begin, begin + list[i]->size, list, &list_count);
	}
	__real_free(list);
	for (size_t i = 0; i < count; i++) {
		if (!used[i]->reachable && ++leaks <= 3)
			tell_leak(used[i]);
	}
}

/* ---- ending a test early --------------------------------------------------------------------------------------- */

/* Leaks are found here, not at exit: tests that end early may leave some. */
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "detect_leaks=0:allocator_may_return_null=1";
}

static _Unwind_Reason_Code stop_at_runner(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
					  struct _Unwind_Exception *exception, struct _Unwind_Context *context,
					  void *argument)
{
	(void)version;
	(void)class;
	(void)exception;
	(void)argument;
	if ((actions & _UA_END_OF_STACK) != 0 || _Unwind_GetCFA(context) > runner_frame)
		longjmp(runner, 1);
	return _URC_NO_REASON;
}

enum outcome { RAN_THROUGH = 0, ENDED_EARLY = 1, SKIPPED = 2 };
static enum outcome early_outcome;

__attribute__((noreturn)) static void end_test(enum outcome outcome)
{
	static struct _Unwind_Exception exception;
	if (getpid() != runner_pid)
		_exit(99);
	early_outcome = outcome;
	/* What the test holds in registers comes to the stack, in front of which nothing of the test's is. */
	__builtin_unwind_init();
	if (outcome == ENDED_EARLY)
		find_leaks((uintptr_t)__builtin_frame_address(0) - sizeof(jmp_buf));
	memset(&exception, 0, sizeof(exception));
	__asan_handle_no_return();
	(void)_Unwind_ForcedUnwind(&exception, stop_at_runner, NULL);
	abort();
}

static void end_early(const char *file, int line)
{
	if (!progress->injected)
		(void)fprintf(stderr, "%s:%d: assertion failed in %s without a failing allocation\n", file, line,
			      current_test);
	end_test(ENDED_EARLY);
}

static void tell_where(void)
{
	(void)fprintf(stderr, "---- in %s, with allocation %lu failing\n", current_test, progress->fail_at);
}

static void tell_hang(int number)
{
	(void)number;
	tell_where();
	(void)fprintf(stderr, "---- no end after %d s\n", RUN_SECONDS);
	_exit(1);
}

/* ---- what cmocka's macros call --------------------------------------------------------------------------------- */

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			end_early(file, line);                                                                         \
	} while (0)

void _assert_true(const LargestIntegralType result, const char *const expression, const char *const file,
		  const int line)
{
	(void)expression;
	CHECK(result);
}

void _assert_return_code(const LargestIntegralType result, size_t rlen, const LargestIntegralType error,
			 const char *const expression, const char *const file, const int line)
{
	(void)expression;
	(void)error;
	CHECK(rlen == sizeof(int) ? (int)result >= 0 : (intmax_t)result >= 0);
}

void _assert_int_equal(const LargestIntegralType a, const LargestIntegralType b, const char *const file, const int line)
{
	CHECK(a == b);
}

void _assert_int_not_equal(const LargestIntegralType a, const LargestIntegralType b, const char *const file,
			   const int line)
{
	CHECK(a != b);
}

void _assert_string_equal(const char *const a, const char *const b, const char *const file, const int line)
{
	CHECK(a != NULL && b != NULL && strcmp(a, b) == 0);
}

void _assert_string_not_equal(const char *const a, const char *const b, const char *file, const int line)
{
	CHECK(a != NULL && b != NULL && strcmp(a, b) != 0);
}

void _assert_memory_equal(const void *const a, const void *const b, const size_t size, const char *const file,
			  const int line)
{
	CHECK(size == 0 || (a != NULL && b != NULL && memcmp(a, b, size) == 0));
}

void _assert_memory_not_equal(const void *const a, const void *const b, const size_t size, const char *const file,
			      const int line)
{
	CHECK(size > 0 && a != NULL && b != NULL && memcmp(a, b, size) != 0);
}

void _assert_in_range(const LargestIntegralType value, const LargestIntegralType minimum,
		      const LargestIntegralType maximum, const char *const file, const int line)
{
	CHECK(value >= minimum && value <= maximum);
}

void _assert_not_in_range(const LargestIntegralType value, const LargestIntegralType minimum,
			  const LargestIntegralType maximum, const char *const file, const int line)
{
	CHECK(value < minimum || value > maximum);
}

void _fail(const char *const file, const int line)
{
	end_early(file, line);
}

void _skip(const char *const file, const int line)
{
	(void)file;
	(void)line;
	end_test(SKIPPED);
}

/* Of failures that are expected, nobody wants to read. */
void print_error(const char *const format, ...)
{
	if (progress->injected)
		return;
	va_list args;
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
}

void print_message(const char *const format, ...)
{
	(void)format;
}

/* ---- running --------------------------------------------------------------------------------------------------- */

static enum outcome call_test(const struct CMUnitTest *test, void **state)
{
	runner_frame = (uintptr_t)__builtin_frame_address(0);
	if (setjmp(runner) != 0)
		return early_outcome;
	test->test_func(state);
	return RAN_THROUGH;
}

/* One run with allocation fail_at failing. False: something is wrong. */
static bool run_once(const struct CMUnitTest *test, void *group_state, unsigned long fail_at, enum outcome *ret_outcome)
{
	void *state = test->initial_state != NULL ? test->initial_state : group_state;
	if (test->setup_func != NULL && test->setup_func(&state) != 0)
		return false;
	forget_blocks();
	*progress = (struct progress){.fail_at = fail_at};
	depth = 0;
	leaks = 0;
	tracking = true;
	(void)alarm(RUN_SECONDS);
	enum outcome outcome = call_test(test, &state);
	(void)alarm(0);
	tracking = false;
	if (outcome == RAN_THROUGH)
		find_leaks(runner_frame); /* the test's stack is gone */
	bool good = leaks == 0 && (outcome != ENDED_EARLY || progress->injected);
	if (test->teardown_func != NULL && test->teardown_func(&state) != 0 && !progress->injected) {
		(void)fprintf(stderr, "---- the teardown failed\n");
		good = false;
	}
	if (!good)
		tell_where();
	*ret_outcome = outcome;
	return good;
}

static unsigned long now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

/* The distance between the allocations that fail, so that a test which needs count of them and ms for a run keeps to its
 * budget. */
static unsigned long stride_for(unsigned long count, unsigned long ms)
{
	unsigned long runs = BUDGET_MS / (ms > 0 ? ms : 1);
	if (runs > MAX_RUNS)
		runs = MAX_RUNS;
	if (runs < MIN_RUNS)
		runs = MIN_RUNS;
	return count > runs ? (count + runs - 1) / runs : 1;
}

/* One run in which nothing fails, to see what there is to fail, and then one for each allocation. */
static bool torture_test(const struct CMUnitTest *test, void *group_state, unsigned long *ret_runs)
{
	enum outcome outcome;
	unsigned long begin_ms = now_ms();
	if (!run_once(test, group_state, 0, &outcome))
		return false;
	*ret_runs += 1;
	unsigned long count = progress->allocations;
	unsigned long stride = stride_for(count, now_ms() - begin_ms);
	for (unsigned long fail_at = 1; fail_at <= count; fail_at += stride) {
		if (!run_once(test, group_state, fail_at, &outcome))
			return false;
		*ret_runs += 1;
	}
	return true;
}

int _cmocka_run_group_tests(const char *group_name, const struct CMUnitTest *const tests, const size_t num_tests,
			    CMFixtureFunction group_setup, CMFixtureFunction group_teardown)
{
	(void)group_name;
	size_t failed = 0;
	unsigned long runs = 0;
	void *state = NULL;
	runner_pid = getpid();
	progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	blocks = mmap(NULL, TABLE_SIZE * sizeof(*blocks), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	used = mmap(NULL, TABLE_SIZE * sizeof(*used), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (progress == MAP_FAILED || blocks == MAP_FAILED || used == MAP_FAILED || setenv("BERM_TORTURE", "1", 1) != 0)
		return 1;
	__sanitizer_set_death_callback(tell_where);
	(void)signal(SIGALRM, tell_hang);
	if (group_setup != NULL && group_setup(&state) != 0)
		return 1;
	for (size_t i = 0; i < num_tests; i++) {
		current_test = tests[i].name;
		bool good = torture_test(&tests[i], state, &runs);
		(void)printf("%s %s\n", good ? "[       OK ]" : "[ NOT OK   ]", tests[i].name);
		(void)fflush(stdout);
		failed += !good;
	}
	if (group_teardown != NULL && group_teardown(&state) != 0)
		failed++;
	(void)printf("%lu runs\n", runs);
	if (failed > 0)
		(void)printf("[  FAILED  ] %zu test(s), listed below:\n", failed);
	return failed > 0 ? 1 : 0;
}
