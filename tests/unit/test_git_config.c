#include "check.h"

#include <dirent.h>

#include "base/own.h"
#include "format/git_config.h"
#include "format/git_keys.h"
#include "git_rig.h"

#define TARGET "/w/project/.git/config"

/* ---- what the parser reads --------------------------------------------------------------------------------------- */

struct listing {
	char text[1 << 16];
	size_t len;
};

static void listing_put(struct listing *listing, struct str text)
{
	if (listing->len + text.len >= sizeof listing->text)
		fail_msg("the listing is too long");
	memcpy(listing->text + listing->len, text.ptr, text.len);
	listing->len += text.len;
	listing->text[listing->len] = '\0';
}

/* As "git config --list -z" prints it, with '|' for NUL. */
static bool list_entry(void *ctx, const struct git_config_entry *entry)
{
	struct listing *listing = ctx;
	listing_put(listing, entry->section);
	if (entry->has_subsection) {
		listing_put(listing, STR("."));
		listing_put(listing, entry->subsection);
	}
	listing_put(listing, STR("."));
	listing_put(listing, entry->key);
	if (entry->has_value) {
		listing_put(listing, STR("\n"));
		listing_put(listing, entry->value);
	}
	listing_put(listing, STR("|"));
	return true;
}

static struct span span_of(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

struct read_case {
	const char *content;
	const char *listing; /* NULL: refused */
	unsigned line;	     /* of the fault */
};

static const struct read_case read_cases[] = {
	{"", "", 0},
	{"\n\n  \t\n# c\n; c\n", "", 0},
	{"[core]\n\tbare = true\n", "core.bare\ntrue|", 0},
	{"[CORE]\nBaRe=TRUE", "core.bare\nTRUE|", 0},
	{"[core] bare = true ; x", "core.bare\ntrue|", 0},
	{"[core]bare", "core.bare|", 0},
	{"[core]\nbare \t\n", "core.bare|", 0},
	{"[core]\nbare =\n", "core.bare\n|", 0},
	{"[a \"B c\"]\nx=1", "a.B c.x\n1|", 0},
	{"[a \t \"B\"]x=1", "a.B.x\n1|", 0},
	{"[a \"b\\\"\\\\\\c\"]\nx=1", "a.b\"\\c.x\n1|", 0},
	{"[A.B.C]\nx=1", "a.b.c.x\n1|", 0},
	{"[a \"b.c\"]\nx=1", "a.b.c.x\n1|", 0},
	{"[a-1]\nb-2-=3", "a-1.b-2-\n3|", 0},
	{"[1a]\nb=3", "1a.b\n3|", 0},
	{"[a]\nx = one  two   \n", "a.x\none  two|", 0},
	{"[a]\nx = one # two\n", "a.x\none|", 0},
	{"[a]\nx = one;two\n", "a.x\none|", 0},
	{"[a]\nx = \"one # two; \" # c\n", "a.x\none # two; |", 0},
	{"[a]\nx = on\"e \"t\"w\"o\n", "a.x\none two|", 0},
	{"[a]\nx = \\n\\t\\b\\\\\\\"\n", "a.x\n\n\t\b\\\"|", 0},
	{"[a]\nx = one\\\n two\n y=2", "a.x\none two|a.y\n2|", 0},
	{"[a]\nx = \"one\\\n two\"\n", "a.x\none two|", 0},
	{"[a]\nx = one # c\\\ny = 2\n", "a.x\none|a.y\n2|", 0},
	{"[a]\nx = \"\t\"\t\n", "a.x\n\t|", 0},
	{"[a]\r\nx = 1\r\ny = 2 \\\r\n3\r\n", "a.x\n1|a.y\n2 3|", 0},
	{"\xef\xbb\xbf[a]\nx=1", "a.x\n1|", 0},
	{"[a]\nx = \xc3\xa4\xff\n", "a.x\n\xc3\xa4\xff|", 0},
	{"[a]\nx=1\n[b]\n[c]\ny", "a.x\n1|c.y|", 0},
	{"[a]\nx=1=2\n", "a.x\n1=2|", 0},
	/* refused */
	{"\xef\xbb[a]\nx=1", NULL, 1},
	{"x=1\n", NULL, 1},
	{"[a]\n=1\n", NULL, 2},
	{"[a]\n1x=1\n", NULL, 2},
	{"[a]\nx y=1\n", NULL, 2},
	{"[a]\nx # c\n", NULL, 2},
	{"[a]\nx_y=1\n", NULL, 2},
	{"[a", NULL, 1},
	{"[a\n]", NULL, 1},
	{"[]\nx=1", NULL, 1},
	{"[.b]\nx=1", NULL, 1},
	{"[a.]\nx=1", NULL, 1},
	{"[a \"\"]\nx=1", NULL, 1},
	{"[a.b \"c\"]\nx=1", NULL, 1},
	{"[a_b]\nx=1", NULL, 1},
	{"[a \"b]\nx=1", NULL, 1},
	{"[a \"b\\\n\"]\nx=1", NULL, 1},
	{"[a \"b\" ]\nx=1", NULL, 1},
	{"[a b]\nx=1", NULL, 1},
	{"[a \"b\tc\"]\nx=1", NULL, 1},
	{"[a]\nx = \"one\n", NULL, 2},
	{"[a]\nx = \"one", NULL, 2},
	{"[a]\nx = \\q\n", NULL, 2},
	{"[a]\nx = one\ttwo\n", NULL, 2},
	{"[a]\nx = one \t two\n", NULL, 2},
	{"[a]\nx = one\\", NULL, 2},
	{"[a]\nx = a\rb\n", NULL, 2},
	{"[a]\nx = 1\n\x01", NULL, 3},
	{"[a]\nx = \x7f\n", NULL, 2},
	{"[a]\nx = 1\r", NULL, 2},
};

static void test_reads_what_git_reads(void **state)
{
	(void)state;
	static struct listing listing;
	for (size_t i = 0; i < ARRAY_LEN(read_cases); i++) {
		const struct read_case *row = &read_cases[i];
		struct git_config_fault fault = {0};
		listing.len = 0;
		listing.text[0] = '\0';
		bool good = git_config_parse(span_of(row->content), list_entry, &listing, &fault);
		if (good != (row->listing != NULL))
			fail_msg("%s: %s", row->content, good ? "taken" : fault.what);
		if (good)
			assert_string_equal(listing.text, row->listing);
		else
			assert_non_null(fault.what);
		assert_int_equal(fault.line, row->line);
	}
}

static void test_a_nul_byte_is_refused(void **state)
{
	(void)state;
	static const uint8_t content[] = "[a]\nx = 1\0\n";
	struct git_config_fault fault;
	static struct listing listing;
	assert_false(git_config_parse((struct span){content, sizeof content - 1}, list_entry, &listing, &fault));
	assert_int_equal(fault.line, 2);
}

static void test_names_and_values_have_a_maximum(void **state)
{
	(void)state;
	static char content[GIT_CONFIG_VALUE_MAX + 64];
	static struct listing listing;
	struct git_config_fault fault;
	int head = snprintf(content, sizeof content, "[a]\nx=");
	memset(content + head, 'v', GIT_CONFIG_VALUE_MAX);
	listing.len = 0;
	assert_true(git_config_parse(span_of(content), list_entry, &listing, &fault));
	content[head + GIT_CONFIG_VALUE_MAX] = 'v';
	assert_false(git_config_parse(span_of(content), list_entry, &listing, &fault));
	assert_int_equal(fault.line, 2);

	memset(content, 0, sizeof content);
	content[0] = '[';
	memset(content + 1, 'n', GIT_CONFIG_NAME_MAX);
	strcpy(content + 1 + GIT_CONFIG_NAME_MAX, "]\nx");
	assert_true(git_config_parse(span_of(content), list_entry, &listing, &fault));
	strcpy(content + 1 + GIT_CONFIG_NAME_MAX, "n]\nx");
	assert_false(git_config_parse(span_of(content), list_entry, &listing, &fault));
}

static bool stop_at_once(void *ctx, const struct git_config_entry *entry)
{
	*(unsigned *)ctx += entry->line;
	return false;
}

static void test_the_visitor_can_stop(void **state)
{
	(void)state;
	unsigned sum = 0;
	struct git_config_fault fault = {.line = 0, .what = ""};
	assert_false(git_config_parse(span_of("[a]\nx\ny\n"), stop_at_once, &sum, &fault));
	assert_int_equal(sum, 2);
	assert_int_equal(fault.line, 2);
	assert_null(fault.what);
}

/* ---- what the judge takes ---------------------------------------------------------------------------------------- */

static bool judge(const char *target, const char *content, char reason[256])
{
	return git_config_judge(target, (const uint8_t *)content, strlen(content), reason, 256);
}

static const char *const harmless[] = {
	"[core]\nrepositoryformatversion = 0\nfilemode = true\nbare = false\nlogallrefupdates = true\n",
	"[core]\nfsmonitor = true\n",
	"[core]\nfsmonitor = false\n",
	"[core]\nautocrlf = input\neol = lf\nabbrev = auto\ncompression = -1\nbigFileThreshold = 512m\n",
	"[core]\nsharedRepository = 0640\n",
	"[core]\nsharedRepository = group\n",
	"[core]\nlogAllRefUpdates = always\n",
	"[core]\nworktree = ..\n",
	"[core]\nworktree = /w/project\n",
	"[remote \"origin\"]\nurl = https://example.org/x.git\nfetch = +refs/heads/*:refs/remotes/origin/*\n",
	"[remote \"origin\"]\nurl = git@example.org:x.git\n",
	"[remote \"origin\"]\nurl = ssh://git@example.org:22/x.git\n",
	"[remote \"origin\"]\nurl = git+ssh://example.org/x\n",
	"[remote \"origin\"]\nurl = [::1]:x.git\n",
	"[remote \"origin\"]\nurl = ssh://[::1]/x.git\n",
	"[remote \"origin\"]\nurl = ../other\n",
	"[remote \"origin\"]\nurl = /srv/a::b\n",
	"[remote \"origin\"]\nurl = file:///srv/x\npushurl = /srv/y\n",
	"[remote \"origin\"]\ntagOpt = --no-tags\nmirror\n",
	"[branch \"main\"]\nremote = .\nmerge = refs/heads/x\nrebase = merges\ndescription = \"one\\n\\ttwo\"\n",
	"[submodule \"lib/x\"]\nactive = true\nurl = ../x.git\nupdate = rebase\n",
	"[submodule]\nactive = .\n",
	"[user]\nname = A B\nemail = a@b\nsigningkey = 0xABC\n",
	"[color \"branch\"]\ncurrent = bold red\n[color]\nui\n",
	"[advice]\ndetachedHead = false\n",
	"[http \"https://example.org/\"]\nextraheader = AUTHORIZATION: basic abc\n",
	"[http]\npostBuffer = 1m\nversion = HTTP/1.1\n",
	"[credential \"https://example.org\"]\nusername = me\nuseHttpPath = true\n",
	"[credential]\nuseHttpPath\n",
	"[lfs]\nrepositoryformatversion = 0\n[lfs \"https://h/x\"]\nlocksverify = true\naccess = basic\n",
	"[extensions]\nworktreeConfig = true\nobjectFormat = sha256\npartialClone = origin\n",
	"[rebase]\nautoSquash\nmissingCommitsCheck = warn\n",
	"[blame]\nignoreRevsFile = .git-blame-ignore-revs\n",
	"[merge]\nconflictStyle = zdiff3\n",
	"[gc \"refs/x\"]\nreflogExpire = never\n",
	"# nothing\n",
	"0123456789abcdef0123456789abcdef01234567\n",
	"abcdef0123456789abcdef0123456789abcdef01abcdef0123456789abcdef01\n",
	"ref: refs/remotes/origin/main\n",
};

struct refusal {
	const char *content;
	const char *reason;
};

static const struct refusal refusals[] = {
	{"[core]\n\n\tfsmonitor = /tmp/x\n", "core.fsmonitor (line 3) names a program"},
	{"[core]\nfsmonitor = yes\n", "core.fsmonitor (line 2) names a program"},
	{"[core]\nfsmonitor\n", "core.fsmonitor (line 2) names a program"},
	{"[core]\nhooksPath = x\n", "core.hookspath (line 2) names a program"},
	{"[core]\nsshCommand = x\n", "core.sshcommand (line 2) names a program"},
	{"[core]\neditor = x\n", "core.editor (line 2) names a program"},
	{"[core]\npager = x\n", "core.pager (line 2) names a program"},
	{"[core]\naskPass = x\n", "core.askpass (line 2) names a program"},
	{"[core]\ngitProxy = x\n", "core.gitproxy (line 2) names a program"},
	{"[core]\nalternateRefsCommand = x\n", "core.alternaterefscommand (line 2) names a program"},
	{"[core]\nattributesFile = x\n", "core.attributesfile (line 2) names a path"},
	{"[core]\nprotectNTFS = false\n", "core.protectntfs (line 2) weakens git's own checks"},
	{"[core \"x\"]\nbare = true\n", "core.x.bare (line 2) is not on the list of harmless keys"},
	{"[core]\nbare = x\n", "core.bare (line 2) has a value that is not harmless"},
	{"[core]\nsharedRepository = 9\n", "core.sharedrepository (line 2) has a value that is not harmless"},
	{"[core]\nworktree = ../..\n", "core.worktree (line 2) names a folder that is not this repository's"},
	{"[core]\nworktree = ../link\n", "core.worktree (line 2) names a folder that is not this repository's"},
	{"[core]\nworktree = /home/u\n", "core.worktree (line 2) names a folder that is not this repository's"},
	{"[include]\npath = x\n", "include.path (line 2) names a file that git would read as configuration"},
	{"[includeIf \"gitdir:/\"]\npath = x\n",
	 "includeif.*.path (line 2) names a file that git would read as configuration"},
	{"[alias]\nst = !x\n", "alias.st (line 2) names a program"},
	{"[filter \"x\"]\nclean = y\n", "filter.x.clean (line 2) names a program"},
	{"[filter \"x\"]\nrequired = true\n", "filter.x.required (line 2) names a program"},
	{"[diff]\nexternal = x\n", "diff.external (line 2) names a program"},
	{"[diff \"x\"]\ntextconv = y\n", "diff.x.textconv (line 2) names a program"},
	{"[diff \"x\"]\ncommand = y\n", "diff.x.command (line 2) names a program"},
	{"[merge \"x\"]\ndriver = y\n", "merge.x.driver (line 2) names a program"},
	{"[merge]\ntool = y\n", "merge.tool (line 2) names a program"},
	{"[mergetool \"x\"]\ncmd = y\n", "mergetool.x.cmd (line 2) names a program"},
	{"[difftool \"x\"]\npath = y\n", "difftool.x.path (line 2) names a program"},
	{"[credential]\nhelper = x\n", "credential.helper (line 2) names a program"},
	{"[credential \"https://h\"]\nhelper = x\n", "credential.*.helper (line 2) names a program"},
	{"[gpg]\nprogram = x\n", "gpg.program (line 2) names a program"},
	{"[gpg \"ssh\"]\nprogram = x\n", "gpg.ssh.program (line 2) names a program"},
	{"[gpg \"ssh\"]\nallowedSignersFile = x\n",
	 "gpg.ssh.allowedsignersfile (line 2) is not on the list of harmless keys"},
	{"[sequence]\neditor = x\n", "sequence.editor (line 2) names a program"},
	{"[pager]\nlog = x\n", "pager.log (line 2) names a program"},
	{"[browser \"x\"]\ncmd = y\n", "browser.x.cmd (line 2) names a program"},
	{"[man \"x\"]\ncmd = y\n", "man.x.cmd (line 2) names a program"},
	{"[instaweb]\nhttpd = y\n", "instaweb.httpd (line 2) names a program"},
	{"[interactive]\ndiffFilter = y\n", "interactive.difffilter (line 2) names a program"},
	{"[sendemail]\nsmtpServer = /x\n", "sendemail.smtpserver (line 2) names a program"},
	{"[trailer \"x\"]\ncmd = y\n", "trailer.x.cmd (line 2) names a program"},
	{"[uploadpack]\npackObjectsHook = x\n", "uploadpack.packobjectshook (line 2) names a program"},
	{"[hook \"x\"]\ncommand = y\n", "hook.x.command (line 2) names a program"},
	{"[rebase]\ninstructionFormat = %s%nexec x\n", "rebase.instructionformat (line 2) names a program"},
	{"[branch \"m\"]\nmergeoptions = -s x\n", "branch.m.mergeoptions (line 2) names a program"},
	{"[remote \"o\"]\nuploadpack = x\n", "remote.o.uploadpack (line 2) names a program"},
	{"[remote \"o\"]\nreceivepack = x\n", "remote.o.receivepack (line 2) names a program"},
	{"[remote \"o\"]\nvcs = x\n", "remote.o.vcs (line 2) names a program"},
	{"[remote \"o\"]\nproxy = x\n", "remote.o.proxy (line 2) leads the user's transfers elsewhere"},
	{"[remote \"o\"]\nurl = ext::sh -c x\n", "remote.o.url (line 2) names a transport that runs a program"},
	{"[remote \"o\"]\nurl = fd::3\n", "remote.o.url (line 2) names a transport that runs a program"},
	{"[remote \"o\"]\nurl = ::x\n", "remote.o.url (line 2) names a transport that runs a program"},
	{"[remote \"o\"]\nurl = foo://x\n", "remote.o.url (line 2) names a transport that runs a program"},
	{"[remote \"o\"]\nurl = HTTPS://x\n", "remote.o.url (line 2) names a transport that runs a program"},
	{"[remote \"o\"]\nurl = --upload-pack=x\n", "remote.o.url (line 2) names a transport that runs a program"},
	{"[remote \"o\"]\nurl = ssh://-oProxyCommand=x/y\n",
	 "remote.o.url (line 2) names a transport that runs a program"},
	{"[remote \"o\"]\nurl = https://h%0ahost/\n", "remote.o.url (line 2) names a transport that runs a program"},
	{"[remote \"o\"]\nurl = \"https://h\\nx\"\n", "remote.o.url (line 2) names a transport that runs a program"},
	{"[remote \"o\"]\nurl\n", "remote.o.url (line 2) names a transport that runs a program"},
	{"[branch \"m\"]\nremote = ext::x\n", "branch.m.remote (line 2) names a transport that runs a program"},
	{"[branch \"m\"]\npushRemote = ext::x\n", "branch.m.pushremote (line 2) names a transport that runs a program"},
	{"[remote]\npushDefault = ext::x\n", "remote.pushdefault (line 2) names a transport that runs a program"},
	{"[extensions]\npartialClone = ext::x\n",
	 "extensions.partialclone (line 2) names a transport that runs a program"},
	{"[submodule \"s\"]\nurl = ext::x\n", "submodule.s.url (line 2) names a transport that runs a program"},
	{"[submodule \"s\"]\nupdate = !x\n", "submodule.s.update (line 2) has a value that is not harmless"},
	{"[submodule \"s\"]\ngitdir = x\n", "submodule.s.gitdir (line 2) names a path"},
	{"[submodule \"../x\"]\nactive = true\n", "submodule.../x.active (line 2) names a path"},
	{"[remote \"o\"]\ntagOpt = --upload-pack=x\n", "remote.o.tagopt (line 2) has a value that is not harmless"},
	{"[url \"ext::x\"]\ninsteadOf = y\n", "url.*.insteadof (line 2) leads the user's transfers elsewhere"},
	{"[url \"x\"]\npushInsteadOf = y\n", "url.x.pushinsteadof (line 2) leads the user's transfers elsewhere"},
	{"[http]\nproxy = x\n", "http.proxy (line 2) leads the user's transfers elsewhere"},
	{"[http]\nextraHeader = x\n", "http.extraheader (line 2) leads the user's transfers elsewhere"},
	{"[http]\nsslVerify = false\n", "http.sslverify (line 2) weakens git's own checks"},
	{"[safe]\ndirectory = *\n", "safe.directory (line 2) weakens git's own checks"},
	{"[protocol \"ext\"]\nallow = always\n", "protocol.ext.allow (line 2) weakens git's own checks"},
	{"[init]\ntemplateDir = x\n", "init.templatedir (line 2) names a program"},
	{"[blame]\nignoreRevsFile = ../x\n", "blame.ignorerevsfile (line 2) names a path"},
	{"[blame]\nignoreRevsFile = /x\n", "blame.ignorerevsfile (line 2) names a path"},
	{"[user]\nname = \"a\\nb\"\n", "user.name (line 2) has a value that is not harmless"},
	{"[user]\nsigningkey = -x\n", "user.signingkey (line 2) has a value that is not harmless"},
	{"[unheard]\nof = x\n", "unheard.of (line 2) is not on the list of harmless keys"},
	{"[user]\nname = x\n[core]\nbare = true\n[alias]\nx = y\n", "alias.x (line 6) names a program"},
	{"x\n", "the content (line 1) has a key before the first section"},
	{"[core\n", "the content (line 1) has a broken section header"},
	{"0123456789abcdef0123456789abcdef01234567", "the content (line 1) is not git configuration"},
	{"ref: refs/heads/x\n[core]\n", "the content (line 1) has a key before the first section"},
};

static void test_harmless_keys_are_taken(void **state)
{
	(void)state;
	char reason[256];
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
		if (!judge(TARGET, harmless[i], reason))
			fail_msg("%s: %s", harmless[i], reason);
		assert_string_equal(reason, "");
	}
}

static void test_harmful_keys_are_named(void **state)
{
	(void)state;
	char reason[256];
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		if (judge(TARGET, refusals[i].content, reason))
			fail_msg("taken: %s", refusals[i].content);
		assert_string_equal(reason, refusals[i].reason);
	}
}

struct change_case {
	const char *before, *content;
	bool taken;
};

#define HOOKS "[core]\n\thooksPath = .husky\n"

static void test_what_stands_there_may_stay(void **state)
{
	(void)state;
	static const struct change_case cases[] = {
		{HOOKS, HOOKS, true},
		{HOOKS, HOOKS "[user]\nname = a\n", true},
		{HOOKS, "[user]\nname = a\n[Core]\nHooksPath=\".husky\" # c\n", true},
		{HOOKS, "[user]\nname = a\n", true},
		{"[filter \"lfs\"]\nclean = git-lfs clean -- %f\n", "[filter \"lfs\"]\nclean = git-lfs clean -- %f\n",
		 true},
		{"[alias]\nx = !a\nx = !b\n", "[alias]\nx = !b\n", true},
		{"[core]\nfsmonitor\n", "[core]\nfsmonitor\n", true},
		{HOOKS, "[core]\nhooksPath = .husky2\n", false},
		{HOOKS, HOOKS "hooksPath = x\n", false},
		{HOOKS, "[core]\nfsmonitor = .husky\n", false},
		{HOOKS, "[core \"x\"]\nhooksPath = .husky\n", false},
		{HOOKS, "[core]\nhooksPath\n", false},
		{"[core]\nfsmonitor\n", "[core]\nfsmonitor =\n", false},
		{"[filter \"a\"]\nclean = x\n", "[filter \"A\"]\nclean = x\n", false},
		{"", HOOKS, false},
		{"\x01", HOOKS, false},
		{"[x]\ny = \x01\n" HOOKS, HOOKS, false},
		{HOOKS, HOOKS "[x\n", false},
	};
	char reason[256];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct span content = span_of(cases[i].content), before = span_of(cases[i].before);
		if (git_config_judge_change(TARGET, content, before, reason, sizeof reason) != cases[i].taken)
			fail_msg("%s over %s: %s", cases[i].content, cases[i].before, reason);
		assert_int_equal(reason[0] == '\0', cases[i].taken);
	}
}

static void test_not_everything_is_looked_up(void **state)
{
	(void)state;
	static char content[8192];
	char reason[256];
	size_t len = 0;
	for (int i = 0; i < 128; i++)
		len += (size_t)snprintf(content + len, sizeof content - len, "[alias]\nx%d = !y\n", i);
	assert_true(git_config_judge_change(TARGET, span_of(content), span_of(content), reason, sizeof reason));
	(void)snprintf(content + len, sizeof content - len, "[alias]\nz = !y\n");
	assert_false(git_config_judge_change(TARGET, span_of(content), span_of(content), reason, sizeof reason));
}

static void test_a_reason_is_cut_and_plain(void **state)
{
	(void)state;
	const char *content = "[alias \"\xff\"]\nx = y\n";
	char reason[12];
	assert_false(git_config_judge(TARGET, (const uint8_t *)content, strlen(content), reason, sizeof reason));
	assert_string_equal(reason, "alias.?.x (");
	assert_false(git_config_judge(TARGET, (const uint8_t *)content, strlen(content), reason, 0));
	assert_string_equal(reason, "alias.?.x (");
}

struct worktree_case {
	const char *target, *value;
	bool taken;
};

static void test_a_worktree_is_the_repositorys_own(void **state)
{
	(void)state;
	static const struct worktree_case cases[] = {
		{"/w/p/.git/config", "..", true},
		{"/w/p/.git/config", "/w/p", true},
		{"/w/p/.git/config", "../", true},
		{"/w/p/.git/config", "../sub", false},
		{"/w/p/.git/config", ".", false},
		{"/w/p/.git/config", "../../../../..", false},
		{"/w/p/.git/config.worktree", "..", true},
		{"/w/p/.git/modules/s/config", "../../../s", true},
		{"/w/p/.git/modules/a/b/config", "../../../../a/b", true},
		{"/w/p/.git/modules/s/modules/t/config", "../../../../../s/t", true},
		{"/w/p/.git/modules/s/config", "../../..", false},
		{"/w/p/.git/modules/s/config", "../../../../q", false},
		{"/w/p/.git/modules/s/config", "../../../../p-other", false},
		{"/w/p/.git/modules/s/config", "../../hooks", false},
		{"/w/p/.git/modules/s/config", "/home/u", false},
		{"/w/p/.git/worktrees/t/config.worktree", "/w/t", false},
		{"/w/p.git/config", "..", false},
		{"/w/p/config", "..", false},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char content[256], reason[256];
		(void)snprintf(content, sizeof content, "[core]\nworktree = %s\n", cases[i].value);
		if (judge(cases[i].target, content, reason) != cases[i].taken)
			fail_msg("%s: %s", cases[i].target, cases[i].value);
	}
}

/* ---- git itself as the oracle ------------------------------------------------------------------------------------ */

/* What git lists, with '|' for NUL; false if git refuses the file. */
static bool git_lists(const char *path, char *ret_text, size_t size)
{
	char line[512];
	(void)snprintf(line, sizeof line, GIT_QUIET "git config --no-includes -z -f '%s' --list 2>/dev/null", path);
	FILE *pipe = popen(line, "r");
	assert_non_null(pipe);
	size_t len = fread(ret_text, 1, size - 1, pipe);
	for (size_t i = 0; i < len; i++)
		if (ret_text[i] == '\0')
			ret_text[i] = '|';
	ret_text[len] = '\0';
	return pclose(pipe) == 0;
}

/* True if the parser takes the content; then git must list the same. */
static bool same_as_git(const char *path, const uint8_t *bytes, size_t len)
{
	static char theirs[1 << 16];
	static struct listing ours;
	struct git_config_fault fault;
	ours.len = 0;
	ours.text[0] = '\0';
	if (!git_config_parse((struct span){bytes, len}, list_entry, &ours, &fault))
		return false;
	git_rig_write(path, bytes, len);
	if (!git_lists(path, theirs, sizeof theirs))
		fail_msg("git refuses:\n%.*s", (int)len, (const char *)bytes);
	if (strcmp(ours.text, theirs) != 0)
		fail_msg("%.*s\nours:   %s\ntheirs: %s", (int)len, (const char *)bytes, ours.text, theirs);
	return true;
}

static void test_git_reads_the_cases_the_same_way(void **state)
{
	(void)state;
	char *folder = git_rig_new();
	char path[256];
	(void)snprintf(path, sizeof path, "%s/config", folder);
	for (size_t i = 0; i < ARRAY_LEN(read_cases); i++)
		(void)same_as_git(path, (const uint8_t *)read_cases[i].content, strlen(read_cases[i].content));
	git_rig_remove(folder);
}

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % sides;
}

/* Pieces that matter to the grammar, strung together. */
static size_t random_content(uint32_t *seed, uint8_t *ret_bytes, size_t size)
{
	static const char *const pieces[] = {
		"[a]\n", "[a \"b\"]\n", "[a.b]", "x = ",     "y=",     "z",	 "\n",	 "\r\n", " ",
		"\t",	 "#",		";",	 "\"",	     "\"q \"", "\\",	 "\\\n", "\\n",	 "\\\"",
		"\\\\",	 "v",		"word",	 "=",	     "]",      "[",	 ".",	 "-",	 "\"\"",
		"  ",	 "\xc3\xa4",	"\n",	 "\nx = \"", "\"\n",   "\ny = ", "X\n",
	};
	size_t len = 0;
	if (dice(seed, 4) > 0)
		len = (size_t)snprintf((char *)ret_bytes, size, "[s]\n");
	for (uint32_t count = 1 + dice(seed, 12); count > 0; count--) {
		const char *piece = pieces[dice(seed, ARRAY_LEN(pieces))];
		size_t piece_len = strlen(piece);
		if (len + piece_len > size)
			break;
		memcpy(ret_bytes + len, piece, piece_len);
		len += piece_len;
	}
	return len;
}

static void test_git_reads_random_content_the_same_way(void **state)
{
	(void)state;
	char *folder = git_rig_new();
	char path[256];
	(void)snprintf(path, sizeof path, "%s/config", folder);
	uint32_t seed = 20251125;
	unsigned taken = 0;
	for (unsigned tries = 0; taken < 400 && tries < 20000; tries++) {
		uint8_t bytes[256];
		size_t len = random_content(&seed, bytes, sizeof bytes);
		taken += same_as_git(path, bytes, len);
	}
	assert_int_equal(taken, 400);
	git_rig_remove(folder);
}

static const char ordinary_work[] =
	"git init -q lib; git -C lib commit -q --allow-empty -m x;"
	"git init -q top; cd top; git commit -q --allow-empty -m x;"
	"git config user.name A; git config user.email a@b; git config core.autocrlf input;"
	"git config branch.x.description \"one\ntwo\";"
	"git remote add origin ../lib; git remote add mirror --mirror=push ../lib;"
	"git fetch -q origin; git branch -q x; git branch -q --set-upstream-to=origin/HEAD x || "
	"git branch -q --set-upstream-to=$(git branch -r | grep -v HEAD | head -n 1 | tr -d \" \") x;"
	"git remote rename mirror second; git worktree add -q ../linked x;"
	"git submodule --quiet add ../lib sub; git commit -q -m sub;"
	"git -C ../linked sparse-checkout set --cone a 2>/dev/null;"
	"git config lfs.repositoryformatversion 0; git config lfs.https://h/x/info/lfs.access basic;"
	"git config http.https://h/.extraheader \"AUTHORIZATION: basic abc\";"
	"git maintenance run --auto --quiet; git config --unset core.autocrlf;"
	"cd ..; git clone -q --recurse-submodules top copy;"
	"git clone -q --bare top bare.git; git clone -q --mirror lib mirror.git; git init -q --shared=group shared;"
	"git -C lib config uploadpack.allowFilter true; git clone -q --filter=blob:none file://$PWD/lib partial; git "
	"clone -q --depth 1 file://$PWD/lib shallow;"
	"git init -q --separate-git-dir=$PWD/apart joined; git init -q --object-format=sha256 new";

static unsigned judge_all_below(const char *folder);

static unsigned judge_one(const char *path, const char *name, const struct stat *st)
{
	static char bytes[1 << 16];
	char reason[256];
	if (S_ISDIR(st->st_mode))
		return judge_all_below(path);
	if (strcmp(name, "config") != 0 && strcmp(name, "config.worktree") != 0)
		return 0;
	size_t len = git_rig_read(path, bytes, sizeof bytes);
	if (!git_config_judge(path, (const uint8_t *)bytes, len, reason, sizeof reason))
		fail_msg("%s: %s\n%.*s", path, reason, (int)len, bytes);
	return 1;
}

static unsigned judge_all_below(const char *folder)
{
	unsigned count = 0;
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char path[4096];
		struct stat st;
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && lstat(path, &st) == 0)
			count += judge_one(path, entry->d_name, &st);
	}
	(void)closedir(dir);
	return count;
}

static void test_what_git_writes_is_taken(void **state)
{
	(void)state;
	char *folder = git_rig_new();
	assert_int_equal(git_rig_run(folder, ordinary_work), 0);
	unsigned count = judge_all_below(folder);
	assert_int_equal(count, 13);
	git_rig_remove(folder);
}

/* What the judge calls harmful does run a program, so that the rows above prove something. */
static void test_git_runs_what_is_refused(void **state)
{
	(void)state;
	static const char *const attacks[][2] = {
		{"[core]\nfsmonitor = \"touch ran; false\"\n", "git status"},
		{"[alias]\nx = !touch ran\n", "git x"},
		{"[core]\nsshCommand = \"touch ran; false\"\n", "git fetch ssh://localhost/x"},
		{"[diff]\nexternal = touch ran;\n", "git diff"},
		{"[filter \"f\"]\nclean = touch ran; cat\n",
		 "echo \"a filter=f\" >.gitattributes; git status; git add a"},
		{"[rebase]\ninstructionFormat = \"%s%nexec touch $PWD/ran\"\n",
		 "git stash -q; git rebase --no-ff HEAD~1"},
		{"[include]\npath = ../more\n", "git status"},
		{"[remote \"o\"]\nurl = .\nuploadpack = touch ran; git-upload-pack\n", "git fetch o"},
		{"[submodule \"s\"]\nupdate = !touch ran\n", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(attacks) && attacks[i][1] != NULL; i++) {
		char *folder = git_rig_new();
		char path[256], script[1024], reason[256];
		assert_int_equal(git_rig_run(folder,
					     "git init -q .; echo 1 >a; git add a;"
					     "git commit -qm x;"
					     "git commit -q --allow-empty -m y; echo 2 >a;"
					     "printf \"[core]\\nfsmonitor = \\\"touch ran; false\\\"\\n\" >more"),
				 0);
		(void)snprintf(path, sizeof path, "%s/.git/config", folder);
		git_rig_write(path, attacks[i][0], strlen(attacks[i][0]));
		assert_false(judge(path, attacks[i][0], reason));
		(void)snprintf(script, sizeof script, "%s || true; test -e ran", attacks[i][1]);
		if (git_rig_run(folder, script) != 0)
			fail_msg("git ran nothing: %s", attacks[i][0]);
		git_rig_remove(folder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_what_git_reads),
		cmocka_unit_test(test_a_nul_byte_is_refused),
		cmocka_unit_test(test_names_and_values_have_a_maximum),
		cmocka_unit_test(test_the_visitor_can_stop),
		cmocka_unit_test(test_harmless_keys_are_taken),
		cmocka_unit_test(test_harmful_keys_are_named),
		cmocka_unit_test(test_what_stands_there_may_stay),
		cmocka_unit_test(test_not_everything_is_looked_up),
		cmocka_unit_test(test_a_reason_is_cut_and_plain),
		cmocka_unit_test(test_a_worktree_is_the_repositorys_own),
		cmocka_unit_test(test_git_reads_the_cases_the_same_way),
		cmocka_unit_test(test_git_reads_random_content_the_same_way),
		cmocka_unit_test(test_what_git_writes_is_taken),
		cmocka_unit_test(test_git_runs_what_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
