#include "check.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"

static void drop(struct secret **secret)
{
	secret_free(*secret);
}
#define auto_secret __attribute__((cleanup(drop)))

static struct span bytes_of(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

static void test_holds_a_copy(void **state)
{
	(void)state;
	char text[] = "sk-1234";
	auto_secret struct secret *secret = NULL;
	assert_int_equal(secret_new(bytes_of(text), &secret, NULL), BERM_OK);
	secret_wipe(text, sizeof(text));
	assert_int_equal(text[0], 0);
	assert_int_equal(text[6], 0);
	assert_int_equal(secret_len(secret), 7);
	assert_memory_equal(secret_expose(secret).ptr, "sk-1234", 7);
}

static void test_equality(void **state)
{
	(void)state;
	auto_secret struct secret *secret = NULL;
	assert_int_equal(secret_new(bytes_of("abc"), &secret, NULL), BERM_OK);
	assert_true(secret_equal(secret, bytes_of("abc")));
	assert_false(secret_equal(secret, bytes_of("abd")));
	assert_false(secret_equal(secret, bytes_of("bbc")));
	assert_false(secret_equal(secret, bytes_of("ab")));
	assert_false(secret_equal(secret, bytes_of("abcd")));
	assert_false(secret_equal(secret, (struct span){NULL, 0}));
}

static void test_size_limits(void **state)
{
	(void)state;
	static const uint8_t zeros[SECRET_MAX_BYTES + 1];
	auto_secret struct secret *secret = NULL;
	assert_int_equal(secret_new((struct span){zeros, 0}, &secret, NULL), BERM_ERR_INVALID);
	assert_int_equal(secret_new((struct span){zeros, sizeof(zeros)}, &secret, NULL), BERM_ERR_LIMIT);
	assert_null(secret);
	assert_int_equal(secret_new((struct span){zeros, SECRET_MAX_BYTES}, &secret, NULL), BERM_OK);
}

static void test_random_differs(void **state)
{
	(void)state;
	auto_secret struct secret *one = NULL;
	auto_secret struct secret *two = NULL;
	assert_int_equal(secret_random(32, &one, NULL), BERM_OK);
	assert_int_equal(secret_random(32, &two, NULL), BERM_OK);
	assert_false(secret_equal(one, secret_expose(two)));
	assert_true(secret_equal(one, secret_expose(one)));
}

#if !UNDER_SANITIZER
/* The flags of the mapping that holds an address, as /proc/self/smaps writes them. */
static bool find_flags(const void *address, char *ret_flags, int size)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	if (maps == NULL)
		return false;
	char line[512];
	bool inside = false, found = false;
	while (!found && fgets(line, sizeof(line), maps) != NULL) {
		unsigned long begin, end;
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			inside = (unsigned long)address >= begin && (unsigned long)address < end;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = snprintf(ret_flags, (size_t)size, "%s", line + 8) > 0;
	}
	(void)fclose(maps);
	return found;
}

static void test_memory_is_locked_and_not_dumped(void **state)
{
	(void)state;
	auto_secret struct secret *secret = NULL;
	assert_int_equal(secret_random(16, &secret, NULL), BERM_OK);
	char flags[200];
	assert_true(find_flags(secret_expose(secret).ptr, flags, sizeof(flags)));
	assert_non_null(strstr(flags, " lo"));
	assert_non_null(strstr(flags, " dd"));
	static const char plain[] = "x";
	assert_true(find_flags(plain, flags, sizeof(flags)));
	assert_null(strstr(flags, " lo"));
}

static void test_memory_that_cannot_be_locked_is_an_error(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit none = {0, 0};
		struct secret *secret = NULL;
		/* Root may lock what it likes. */
		if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0))
			_exit(2);
		_exit(secret_random(16, &secret, NULL) == BERM_ERR_SYS && secret == NULL ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds_a_copy),
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_size_limits),
		cmocka_unit_test(test_random_differs),
#if !UNDER_SANITIZER
		cmocka_unit_test(test_memory_is_locked_and_not_dumped),
		cmocka_unit_test(test_memory_that_cannot_be_locked_is_an_error),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
