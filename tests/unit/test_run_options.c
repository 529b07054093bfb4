#include "check.h"

#include <string.h>

#include "base/own.h"
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

struct expected_line {
	enum policy_key key;
	const char *text;
};

static void must_be_lines(const struct result *result, const struct expected_line *expected, size_t count)
{
	const struct policy_doc *flags = result->choices.request.flags;
	if (result->code != BERM_OK)
		fail_msg("%s", result->err.msg);
	assert_non_null(flags);
	assert_int_equal(flags->kind, POLICY_DOC_FLAGS);
	assert_string_equal(flags->file, "command line");
	assert_int_equal(flags->line_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(flags->lines[i].key, expected[i].key);
		assert_string_equal(flags->lines[i].text, expected[i].text);
	}
}
#define MUST_BE(result, ...)                                                                                           \
	must_be_lines(&(result), (const struct expected_line[]){__VA_ARGS__},                                          \
		      ARRAY_LEN(((const struct expected_line[]){__VA_ARGS__})))

static void test_paths_keep_their_order_and_kind(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("-r", "/a", "--deny=**/.env", "-w", "b", "--protect", "c", "-x", "d"));
	MUST_BE(result, {KEY_READ, "/a"}, {KEY_DENY, "**/.env"}, {KEY_WRITE, "./b"}, {KEY_PROTECT, "./c"},
		{KEY_EXEC, "./d"});
	assert_int_equal(result.choices.flags.lines[2].line, 3); /* the third option */
}

/* A path of a grant is what it says; a pattern of a denial is one; neither has a variable or another's home. */
static void test_paths_are_taken_by_their_letters(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("-r", "a[1]*", "-w", "/b{c}", "--deny=*.pem", "-r", "~/x", "--deny", "$HOME", "-r", "**/x",
			    "--socket", "/run/x?"));
	MUST_BE(result, {KEY_READ, "./a\\[1\\]\\*"}, {KEY_WRITE, "/b\\{c\\}"}, {KEY_DENY, "./*.pem"},
		{KEY_READ, "./~/x"}, {KEY_DENY, "./$HOME"}, {KEY_READ, "./\\*\\*/x"}, {KEY_SOCKETS, "/run/x\\?"});
}

static void test_nothing_given_is_no_line(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("true"));
	const struct run_request *request = &result.choices.request;
	assert_int_equal(result.code, BERM_OK);
	assert_null(request->flags);
	assert_null(request->profiles);
	assert_null(request->accept_hash);
	assert_false(request->no_profile);
}

static void test_words(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("-n", "host", "--view=visible", "--backend=landlock", "--allow=memfd-exec",
			    "--allow=host-tmp", "--ask", "--no-ask"));
	MUST_BE(result, {KEY_NET_MODE, "host"}, {KEY_VIEW, "visible"}, {KEY_BACKEND, "landlock"},
		{KEY_MAY, "memfd-exec"}, {KEY_TMP, "host"}, {KEY_APPROVALS_MODE, "ask"}, {KEY_APPROVALS_MODE, "deny"});
}

static void test_hosts_ports_and_groups(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result,
	      ARGV("--allow-net", "docs.example.org", "--deny-net=*.example.com:8443", "--reach", "5432",
		   "--publish=3000", "--upstream=http://proxy:3128", "--secret=key", "-g", "git", "-g", "-docker"));
	MUST_BE(result, {KEY_NET_ALLOW, "docs.example.org"}, {KEY_NET_DENY, "*.example.com:8443"}, {KEY_REACH, "5432"},
		{KEY_PUBLISH, "3000"}, {KEY_UPSTREAM, "http://proxy:3128"}, {KEY_SECRET, "key"}, {KEY_GROUPS, "git"},
		{KEY_GROUPS, "-docker"});
}

static void test_profiles(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("-p", "strict", "--profile=./x.yaml", "--accept-hash=ab12"));
	const struct run_request *request = &result.choices.request;
	assert_int_equal(result.code, BERM_OK);
	assert_string_equal(request->profiles[0], "strict");
	assert_string_equal(request->profiles[1], "./x.yaml");
	assert_null(request->profiles[2]);
	assert_string_equal(request->accept_hash, "ab12");
	assert_null(request->flags);

	auto_result struct result none;
	apply(&none, ARGV("--no-profile"));
	assert_true(none.choices.request.no_profile);
	assert_null(none.choices.request.profiles);
}

static void test_limits(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("--limit=memory=2GiB", "--limit=processes=64", "--limit=cpu=1500ms", "--limit=files=100",
			    "--limit=file-size=1K", "--limit=wall=1h", "--timeout=90s"));
	MUST_BE(result, {KEY_LIMIT_MEMORY, "2GiB"}, {KEY_LIMIT_PROCESSES, "64"}, {KEY_LIMIT_CPU, "1500ms"},
		{KEY_LIMIT_FILES, "100"}, {KEY_LIMIT_FILE_SIZE, "1K"}, {KEY_LIMIT_WALL, "1h"}, {KEY_LIMIT_WALL, "90s"});
}

static void test_limits_that_cannot_be(void **state)
{
	(void)state;
	fails("--limit=memory=0", "a limit of nothing: '0'", "");
	fails("--limit=memory=lots", "not a size: 'lots'", "");
	fails("--limit=wall=", "not a duration: ''", "");
	fails("--limit=memroy=1", "unknown value 'memroy=' for '--limit'", "--limit=memory=");
	fails("--limit=memory", "unknown value 'memory=' for '--limit'", "--limit=memory=");
	fails("--limit=", "unknown value '=' for '--limit'", "--limit=KEY=VALUE");
	fails("--timeout=0", "a time of nothing: '0'", "");
	fails("--timeout=-5", "not a duration: '-5'", "");
	fails("--limit=processes=99999999999", "number '99999999999' is larger than 4294967295", "");
}

static void test_words_that_cannot_be(void **state)
{
	(void)state;
	fails("--net=hots", "unknown value 'hots' for '--net'", "--net=host");
	fails("--allow=ptarce", "unknown value 'ptarce' for '--allow'", "--allow=ptrace");
	fails("--view=x", "unknown value 'x' for '--view'", "--view=visible|hidden|auto");
	fails("--backend=", "unknown value '' for '--backend'", "--backend=namespaces|landlock|any");
	fails("--read=", "empty path for '--read'", "");
	fails("--socket=", "empty path for '--socket'", "");
	fails("--env==x", "no variable named in '--env==x'", "");
	fails("--profile=", "empty name for '--profile'", "");
	fails("--name=../x", "not a session name: '../x'", "");
	fails("--name=", "not a session name: ''", "");
}

static void test_environment_and_sockets(void **state)
{
	(void)state;
	auto_result struct result result;
	apply(&result, ARGV("-e", "TERM", "-eA=b=c", "--socket", "/run/x.sock", "--name=quiet-1"));
	MUST_BE(result, {KEY_ENV_PASS, "TERM"}, {KEY_ENV_SET, "A=b=c"}, {KEY_SOCKETS, "/run/x.sock"});
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
			if (row->kind != OPTION_USE)
				assert_int_equal(row->kind == OPTION_TEXT, row->argument != NULL);
			if (row->kind == OPTION_USE)
				assert_true(row->line != NULL || row->policy);
			else
				assert_null(row->line);
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
		cmocka_unit_test(test_paths_are_taken_by_their_letters),
		cmocka_unit_test(test_nothing_given_is_no_line),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_hosts_ports_and_groups),
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limits_that_cannot_be),
		cmocka_unit_test(test_words_that_cannot_be),
		cmocka_unit_test(test_environment_and_sockets),
		cmocka_unit_test(test_every_row_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
