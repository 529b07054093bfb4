#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "doc_listing.h"
#include "policy/import.h"

enum { MAX = 1 << 20 };

/* ---- rig --------------------------------------------------------------------------------------------------------- */

static void list(const struct imported *imported, struct buf *out)
{
	doc_listing(&imported->doc, out);
	for (size_t i = 0; i < imported->left_count; i++)
		buf_printf(out, "%s %s\n", imported->lefts[i].narrows ? "missing" : "left", imported->lefts[i].what);
	buf_putc(out, '\0');
}

/* What is made also loads again. */
static void expect_kind(enum import_kind kind, enum import_kind is, const char *text, const char *expected)
{
	auto_arena struct arena arena;
	auto_buf struct buf out, file;
	struct imported imported;
	static struct problems problems;
	problems.count = 0;
	arena_init(&arena, IMPORT_MAX_MEMORY);
	buf_init(&out, MAX);
	buf_init(&file, MAX);
	assert_int_equal(
		import_text(&arena, (struct import_from){kind, "s"}, str_from(text), &imported, &problems, NULL),
		BERM_OK);
	assert_int_equal(imported.kind, is);
	list(&imported, &out);
	assert_false(out.failed);
	assert_string_equal(out.data, expected);
	assert_int_equal(import_put(&imported, &file, NULL), BERM_OK);
}

static void expect_error(enum import_kind kind, const char *text, enum berm_code expected)
{
	auto_arena struct arena arena;
	struct imported imported;
	static struct problems problems;
	problems.count = 0;
	arena_init(&arena, IMPORT_MAX_MEMORY);
	assert_int_equal(
		import_text(&arena, (struct import_from){kind, "s"}, str_from(text), &imported, &problems, NULL),
		expected);
}

/* ---- sandbox-runtime --------------------------------------------------------------------------------------------- */

#define SRT_START                                                                                                      \
	"extends none\ngroups user-tools\ngroups git-persistence\ngroups shell-startup\ngroups login-startup\n"        \
	"filesystem.read .\nfilesystem.default deny\n"
#define SRT_LEFT "left every file may be read\n"

static void srt_files(void **state)
{
	(void)state;
	expect_kind(IMPORT_UNKNOWN, IMPORT_SRT,
		    "{\"filesystem\": {\"denyRead\": [\"~/\", \"~/.ssh\"], \"allowRead\": [\".\", \"~\", "
		    "\"~/.config/git\"],\n"
		    "\"allowWrite\": [\"src\", \"/tmp/a{b\"], \"denyWrite\": [\"src/.env\", \"../x\"], \"odd\": 1}}",
		    SRT_START "network.mode none\n"
			      "filesystem.deny ~/ {except ., except ~/.config/git}\n"
			      "filesystem.deny ~/.ssh\n"
			      "filesystem.read .\nfilesystem.read ~\nfilesystem.read ~/.config/git\n"
			      "filesystem.write ./src\nfilesystem.write /tmp/a\\{b\n"
			      "filesystem.protect ./src/.env\nfilesystem.protect ./../x\n" SRT_LEFT "missing odd: 1\n");
}

static void srt_hosts(void **state)
{
	(void)state;
	expect_kind(IMPORT_UNKNOWN, IMPORT_SRT,
		    "{\"network\": {\"allowedDomains\": [\"*.example.org\", \"a.example:8443\", \"localhost\"],"
		    "\"deniedDomains\": [\"b.example\"], \"deniedDomainReasons\": {\"b.example\": \"no\"},"
		    "\"httpProxyPort\": 1}}",
		    SRT_START "network.mode filtered\nnetwork.default deny\n"
			      "network.allow **.example.org\nnetwork.allow **.example.org:80\n"
			      "network.allow a.example:8443\n"
			      "network.deny b.example {why no}\n" SRT_LEFT
			      "left localhost\nmissing httpProxyPort: 1\n");
	expect_kind(IMPORT_UNKNOWN, IMPORT_SRT, "{\"network\": {\"allowedDomains\": [], \"deniedDomains\": [\"*\"]}}",
		    SRT_START "network.mode none\nnetwork.default deny\n" SRT_LEFT);
}

/* ---- landrun ----------------------------------------------------------------------------------------------------- */

static void landrun_flags(void **state)
{
	(void)state;
	expect_kind(IMPORT_UNKNOWN, IMPORT_LANDRUN,
		    "landrun --best-effort --rox /usr,/lib \\\n --ro=/etc --rw '/a b*' --unix /run/x --env HOME --env "
		    "'A=b,c' "
		    "--connect-tcp 443 --nonsense -- ls --ro /root\n",
		    "extends \nfilesystem.default deny\n"
		    "filesystem.exec /usr\nfilesystem.exec /lib\nfilesystem.read /etc\nfilesystem.write /a b\\*\n"
		    "network.sockets /run/x\nenvironment.pass HOME\nenvironment.set A=b,c\nnetwork.mode none\n"
		    "missing --rw /a b*\nleft --connect-tcp 443\nmissing --nonsense\n");
	expect_kind(IMPORT_LANDRUN, IMPORT_LANDRUN, "--unrestricted-network --rwx /x",
		    "extends \nfilesystem.default deny\nfilesystem.write /x\nnetwork.mode host\n");
	expect_error(IMPORT_LANDRUN, "landrun --ro $X ls", BERM_ERR_PARSE);
	expect_error(IMPORT_LANDRUN, "landrun --ro 'x", BERM_ERR_PARSE);
	expect_error(IMPORT_LANDRUN, "landrun --ro x; ls", BERM_ERR_PARSE);
}

/* ---- Claude Code ------------------------------------------------------------------------------------------------- */

#define CLAUDE_START "extends none\ngroups user-tools\nfilesystem.read .\n"

static void claude_paths(void **state)
{
	(void)state;
	expect_kind(
		IMPORT_UNKNOWN, IMPORT_CLAUDE,
		"{\"permissions\": {\n\"allow\": [\"Edit(/src/**)\", \"Edit(*.md)\", \"Read(//opt/x/)\", \"Edit(!a)\"],"
		"\"ask\": [\"Edit(~/n/**)\"],"
		"\"deny\": [\"Read(.env)\", \"Read(~/.aws/**)\", \"Write(a/*.{k,l})\", \"mcp__x\", \"Read(!b)\"]}}",
		CLAUDE_START "filesystem.write ./src\nfilesystem.write ./**/*.md\nfilesystem.read /opt/x\n"
			     "filesystem.ask ~/n\nfilesystem.deny **/.env\nfilesystem.deny ~/.aws\n"
			     "filesystem.protect ./a/*.\\{k,l\\}\nfilesystem.protect ./a/*.{k,l}\n"
			     "missing Edit(!a)\nmissing mcp__x\nleft Read(!b)\n");
}

static void claude_rest(void **state)
{
	(void)state;
	expect_kind(IMPORT_UNKNOWN, IMPORT_CLAUDE,
		    "{\"permissions\": {\"allow\": [\"Bash(npm run:*)\", \"WebFetch(domain:a.example)\", \"Edit\"],"
		    "\"deny\": [\"Bash(git * main)\", \"WebFetch\"]},\n"
		    "\"model\": \"x\", \"env\": {\"A\": \"1\"}, \"sandbox\": {\"enabled\": false}}",
		    CLAUDE_START "commands npm run {decision allow}\ncommands npm run ** {decision allow}\n"
				 "network.allow a.example\nfilesystem.write .\ncommands git * main {decision deny}\n"
				 "environment.set A=1\n"
				 "missing Bash(git * main)\nmissing WebFetch\nleft model: x\n");
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static void unknown_is_refused(void **state)
{
	(void)state;
	expect_error(IMPORT_UNKNOWN, "{\"x\": 1}", BERM_ERR_INVALID);
	expect_error(IMPORT_UNKNOWN, "[]", BERM_ERR_PARSE);
	expect_error(IMPORT_SRT, "{\"x\"", BERM_ERR_PARSE);
	assert_int_equal(import_find("nothing"), IMPORT_UNKNOWN);
	assert_int_equal(import_find("claude"), IMPORT_CLAUDE);
}

static void comments_stay_comments(void **state)
{
	(void)state;
	auto_arena struct arena arena;
	auto_buf struct buf out;
	struct imported imported;
	static struct problems problems;
	problems.count = 0;
	arena_init(&arena, IMPORT_MAX_MEMORY);
	buf_init(&out, MAX);
	const char *text = "{\"permissions\": {\"deny\": [\"x\\nfilesystem: {write: [/]}\"]}}";
	assert_int_equal(import_text(&arena, (struct import_from){IMPORT_CLAUDE, "s"}, str_from(text), &imported,
				     &problems, NULL),
			 BERM_OK);
	assert_int_equal(imported.narrows, 1);
	assert_int_equal(import_put(&imported, &out, NULL), BERM_OK);
	assert_non_null(strstr(out.data, "# MISSING"));
	assert_non_null(strstr(out.data, "x?filesystem"));
	assert_null(strstr(out.data, "\nfilesystem: {"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(srt_files),
		cmocka_unit_test(srt_hosts),
		cmocka_unit_test(landrun_flags),
		cmocka_unit_test(claude_paths),
		cmocka_unit_test(claude_rest),
		cmocka_unit_test(unknown_is_refused),
		cmocka_unit_test(comments_stay_comments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
