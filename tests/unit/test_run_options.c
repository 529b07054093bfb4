#include "check.h"

#include <string.h>

#include "cli/commands.h"
#include "cli/run_options.h"

struct result {
	struct run_choices choices;
	struct options options;
	struct option_hint hint;
	struct berm_err err;
	enum berm_code code;
};

static void result_done(struct result *result)
{
	run_options_done(&result->choices);
	options_done(&result->options);
}
#define auto_result __attribute__((cleanup(result_done)))
#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static void apply(struct result *result, const char *const *argv)
{
	*result = (struct result){0};
	assert_int_equal(
		options_parse(&run_option_set, argv, &result->choices, &result->options, &result->hint, &result->err),
		BERM_OK);
	result->code = run_options_apply(&result->options, &result->choices, &result->hint, &result->err);
}

static void fails(const char *option, const char *message, const char *try)
{
	auto_result struct result result;
	apply(&result, ARGV(option));
	assert_int_not_equal(result.code, BERM_OK);
	assert_string_equal(result.err.msg, message);
	assert_string_equal(result.hint.text, try);
}

static void test_paths_keep_their_order_and_kind(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("-r", "/a", "--deny=**/.env", "-w", "b", "--protect", "c", "-x", "d"));
	assert_int_equal(result.code, BERM_OK);
	const struct policy_input *policy = &result.choices.request.policy;
	static const struct policy_flag expected[] = {
		{POLICY_READ, "/a"},   {POLICY_DENY, "**/.env"}, {POLICY_WRITE, "b"},
		{POLICY_PROTECT, "c"}, {POLICY_EXEC, "d"},
	};
	assert_int_equal(policy->flag_count, 5);
	for (size_t i = 0; i < policy->flag_count; i++) {
		assert_int_equal(policy->flags[i].grant, expected[i].grant);
		assert_string_equal(policy->flags[i].path, expected[i].path);
	}
}

static void test_nothing_given_is_the_default(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("true"));
	const struct policy_input *policy = &result.choices.request.policy;
	assert_int_equal(result.code, BERM_OK);
	assert_int_equal(policy->network, BERM_NET_NONE);
	assert_int_equal(policy->view, BERM_VIEW_AUTO);
	assert_int_equal(policy->backend, BERM_BACKEND_ANY);
	assert_int_equal(policy->flag_count + policy->socket_count + policy->env_count, 0);
	for (int i = 0; i < BERM_LIMIT_COUNT; i++)
		assert_int_equal(policy->limit[i], 0);
	for (int i = 0; i < BERM_EXTRA_COUNT; i++)
		assert_false(policy->extra[i]);
}

static void test_words_are_values_of_their_enums(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result,
	      ARGV("-n", "host", "--view=visible", "--backend=landlock", "--allow=memfd-exec", "--allow=host-tmp"));
	const struct policy_input *policy = &result.choices.request.policy;
	assert_int_equal(result.code, BERM_OK);
	assert_int_equal(policy->network, BERM_NET_HOST);
	assert_int_equal(policy->view, BERM_VIEW_VISIBLE);
	assert_int_equal(policy->backend, BERM_BACKEND_LANDLOCK);
	assert_true(policy->extra[BERM_EXTRA_MEMFD_EXEC] && policy->extra[BERM_EXTRA_HOST_TMP]);
	assert_false(policy->extra[BERM_EXTRA_PTRACE] || policy->extra[BERM_EXTRA_SIGNALS]);
}

static void test_limits(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("--limit=memory=2GiB", "--limit=processes=64", "--limit=cpu=1500ms", "--limit=files=100",
			    "--limit=file-size=1K", "--limit=wall=1h", "--timeout=90s"));
	const uint64_t *limit = result.choices.request.policy.limit;
	assert_int_equal(result.code, BERM_OK);
	assert_int_equal(limit[BERM_LIMIT_MEMORY], 2ULL << 30);
	assert_int_equal(limit[BERM_LIMIT_PROCESSES], 64);
	assert_int_equal(limit[BERM_LIMIT_CPU_S], 2); /* rounded up: never 0 */
	assert_int_equal(limit[BERM_LIMIT_OPEN_FILES], 100);
	assert_int_equal(limit[BERM_LIMIT_FILE_SIZE], 1024);
	assert_int_equal(limit[BERM_LIMIT_WALL_MS], 90000); /* the last one counts */
}

static void test_limits_that_cannot_be(void **state)
{
	(void)state;
	fails("--limit=memory=0", "a limit of 0: '--limit=memory=0'", "");
	fails("--limit=memory=lots", "not a size: 'lots'", "");
	fails("--limit=wall=", "not a duration: ''", "");
	fails("--limit=memroy=1", "unknown value 'memroy=' for '--limit'", "--limit=memory=");
	fails("--limit=memory", "unknown value 'memory=' for '--limit'", "--limit=memory=");
	fails("--limit=", "unknown value '=' for '--limit'", "--limit=KEY=VALUE");
	fails("--timeout=0", "a limit of 0: '--timeout=0'", "");
	fails("--timeout=-5", "not a duration: '-5'", "");
	fails("--limit=processes=99999999999", "number '99999999999' is larger than 4294967295", "");
}

static void test_words_that_cannot_be(void **state)
{
	(void)state;
	fails("--net=filtered", "no filtered network in this version", "--net=none or --net=host");
	fails("--net=hots", "unknown value 'hots' for '--net'", "--net=host");
	fails("--allow=ptarce", "unknown value 'ptarce' for '--allow'", "--allow=ptrace");
	fails("--view=x", "unknown value 'x' for '--view'", "--view=visible|hidden|auto");
	fails("--backend=", "unknown value '' for '--backend'", "--backend=namespaces|landlock|any");
	fails("--read=", "empty path for '--read'", "");
	fails("--socket=", "empty path for '--socket'", "");
	fails("--env==x", "no variable named in '--env==x'", "");
	fails("--name=../x", "not a session name: '../x'", "");
	fails("--name=", "not a session name: ''", "");
}

static void test_environment_and_sockets(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("-e", "TERM", "-eA=b=c", "--socket", "/run/x.sock", "--name=quiet-1"));
	const struct policy_input *policy = &result.choices.request.policy;
	assert_int_equal(result.code, BERM_OK);
	assert_int_equal(policy->env_count, 2);
	assert_string_equal(policy->env[0], "TERM");
	assert_string_equal(policy->env[1], "A=b=c");
	assert_int_equal(policy->socket_count, 1);
	assert_string_equal(policy->sockets[0], "/run/x.sock");
	assert_string_equal(result.choices.request.name, "quiet-1");
}

static void test_every_row_is_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < command_count; i++) {
		const struct option_set *set = commands[i].options;
		for (size_t j = 0; j < set->count; j++) {
			const struct option_row *row = &set->rows[j];
			assert_non_null(row->name);
			assert_non_null(row->help);
			assert_true(row->help[strlen(row->help) - 1] != '.');
			bool takes = row->kind == OPTION_TEXT || row->kind == OPTION_USE;
			assert_int_equal(takes, row->argument != NULL);
			assert_int_equal(row->kind == OPTION_USE, row->line != NULL);
			for (size_t k = 0; k < j; k++) {
				assert_string_not_equal(row->name, set->rows[k].name);
				assert_true(row->letter == '\0' || row->letter != set->rows[k].letter);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_keep_their_order_and_kind),
		cmocka_unit_test(test_nothing_given_is_the_default),
		cmocka_unit_test(test_words_are_values_of_their_enums),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limits_that_cannot_be),
		cmocka_unit_test(test_words_that_cannot_be),
		cmocka_unit_test(test_environment_and_sockets),
		cmocka_unit_test(test_every_row_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
