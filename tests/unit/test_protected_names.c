#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "policy/builtin.h"

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

/* ---- protecting lines -------------------------------------------------------------------------------------------- */

static const char *const groups[] = {"git-persistence", "shell-startup", "login-startup", "editor-settings",
				     "agent-settings"};

/* The protecting line of that number; NULL past the end. */
static const struct policy_line *line_of(size_t group, uint32_t index)
{
	const struct policy_doc *doc = builtin_find(POLICY_DOC_GROUP, groups[group]);
	assert_non_null(doc);
	for (uint32_t i = 0; i < doc->line_count; i++)
		if (doc->lines[i].key == KEY_PROTECT && index-- == 0)
			return &doc->lines[i];
	return NULL;
}

static bool holds(const struct policy_line *line, const struct match_case *row)
{
	const char *except_text = policy_attr_find(line, ATTR_EXCEPT), *beside = policy_attr_find(line, ATTR_BESIDE);
	struct glob *pattern, *except = NULL;
	assert_int_equal(glob_new(GLOB_PATH, str_from(line->text), &pattern, NULL), BERM_OK);
	if (except_text != NULL)
		assert_int_equal(glob_new(GLOB_PATH, str_from(except_text), &except, NULL), BERM_OK);
	struct str path = str_from(row->path);
	bool match = glob_match(pattern, path, false) && (except == NULL || !glob_match(except, path, false));
	glob_free(pattern);
	glob_free(except);
	return match && (beside == NULL || is_named(row->beside, beside));
}

static void test_which_names_are_protected(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(match_cases); i++) {
		const struct match_case *row = &match_cases[i];
		const char *label = NULL;
		const struct policy_line *line;
		for (size_t k = 0; k < ARRAY_LEN(groups); k++)
			for (uint32_t n = 0; label == NULL && (line = line_of(k, n)) != NULL; n++)
				if (holds(line, row))
					label = policy_attr_find(line, ATTR_LABEL);
		if (label != row->label && (label == NULL || row->label == NULL || strcmp(label, row->label) != 0))
			fail_msg("%s beside %s: %s", row->path, row->beside, label == NULL ? "nothing" : label);
	}
}

static void test_each_line_is_whole(void **state)
{
	(void)state;
	const struct policy_line *line;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		for (uint32_t k = 0; (line = line_of(i, k)) != NULL; k++) {
			const char *except = policy_attr_find(line, ATTR_EXCEPT);
			assert_non_null(policy_attr_find(line, ATTR_WHY));
			assert_non_null(policy_attr_find(line, ATTR_LABEL));
			assert_int_equal(strncmp(line->text, "**/", 3), 0);
			/* git reads a repository in node_modules as any other */
			if (i == 0 && except != NULL)
				assert_null(strstr(except, "node_modules"));
		}
	}
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
	const struct policy_line *line;
	for (size_t i = 1; i < ARRAY_LEN(groups); i++) {
		for (uint32_t k = 0; (line = line_of(i, k)) != NULL; k++) {
			char name[128];
			(void)snprintf(name, sizeof name, "`%s`", line->text + 3);
			if (strstr(page, name) == NULL)
				fail_msg("docs/default-policy.md does not name %s", name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_names_are_protected),
		cmocka_unit_test(test_each_line_is_whole),
		cmocka_unit_test(test_the_page_for_readers_names_every_pattern),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
