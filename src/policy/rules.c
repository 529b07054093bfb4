#include "policy/rules.h"

#include <string.h>

#include "base/own.h"
#include "format/git_config.h"
#include "format/git_link.h"

static bool judge_config_change(const char *target, const struct berm_content *content,
				const struct berm_content *before, char *reason, size_t reason_size)
{
	return git_config_judge_change(target, (struct span){content->bytes, content->len},
				       (struct span){before->bytes, before->len}, reason, reason_size);
}

#define JUDGED .judge = git_config_judge, .judge_change = judge_config_change

/* Packages ship the settings of their authors' editors; nothing reads them there. Never said of git: git reads a
 * repository wherever it lies. */
#define PACKAGES "**/node_modules/**"

#define RULE(pattern_, label_, ...)                                                                                    \
	{                                                                                                              \
		.size = sizeof(struct berm_rule), .right = BERM_PROTECT, .pattern = (pattern_), .label = (label_),     \
		__VA_ARGS__                                                                                            \
	}
#define GIT(pattern, label, why, ...)                                                                                  \
	{                                                                                                              \
		"git", why, RULE(pattern, label, __VA_ARGS__)                                                          \
	}
#define SHELL(pattern, why)                                                                                            \
	{                                                                                                              \
		"shell", why, RULE("**/" pattern, "shell start files", .except = PACKAGES)                             \
	}
#define LOGIN(pattern, why)                                                                                            \
	{                                                                                                              \
		"login", why, RULE("**/" pattern, "files read at login", .except = PACKAGES)                           \
	}
#define EDITOR(pattern, why)                                                                                           \
	{                                                                                                              \
		"editor", why, RULE("**/" pattern, "editor settings", .except = PACKAGES)                              \
	}
#define AGENT(pattern, why)                                                                                            \
	{                                                                                                              \
		"agent", why, RULE("**/" pattern, "agent settings", .except = PACKAGES)                                \
	}

const struct policy_rule policy_rules[] = {
	/* git: what leads git to a configuration, what it may say, and hooks. A `.git` file and the `commondir` of a linked
	 * worktree are written in place by git: their content is judged when it is closed. `gitdir` leads to no
	 * configuration, and is free. Removing a repository is allowed; the workspace's own is not removable (default_policy.c). */
	GIT("**/.git", "folders named .git",
	    "a folder or link of this name is a repository to every git command below it", .in_place = true,
	    .judge = git_link_judge),
	GIT("**/.git/config", "git configuration", "git runs programs that it names, at every command", JUDGED,
	    .removable = true),
	GIT("**/config", "git configuration", "the same in a bare repository, which any folder with HEAD and refs is",
	    .beside = "refs", JUDGED, .removable = true),
	GIT("**/config.worktree", "git configuration", "git reads it beside config, for one worktree", JUDGED,
	    .removable = true),
	GIT("**/commondir", "git commondir", "leads git to another folder's configuration and hooks", .beside = "HEAD",
	    .in_place = true, .judge = git_link_judge),
	GIT("**/.git/hooks/*/**", "git hooks", "git runs them at commit, checkout, push ...",
	    .except = "**/.git/hooks/*.sample", .removable = true),
	GIT("**/hooks/*", "git hooks",
	    "the same in a bare repository and in a submodule's; git's own names have no dot", .beside = "../refs",
	    .except = "**/hooks/*.*", .removable = true),
	GIT("**/hooks", "git hooks", "a link of this name would bring hooks from elsewhere", .beside = "refs",
	    .in_place = true),

	/* shell: read by the next interactive or login shell, or by a tool that hooks into the prompt */
	SHELL(".bashrc", "bash, each interactive shell"),
	SHELL(".bash_profile", "bash, at login"),
	SHELL(".bash_login", "bash, at login"),
	SHELL(".bash_logout", "bash, at logout"),
	SHELL(".bash_aliases", "bash, from the .bashrc of Debian"),
	SHELL(".profile", "sh, at login; many display managers"),
	SHELL(".zshenv", "zsh, every shell, scripts too"),
	SHELL(".zshrc", "zsh, each interactive shell"),
	SHELL(".zprofile", "zsh, at login"),
	SHELL(".zlogin", "zsh, at login"),
	SHELL(".zlogout", "zsh, at logout"),
	SHELL(".kshrc", "ksh"),
	SHELL(".mkshrc", "mksh"),
	SHELL(".shrc", "sh, by ENV"),
	SHELL(".cshrc", "csh"),
	SHELL(".tcshrc", "tcsh"),
	SHELL(".login", "csh, at login"),
	SHELL(".inputrc", "readline: key bindings can run commands in every program that uses it"),
	SHELL(".envrc", "direnv, on entering the folder"),
	SHELL("fish/config.fish", "fish, every shell"),
	SHELL("fish/conf.d/**", "fish, every shell"),
	SHELL("fish/functions/**", "fish, at the first use of the name"),

	/* login: only in reach where the home folder was named with -w */
	LOGIN(".xprofile", "display managers"),
	LOGIN(".xinitrc", "startx"),
	LOGIN(".xsession", "display managers"),
	LOGIN(".xsessionrc", "display managers"),
	LOGIN(".pam_environment", "pam_env, at login"),
	LOGIN(".tmux.conf", "tmux: run-shell"),
	LOGIN(".screenrc", "screen: exec"),
	LOGIN(".ssh/**", "sshd: authorized_keys, rc; ssh: ProxyCommand"),
	LOGIN(".config/autostart/**", "the desktop, at login"),
	LOGIN(".config/systemd/**", "the user's systemd"),
	LOGIN(".config/environment.d/**", "the user's systemd"),
	LOGIN(".local/share/applications/**", "the desktop"),
	LOGIN(".local/share/systemd/**", "the user's systemd"),
	LOGIN(".docker/config.json", "docker: credential helpers"),
	LOGIN(".kube/config", "kubectl: exec"),
	{"login", "git, every command of the user",
	 RULE("**/.gitconfig", "git configuration", .except = PACKAGES, JUDGED)},
	{"login", "git, every command of the user",
	 RULE("**/.config/git/config", "git configuration", .except = PACKAGES, JUDGED)},

	/* editor: read when the project is opened */
	EDITOR(".vscode/{settings,tasks,launch,mcp,extensions}.json",
	       "VS Code and its kin: tasks on open, programs by path"),
	EDITOR("*.code-workspace", "VS Code: the same settings in one file"),
	EDITOR(".vs/*.json", "Visual Studio: tasks"),
	EDITOR(".idea/**", "JetBrains: run configurations, external tools, watchers"),
	EDITOR(".fleet/**", "Fleet: run configurations"),
	EDITOR(".zed/{settings,tasks,debug}.json", "Zed: language servers and tasks by path"),
	EDITOR(".helix/**", "Helix: language servers by path"),
	EDITOR(".theia/**", "Theia: tasks"),
	EDITOR(".vimrc", "vim with exrc"),
	EDITOR(".gvimrc", "vim with exrc"),
	EDITOR(".exrc", "vi, vim with exrc"),
	EDITOR(".nvimrc", "neovim with exrc"),
	EDITOR(".nvim.lua", "neovim with exrc"),
	EDITOR(".lvimrc", "vim-localvimrc"),
	EDITOR(".dir-locals.el", "emacs: eval"),
	EDITOR(".dir-locals-2.el", "emacs: eval"),
	EDITOR(".emacs", "emacs, at start"),
	EDITOR(".emacs.d/**", "emacs, at start"),

	/* agent: read by the next agent that works here, perhaps with more rights than this one */
	AGENT(".claude/settings.json", "Claude Code: hooks, permissions"),
	AGENT(".claude/settings.local.json", "Claude Code: hooks, permissions"),
	AGENT(".claude/{hooks,commands,agents,skills,plugins}/**", "Claude Code: run by name or on events"),
	AGENT(".mcp.json", "MCP servers are programs that are started"),
	AGENT(".cursor/**", "Cursor: MCP servers, hooks, rules"),
	AGENT(".windsurf/**", "Windsurf: MCP servers, workflows"),
	AGENT(".codex/**", "Codex: notify, MCP servers"),
	AGENT(".gemini/**", "Gemini CLI: MCP servers, hooks"),
	AGENT(".qwen/**", "Qwen Code: MCP servers"),
	AGENT(".opencode/**", "OpenCode: plugins, commands"),
	AGENT("opencode.json", "OpenCode: MCP servers, formatters"),
	AGENT("opencode.jsonc", "OpenCode: MCP servers, formatters"),
	AGENT("crush.json", "Crush: MCP servers, language servers"),
	AGENT(".crush.json", "Crush: MCP servers, language servers"),
	AGENT(".aider.conf.yml", "aider: lint and test commands"),
	AGENT(".continue/**", "Continue: MCP servers"),
	AGENT(".roo/**", "Roo Code: MCP servers"),
	AGENT(".kilocode/**", "Kilo Code: MCP servers"),
	AGENT(".amazonq/**", "Amazon Q: MCP servers"),
	AGENT(".kiro/**", "Kiro: MCP servers, hooks"),
	AGENT(".junie/**", "Junie: MCP servers"),
	AGENT(".factory/**", "Factory: MCP servers, hooks"),
	AGENT(".goose/**", "Goose: extensions"),
};
const size_t policy_rule_count = ARRAY_LEN(policy_rules);

const struct berm_rule policy_git_config = {
	.size = sizeof(struct berm_rule), .right = BERM_PROTECT, JUDGED, .label = "git configuration"};

const struct policy_rule *policy_rule_find(const char *label)
{
	for (size_t i = 0; label != NULL && i < policy_rule_count; i++) {
		const struct berm_rule *rule = &policy_rules[i].rule;
		if (strcmp(label, rule->label) == 0 || strcmp(label, rule->pattern) == 0)
			return &policy_rules[i];
	}
	return NULL;
}
