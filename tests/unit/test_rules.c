#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "policy/rules.h"

/* Which rule holds for a path, where beside it (and, with "../", beside its folder) these names are. */
struct match_case {
	const char *path;
	const char *beside; /* names parted by spaces, as in struct berm_rule */
	const char *label;  /* NULL: no rule */
};

static const struct match_case match_cases[] = {
	/* git */
	{"/w/.git", "", "folders named .git"},
	{"/w/a/b/.git", "", "folders named .git"},
	{"/w/.git/config", "", "git configuration"},
	{"/w/a/.git/config", "refs", "git configuration"},
	{"/w/.git/modules/m/config", "refs HEAD", "git configuration"},
	{"/w/bare.git/config", "refs HEAD", "git configuration"},
	{"/w/data/config", "refs", "git configuration"},
	{"/w/.git/config.worktree", "", "git configuration"},
	{"/w/.git/worktrees/x/config.worktree", "", "git configuration"},
	{"/w/.git/hooks/pre-commit", "../refs", "git hooks"},
	{"/w/.git/hooks/pre-commit", "", "git hooks"},
	{"/w/.git/hooks/pre-commit.legacy", "", "git hooks"},
	{"/w/.git/hooks/d/x.sh", "", "git hooks"},
	{"/w/bare.git/hooks/post-receive", "../refs", "git hooks"},
	{"/w/.git/modules/m/hooks/post-checkout", "../refs", "git hooks"},
	{"/w/bare.git/hooks", "refs", "git hooks"},
	{"/w/.git/commondir", "HEAD", "git commondir"},
	{"/w/data/commondir", "HEAD", "git commondir"},
	{"/w/.git/worktrees/x/commondir", "HEAD", "git commondir"},
	/* shells, log-in, editors, agents */
	{"/w/.bashrc", "", "shell start files"},
	{"/w/a/b/.envrc", "", "shell start files"},
	{"/w/.config/fish/config.fish", "", "shell start files"},
	{"/w/fish/conf.d/x.fish", "", "shell start files"},
	{"/w/.ssh/authorized_keys", "", "files read at login"},
	{"/w/.vscode/tasks.json", "", "editor settings"},
	{"/w/a/.vscode/mcp.json", "", "editor settings"},
	{"/w/x.code-workspace", "", "editor settings"},
	{"/w/.idea/workspace.xml", "", "editor settings"},
	{"/w/.idea/runConfigurations/x.xml", "", "editor settings"},
	{"/w/.zed/tasks.json", "", "editor settings"},
	{"/w/.dir-locals.el", "", "editor settings"},
	{"/w/.claude/settings.json", "", "agent settings"},
	{"/w/.claude/settings.local.json", "", "agent settings"},
	{"/w/.claude/hooks/x.sh", "", "agent settings"},
	{"/w/.claude/agents/deep/x.md", "", "agent settings"},
	{"/w/.mcp.json", "", "agent settings"},
	{"/w/.cursor/mcp.json", "", "agent settings"},
	{"/w/.codex/config.toml", "", "agent settings"},
	/* ordinary work */
	{"/w/.git/HEAD", "refs", NULL},
	{"/w/.git/index", "refs HEAD", NULL},
	{"/w/.git/config.lock", "refs HEAD", NULL},
	{"/w/.git/hooks/pre-commit.sample", "", NULL},
	{"/w/.git/hooks/pre-commit.sample", "../refs", NULL},
	{"/w/bare.git/hooks/update.sample", "../refs", NULL},
	{"/w/.git/refs/heads/config", "main", NULL},
	{"/w/.git/refs/heads/hooks/x", "", NULL},
	{"/w/.git/logs/refs/heads/config", "", NULL},
	{"/w/.git/refs/remotes/origin/config", "HEAD", NULL},
	{"/w/.git/logs/refs/remotes/origin/hooks/x", "../HEAD", NULL},
	{"/w/.git/worktrees/x/gitdir", "HEAD", NULL},
	{"/w/.git/info/exclude", "", NULL},
	{"/w/config", "", NULL},
	{"/w/src/config", "objects", NULL},
	{"/w/commondir", "", NULL},
	{"/w/src/hooks/useState.ts", "", NULL},
	{"/w/src/hooks/useState.ts", "../refs", NULL},
	{"/w/src/hooks", "", NULL},
	{"/w/.gitignore", "", NULL},
	{"/w/.gitmodules", "", NULL},
	{"/w/x.git/HEAD", "refs", NULL},
	{"/w/.vscode/x.code-snippets", "", NULL},
	{"/w/.vscode", "", NULL},
	{"/w/node_modules/p/.vscode/settings.json", "", NULL},
	{"/w/node_modules/p/.idea/p.iml", "", NULL},
	{"/w/node_modules/@s/p/.envrc", "", NULL},
	{"/w/node_modules/p/.git", "", "folders named .git"},
	{"/w/node_modules/p/.git/hooks/pre-commit", "", "git hooks"},
	{"/w/.claude/CLAUDE.md", "", NULL},
	{"/w/CLAUDE.md", "", NULL},
	{"/w/package.json", "", NULL},
	{"/w/.devcontainer/devcontainer.json", "", NULL},
	{"/w/.github/workflows/x.yml", "", NULL},
	{"/w/profile", "", NULL},
	{"/w/.env", "", NULL},
};

static bool is_named(const char *names, const char *name)
{
	struct str rest = str_from(names), piece;
	while (str_next(&rest, ' ', &piece))
		if (str_eq(piece, str_from(name)))
			return true;
	return false;
}

static bool holds(const struct berm_rule *rule, const struct match_case *row)
{
	struct glob *pattern, *except = NULL;
	assert_int_equal(glob_new(GLOB_PATH, str_from(rule->pattern), &pattern, NULL), BERM_OK);
	if (rule->except != NULL)
		assert_int_equal(glob_new(GLOB_PATH, str_from(rule->except), &except, NULL), BERM_OK);
	struct str path = str_from(row->path);
	bool match = glob_match(pattern, path, false) && (except == NULL || !glob_match(except, path, false));
	glob_free(pattern);
	glob_free(except);
	return match && (rule->beside == NULL || is_named(row->beside, rule->beside));
}

static void test_which_names_are_protected(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(match_cases); i++) {
		const struct match_case *row = &match_cases[i];
		const char *label = NULL;
		for (size_t k = 0; k < policy_rule_count && label == NULL; k++)
			if (holds(&policy_rules[k].rule, row))
				label = policy_rules[k].rule.label;
		if (label != row->label && (label == NULL || row->label == NULL || strcmp(label, row->label) != 0))
			fail_msg("%s beside %s: %s", row->path, row->beside, label == NULL ? "nothing" : label);
	}
}

static void test_each_row_is_whole(void **state)
{
	(void)state;
	static const char *const groups[] = {"git", "shell", "login", "editor", "agent"};
	for (size_t i = 0; i < policy_rule_count; i++) {
		const struct policy_rule *row = &policy_rules[i];
		bool known = false;
		for (size_t k = 0; k < ARRAY_LEN(groups); k++)
			known = known || strcmp(row->group, groups[k]) == 0;
		assert_true(known);
		assert_true(row->why[0] != '\0');
		assert_int_equal(row->rule.size, sizeof(struct berm_rule));
		assert_int_equal(row->rule.right, BERM_PROTECT);
		assert_non_null(row->rule.label);
		/* git reads a repository in node_modules as any other */
		if (strcmp(row->group, "git") == 0 && row->rule.except != NULL)
			assert_null(strstr(row->rule.except, "node_modules"));
	}
}

static void test_a_denial_finds_its_row(void **state)
{
	(void)state;
	assert_ptr_equal(policy_rule_find("folders named .git"), &policy_rules[0]);
	assert_non_null(policy_rule_find("**/.envrc"));
	assert_string_equal(policy_rule_find("editor settings")->group, "editor");
	assert_null(policy_rule_find("not granted"));
	assert_null(policy_rule_find(""));
	assert_null(policy_rule_find(NULL));
}

/* docs/default-policy.md names every pattern but git's. Tests run in the project's folder; elsewhere there is nothing to
 * hold it against. */
static void test_the_page_for_readers_names_every_pattern(void **state)
{
	(void)state;
	static char page[1 << 16];
	FILE *file = fopen("docs/default-policy.md", "r");
	if (file == NULL)
		skip();
	size_t len = fread(page, 1, sizeof page - 1, file);
	(void)fclose(file);
	page[len] = '\0';
	for (size_t i = 0; i < policy_rule_count; i++) {
		char name[128];
		const char *pattern = policy_rules[i].rule.pattern;
		assert_true(strncmp(pattern, "**/", 3) == 0);
		(void)snprintf(name, sizeof name, "`%s`", pattern + 3);
		if (strcmp(policy_rules[i].group, "git") != 0 && strstr(page, name) == NULL)
			fail_msg("docs/default-policy.md does not name %s", name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_names_are_protected),
		cmocka_unit_test(test_each_row_is_whole),
		cmocka_unit_test(test_a_denial_finds_its_row),
		cmocka_unit_test(test_the_page_for_readers_names_every_pattern),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
