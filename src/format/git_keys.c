#include "format/git_keys.h"

#include <string.h>

#include "format/git_link.h"
#include "format/path.h"

enum section_form {
	PLAIN = 0, /* [section] */
	NAMED,	   /* [section "name"] */
	EITHER,
};

enum check {
	FLAG = 0, /* true, false and what else git takes for them, or one of the words */
	COUNT,	  /* a number with k, m, g, or one of FLAG's */
	WORD,	  /* one of the words, or without words any of letters, digits, '-', '_', '.' */
	TEXT,	  /* no control byte */
	NAME,	  /* TEXT that cannot be taken for an option */
	PROSE,	  /* TEXT with newlines and tabs */
	REMOTE,	  /* name or address of a remote */
	INSIDE,	  /* a relative path that does not lead upwards */
	SHARED,	  /* core.sharedRepository */
	WORKTREE, /* core.worktree */
};

/* Keys are lower case and parted by a space; "*" is any key. words: parted by '|'. */
struct key_row {
	const char *section;
	enum section_form form;
	enum check check;
	const char *keys;
	const char *words;
};

/* Left out with a thought: core.protectHFS, core.protectNTFS, http.sslVerify, http.followRedirects, fetch.fsckObjects
 * (weaken git itself); merge.tool, diff.tool, pull.twohead, branch.*.mergeOptions (choose a program); mailmap.file,
 * commit.template, core.excludesFile, core.attributesFile (paths); rebase.instructionFormat ("%nexec ..." becomes a line
 * of the todo list); push.pushOption (speaks to the server for the user); url.* (leads pushes elsewhere). */
static const struct key_row rows[] = {
	{"core", PLAIN, FLAG,
	 "filemode bare symlinks ignorecase precomposeunicode trustctime quotepath sparsecheckout sparsecheckoutcone "
	 "preloadindex multipackindex commitgraph ignorestat warnambiguousrefs usereplacerefs longpaths fscache "
	 "fsyncobjectfiles",
	 NULL},
	{"core", PLAIN, COUNT,
	 "repositoryformatversion compression loosecompression packedgitwindowsize packedgitlimit deltabasecachelimit "
	 "bigfilethreshold filesreflocktimeout packedrefstimeout maxtreedepth",
	 NULL},
	{"core", PLAIN, WORD, "fsmonitor", "true|false"}, /* git before 2.36 ran any other word as a program */
	{"core", PLAIN, FLAG, "logallrefupdates", "always"},
	{"core", PLAIN, FLAG, "autocrlf", "input"},
	{"core", PLAIN, FLAG, "safecrlf", "warn"},
	{"core", PLAIN, FLAG, "untrackedcache", "keep"},
	{"core", PLAIN, FLAG, "hidedotfiles", "dotgitonly"},
	{"core", PLAIN, COUNT, "abbrev", "auto"},
	{"core", PLAIN, WORD, "eol", "lf|crlf|native"},
	{"core", PLAIN, WORD, "checkstat", "default|minimal"},
	{"core", PLAIN, WORD, "createobject", "link|rename"},
	{"core", PLAIN, WORD, "fsyncmethod", "fsync|writeout-only|batch"},
	{"core", PLAIN, TEXT, "fsync whitespace commentchar commentstring checkroundtripencoding", NULL},
	{"core", PLAIN, NAME, "notesref", NULL},
	{"core", PLAIN, SHARED, "sharedrepository", NULL},
	{"core", PLAIN, WORKTREE, "worktree", NULL},
	{"extensions", PLAIN, FLAG, "worktreeconfig preciousobjects relativeworktrees", NULL},
	{"extensions", PLAIN, TEXT, "noop noop-v1", NULL},
	{"extensions", PLAIN, WORD, "objectformat compatobjectformat", "sha1|sha256"},
	{"extensions", PLAIN, WORD, "refstorage", "files|reftable"},
	{"extensions", PLAIN, REMOTE, "partialclone", NULL},
	{"remote", NAMED, REMOTE, "url pushurl", NULL},
	{"remote", NAMED, NAME, "fetch push partialclonefilter followremotehead gh-resolved", NULL},
	{"remote", NAMED, FLAG, "mirror prune prunetags skipdefaultupdate skipfetchall promisor", NULL},
	{"remote", NAMED, WORD, "tagopt", "--tags|--no-tags"},
	{"remote", PLAIN, REMOTE, "pushdefault", NULL},
	{"branch", NAMED, REMOTE, "remote pushremote", NULL},
	{"branch", NAMED, NAME, "merge vscode-merge-base github-pr-owner-number", NULL},
	{"branch", NAMED, FLAG, "rebase", "interactive|merges|preserve|i|m|p"},
	{"branch", NAMED, PROSE, "description", NULL},
	{"branch", PLAIN, FLAG, "autosetupmerge", "always|inherit|simple"},
	{"branch", PLAIN, WORD, "autosetuprebase", "never|local|remote|always"},
	{"branch", PLAIN, TEXT, "sort", NULL},
	{"submodule", NAMED, REMOTE, "url", NULL},
	{"submodule", NAMED, FLAG, "active shallow", NULL},
	{"submodule", NAMED, NAME, "branch", NULL},
	{"submodule", NAMED, INSIDE, "path", NULL},
	{"submodule", NAMED, WORD, "update", "checkout|rebase|merge|none"},
	{"submodule", NAMED, WORD, "ignore", "none|untracked|dirty|all"},
	{"submodule", NAMED, FLAG, "fetchrecursesubmodules", "on-demand"},
	{"submodule", PLAIN, TEXT, "active", NULL},
	{"submodule", PLAIN, FLAG, "recurse propagatebranches", NULL},
	{"submodule", PLAIN, COUNT, "fetchjobs", NULL},
	{"submodule", PLAIN, WORD, "alternatelocation", "superproject|no"},
	{"submodule", PLAIN, WORD, "alternateerrorstrategy", "die|info|ignore"},
	{"user", PLAIN, TEXT, "name email", NULL},
	{"user", PLAIN, NAME, "signingkey", NULL},
	{"user", PLAIN, FLAG, "useconfigonly", NULL},
	{"author", PLAIN, TEXT, "name email", NULL},
	{"committer", PLAIN, TEXT, "name email", NULL},
	{"init", PLAIN, NAME, "defaultbranch", NULL},
	{"color", EITHER, FLAG, "*", NULL},
	{"color", EITHER, TEXT, "*", NULL},
	{"column", PLAIN, FLAG, "*", NULL},
	{"column", PLAIN, TEXT, "*", NULL},
	{"advice", PLAIN, FLAG, "*", NULL},
	{"pull", PLAIN, FLAG, "rebase", "interactive|merges|preserve|i|m|p"},
	{"pull", PLAIN, FLAG, "ff", "only"},
	{"push", PLAIN, WORD, "default", "nothing|current|upstream|tracking|simple|matching"},
	{"push", PLAIN, FLAG, "autosetupremote followtags useforceifincludes negotiate usebitmaps", NULL},
	{"push", PLAIN, FLAG, "gpgsign", "if-asked"},
	{"push", PLAIN, FLAG, "recursesubmodules", "check|on-demand|only"},
	{"fetch", PLAIN, FLAG, "prune prunetags all showforcedupdates writecommitgraph", NULL},
	{"fetch", PLAIN, COUNT, "parallel unpacklimit", NULL},
	{"fetch", PLAIN, FLAG, "recursesubmodules", "on-demand"},
	{"fetch", PLAIN, WORD, "output", "full|compact"},
	{"fetch", PLAIN, WORD, "negotiationalgorithm", "consecutive|skipping|noop|default"},
	{"merge", PLAIN, WORD, "conflictstyle", "merge|diff3|zdiff3"},
	{"merge", PLAIN, FLAG, "ff", "only"},
	{"merge", PLAIN, FLAG, "renames", "copies|copy"},
	{"merge", PLAIN, FLAG, "directoryrenames", "conflict"},
	{"merge", PLAIN, FLAG, "stat", "compact|diffstat"},
	{"merge", PLAIN, FLAG, "autostash branchdesc renormalize defaulttoupstream", NULL},
	{"merge", PLAIN, COUNT, "log renamelimit verbosity", NULL},
	{"diff", PLAIN, WORD, "algorithm", "default|myers|minimal|patience|histogram"},
	{"diff", PLAIN, FLAG, "renames", "copies|copy"},
	{"diff", PLAIN, FLAG, "colormoved", "no|default|plain|blocks|zebra|dimmed-zebra|dimmed_zebra"},
	{"diff", PLAIN, TEXT, "colormovedws wserrorhighlight dirstat", NULL},
	{"diff", PLAIN, WORD, "submodule", "short|log|diff"},
	{"diff", PLAIN, WORD, "ignoresubmodules", "none|untracked|dirty|all"},
	{"diff", PLAIN, FLAG, "mnemonicprefix noprefix indentheuristic suppressblankempty autorefreshindex relative",
	 NULL},
	{"diff", PLAIN, COUNT, "context interhunkcontext renamelimit statgraphwidth statnamewidth", NULL},
	{"log", PLAIN, FLAG, "abbrevcommit showroot follow mailmap", NULL},
	{"log", PLAIN, FLAG, "decorate", "short|full|auto"},
	{"log", PLAIN, TEXT, "date graphcolors diffmerges", NULL},
	{"status", PLAIN, FLAG, "branch short showstash aheadbehind relativepaths displaycommentprefix", NULL},
	{"status", PLAIN, FLAG, "renames", "copies|copy"},
	{"status", PLAIN, COUNT, "renamelimit submodulesummary", NULL},
	{"status", PLAIN, FLAG, "showuntrackedfiles", "no|normal|all"},
	{"gc", PLAIN, COUNT, "auto autopacklimit bigpackthreshold aggressivedepth aggressivewindow maxcruftsize", NULL},
	{"gc", PLAIN, FLAG, "autodetach cruftpacks writecommitgraph", NULL},
	{"gc", PLAIN, FLAG, "packrefs", "notbare"},
	{"gc", EITHER, TEXT, "reflogexpire reflogexpireunreachable", NULL},
	{"gc", PLAIN, TEXT, "pruneexpire worktreepruneexpire rerereresolved rerereunresolved logexpiry", NULL},
	{"maintenance", PLAIN, FLAG, "auto autodetach", NULL},
	{"maintenance", PLAIN, WORD, "strategy", NULL},
	{"maintenance", NAMED, FLAG, "enabled", NULL},
	{"maintenance", NAMED, COUNT, "auto", NULL},
	{"maintenance", NAMED, WORD, "schedule", NULL},
	{"pack", PLAIN, COUNT,
	 "window depth windowmemory deltacachesize deltacachelimit threads indexversion compression packsizelimit "
	 "allowpackreuse",
	 NULL},
	{"pack", PLAIN, FLAG,
	 "usebitmaps usebitmapboundarytraversal writebitmaphashcache writebitmaplookuptable usesparse "
	 "writereverseindex readreverseindex",
	 NULL},
	{"pack", PLAIN, WORD, "allowpackreuse", "single|multi"},
	{"repack", PLAIN, FLAG, "usedeltabaseoffset packkeptobjects writebitmaps updateserverinfo usedeltaislands",
	 NULL},
	{"index", PLAIN, COUNT, "version threads", NULL},
	{"index", PLAIN, FLAG, "sparse skiphash recordoffsettable recordendofindexentries", NULL},
	{"feature", PLAIN, FLAG, "experimental manyfiles", NULL},
	{"commit", PLAIN, FLAG, "gpgsign status", NULL},
	{"commit", PLAIN, COUNT, "verbose", NULL},
	{"commit", PLAIN, WORD, "cleanup", NULL},
	{"tag", PLAIN, FLAG, "gpgsign forcesignannotated", NULL},
	{"tag", PLAIN, TEXT, "sort", NULL},
	{"gpg", PLAIN, WORD, "format", "openpgp|x509|ssh"},
	{"rerere", PLAIN, FLAG, "enabled autoupdate", NULL},
	{"rebase", PLAIN, FLAG,
	 "autosquash autostash updaterefs stat forkpoint abbreviatecommands reschedulefailedexec", NULL},
	{"rebase", PLAIN, FLAG, "rebasemerges", "rebase-cousins|no-rebase-cousins"},
	{"rebase", PLAIN, WORD, "missingcommitscheck", "ignore|warn|error"},
	{"rebase", PLAIN, WORD, "backend", "apply|merge"},
	{"http", EITHER, COUNT, "postbuffer maxrequestbuffer maxrequests minsessions lowspeedlimit lowspeedtime", NULL},
	{"http", EITHER, WORD, "version", "HTTP/1.1|HTTP/2"},
	{"http", NAMED, TEXT, "extraheader", NULL}, /* goes to the server that it is for; starts nothing */
	{"credential", EITHER, NAME, "username", NULL},
	{"credential", EITHER, FLAG, "usehttppath", NULL},
	{"lfs", PLAIN, COUNT, "repositoryformatversion", NULL},
	{"lfs", NAMED, FLAG, "locksverify", NULL},
	{"lfs", NAMED, WORD, "access", "none|basic|negotiate"},
	{"protocol", PLAIN, COUNT, "version", NULL},
	{"checkout", PLAIN, REMOTE, "defaultremote", NULL},
	{"checkout", PLAIN, FLAG, "guess", NULL},
	{"checkout", PLAIN, COUNT, "workers thresholdforparallelism", NULL},
	{"worktree", PLAIN, FLAG, "guessremote userelativepaths", NULL},
	{"grep", PLAIN, FLAG, "linenumber column fullname extendedregexp fallbacktonoindex", NULL},
	{"grep", PLAIN, COUNT, "threads", NULL},
	{"grep", PLAIN, WORD, "patterntype", NULL},
	{"i18n", PLAIN, WORD, "commitencoding logoutputencoding", NULL},
	{"add", PLAIN, FLAG, "ignoreerrors ignore-errors", NULL},
	{"apply", PLAIN, WORD, "whitespace ignorewhitespace", NULL},
	{"blame", PLAIN, FLAG, "blankboundary showemail showroot", NULL},
	{"blame", PLAIN, WORD, "coloring", NULL},
	{"blame", PLAIN, INSIDE, "ignorerevsfile", NULL},
	{"stash", PLAIN, FLAG, "showpatch showstat showincludeuntracked", NULL},
	{"am", PLAIN, FLAG, "keepcr threeway messageid", NULL},
	{"receive", PLAIN, FLAG, "denycurrentbranch", "ignore|warn|refuse|updateinstead"},
	{"receive", PLAIN, FLAG, "denynonfastforwards denydeletes", NULL},
	{"uploadpack", PLAIN, FLAG, "allowfilter allowanysha1inwant allowtipsha1inwant allowreachablesha1inwant", NULL},
};

/* What is known to be harmful, for the reason alone: whatever is not in rows is refused. First match counts. */
struct objection_row {
	const char *section;
	enum section_form form;
	const char *keys;
	const char *text;
};

static const char RUNS[] = "names a program";
static const char READS[] = "names a file that git would read as configuration";
static const char PATH[] = "names a path";
static const char LEADS[] = "leads the user's transfers elsewhere";
static const char WEAKENS[] = "weakens git's own checks";

static const struct objection_row objections[] = {
	{"core", PLAIN,
	 "fsmonitor hookspath sshcommand editor pager askpass gitproxy alternaterefscommand virtualfilesystem", RUNS},
	{"core", PLAIN, "attributesfile excludesfile", PATH},
	{"core", PLAIN, "protecthfs protectntfs", WEAKENS},
	{"alias", EITHER, "*", RUNS},
	{"filter", EITHER, "*", RUNS},
	{"hook", EITHER, "*", RUNS},
	{"diff", EITHER, "external command textconv tool guitool", RUNS},
	{"difftool", EITHER, "*", RUNS},
	{"merge", EITHER, "driver tool guitool", RUNS},
	{"mergetool", EITHER, "*", RUNS},
	{"pager", EITHER, "*", RUNS},
	{"sequence", EITHER, "*", RUNS},
	{"browser", EITHER, "*", RUNS},
	{"web", EITHER, "*", RUNS},
	{"man", EITHER, "*", RUNS},
	{"help", EITHER, "browser autocorrect", RUNS},
	{"instaweb", EITHER, "*", RUNS},
	{"guitool", EITHER, "*", RUNS},
	{"sendemail", EITHER, "*", RUNS},
	{"imap", EITHER, "*", RUNS},
	{"trailer", NAMED, "cmd command", RUNS},
	{"interactive", EITHER, "difffilter", RUNS},
	{"gpg", EITHER, "program defaultkeycommand", RUNS},
	{"uploadpack", EITHER, "packobjectshook", RUNS},
	{"gc", EITHER, "recentobjectshook", RUNS},
	{"rebase", EITHER, "instructionformat", RUNS},
	{"pull", EITHER, "twohead octopus", RUNS},
	{"branch", NAMED, "mergeoptions", RUNS},
	{"remote", NAMED, "uploadpack receivepack vcs", RUNS},
	{"remote", NAMED, "proxy proxyauthmethod", LEADS},
	{"submodule", NAMED, "gitdir", PATH},
	{"lfs", EITHER, "path clean smudge standalonetransferagent", RUNS},
	{"credential", EITHER, "helper", RUNS},
	{"init", EITHER, "templatedir", RUNS},
	{"include", EITHER, "*", READS},
	{"includeif", EITHER, "*", READS},
	{"url", EITHER, "*", LEADS},
	{"http", EITHER, "proxy proxyauthmethod cookiefile extraheader curloptresolve", LEADS},
	{"http", EITHER, "sslverify sslcainfo sslcapath sslcert sslkey followredirects", WEAKENS},
	{"protocol", EITHER, "*", WEAKENS},
	{"safe", EITHER, "*", WEAKENS},
	{"transfer", EITHER, "*", WEAKENS},
	{"fsck", EITHER, "*", WEAKENS},
	{"commit", EITHER, "template", PATH},
	{"mailmap", EITHER, "*", PATH},
};

static bool text_is(struct str text, const char *word)
{
	size_t len = strlen(word);
	return text.len == len && memcmp(text.ptr, word, len) == 0;
}

static bool in_list(const char *list, char separator, struct str text)
{
	for (;;) {
		const char *end = strchr(list, separator);
		size_t len = end == NULL ? strlen(list) : (size_t)(end - list);
		if (text.len == len && memcmp(text.ptr, list, len) == 0)
			return true;
		if (end == NULL)
			return false;
		list = end + 1;
	}
}

static bool form_fits(enum section_form form, const struct git_config_entry *entry)
{
	return form == EITHER || entry->has_subsection == (form == NAMED);
}

static bool row_names(const char *section, enum section_form form, const char *keys,
		      const struct git_config_entry *entry)
{
	return text_is(entry->section, section) && form_fits(form, entry) &&
	       (strcmp(keys, "*") == 0 || in_list(keys, ' ', entry->key));
}

static bool has_control(struct str text, const char *except)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < 0x20 && strchr(except, text.ptr[i]) == NULL)
			return true;
	return memchr(text.ptr, 0x7f, text.len) != NULL || memchr(text.ptr, '\0', text.len) != NULL;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.';
}

static bool is_word(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_word_char(text.ptr[i]))
			return false;
	return text.len > 0 && text.ptr[0] != '-';
}

static bool is_name(struct str text)
{
	return text.len > 0 && text.ptr[0] != '-' && !has_control(text, "");
}

static bool is_flag(struct str text)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "1", "0", ""};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (str_eq_nocase(text, (struct str){words[i], strlen(words[i])}))
			return true;
	return false;
}

static bool is_count(struct str text)
{
	size_t i = text.len > 0 && text.ptr[0] == '-';
	size_t end = text.len;
	if (end > i && strchr("kKmMgG", text.ptr[end - 1]) != NULL)
		end--;
	if (end == i || end - i > 18)
		return false;
	for (; i < end; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	return true;
}

/* "0640" and the words of git-init(1). */
static bool is_shared(struct str text)
{
	bool octal = text.len == 4 && text.ptr[0] == '0' && is_count(text);
	return octal || text_is(text, "2") || is_flag(text) || in_list("umask|group|all|world|everybody", '|', text);
}

static bool has_component(struct str path, const char *component)
{
	struct str piece;
	while (str_next(&path, '/', &piece))
		if (text_is(piece, component))
			return true;
	return false;
}

static bool is_inside(struct str text)
{
	return is_name(text) && text.ptr[0] != '/' && text.ptr[0] != '~' && !has_component(text, "..") &&
	       !has_component(text, ".git");
}

/* git's is_urlschemechar. */
static size_t scheme_length(struct str text)
{
	size_t len = 0;
	while (len < text.len && (is_word_char(text.ptr[len]) || text.ptr[len] == '+') && text.ptr[len] != '_')
		len++;
	return len;
}

/* "%0a" in an address becomes a newline in what git tells credential helpers. */
static bool has_coded_control(struct str text)
{
	for (size_t i = 0; i + 1 < text.len; i++)
		if (text.ptr[i] == '%' && (text.ptr[i + 1] == '0' || text.ptr[i + 1] == '1'))
			return true;
	return false;
}

bool git_keys_remote_is_harmless(struct str value)
{
	if (!is_name(value) || has_coded_control(value))
		return false;
	size_t len = scheme_length(value);
	struct str scheme = {value.ptr, len}, rest = {value.ptr + len, value.len - len};
	if (str_starts(rest, STR("::")))
		return false; /* git-remote-SCHEME */
	if (!str_starts(rest, STR("://")))
		return true; /* a name, a path, or host:path */
	if (!in_list("https|http|ssh|git|file|git+ssh|ssh+git", '|', scheme))
		return false; /* git-remote-SCHEME again */
	return rest.len > 3 && rest.ptr[3] != '-';
}

/* The folder that holds `.git`, and what of the configuration's folder lies below `.git`. */
static bool split_at_git(struct str folder, struct str *ret_top, struct str *ret_below)
{
	static const struct str mark = {"/.git", 5};
	for (size_t i = 0; i + mark.len <= folder.len; i++) {
		struct str tail = {folder.ptr + i, folder.len - i};
		if (!str_starts(tail, mark) || (tail.len > mark.len && tail.ptr[mark.len] != '/'))
			continue;
		*ret_top = (struct str){folder.ptr, i};
		*ret_below = (struct str){tail.ptr + mark.len, tail.len - mark.len};
		return true;
	}
	return false;
}

/* The folder that holds .git; for a submodule any place below it, which is where git submodule writes it. Anything else
 * would let the user's next checkout write there. */
static bool is_own_worktree(struct str value, const char *target)
{
	char resolved[GIT_LINK_PATH_MAX];
	struct str folder = path_parent(str_from(target)), top, below;
	if (!is_name(value) || !split_at_git(folder, &top, &below) ||
	    !path_resolve(folder, value, resolved, sizeof resolved))
		return false;
	struct str place = str_from(resolved);
	if (below.len == 0)
		return str_eq(place, top);
	return str_starts(below, STR("/modules/")) && str_starts(place, top) && place.len > top.len &&
	       place.ptr[top.len] == '/' && !has_component(place, ".git");
}

typedef bool (*check_fn)(const struct key_row *row, struct str value, const char *target);

static bool check_flag(const struct key_row *row, struct str value, const char *target)
{
	(void)target;
	return is_flag(value) || (row->words != NULL && in_list(row->words, '|', value));
}

static bool check_count(const struct key_row *row, struct str value, const char *target)
{
	return is_count(value) || check_flag(row, value, target);
}

static bool check_word(const struct key_row *row, struct str value, const char *target)
{
	(void)target;
	return row->words == NULL ? is_word(value) : in_list(row->words, '|', value);
}

static bool check_text(const struct key_row *row, struct str value, const char *target)
{
	(void)row, (void)target;
	return !has_control(value, "");
}

static bool check_name(const struct key_row *row, struct str value, const char *target)
{
	(void)row, (void)target;
	return is_name(value);
}

static bool check_prose(const struct key_row *row, struct str value, const char *target)
{
	(void)row, (void)target;
	return !has_control(value, "\n\t");
}

static bool check_remote(const struct key_row *row, struct str value, const char *target)
{
	(void)row, (void)target;
	return git_keys_remote_is_harmless(value);
}

static bool check_inside(const struct key_row *row, struct str value, const char *target)
{
	(void)row, (void)target;
	return is_inside(value);
}

static bool check_shared(const struct key_row *row, struct str value, const char *target)
{
	(void)row, (void)target;
	return is_shared(value);
}

static bool check_worktree(const struct key_row *row, struct str value, const char *target)
{
	(void)row;
	return is_own_worktree(value, target);
}

static const check_fn checks[] = {
	[FLAG] = check_flag,	 [COUNT] = check_count,	      [WORD] = check_word,     [TEXT] = check_text,
	[NAME] = check_name,	 [PROSE] = check_prose,	      [REMOTE] = check_remote, [INSIDE] = check_inside,
	[SHARED] = check_shared, [WORKTREE] = check_worktree,
};

/* A key that stands alone is true. */
static bool value_fits(const struct key_row *row, const struct git_config_entry *entry, const char *target)
{
	if (!entry->has_value)
		return row->check == FLAG || row->check == COUNT;
	return checks[row->check](row, entry->value, target);
}

static const char *value_objection(enum check check)
{
	if (check == REMOTE)
		return "names a transport that runs a program";
	if (check == WORKTREE)
		return "names a folder that is not this repository's";
	if (check == INSIDE)
		return PATH;
	return "has a value that is not harmless";
}

static const char *known_objection(const struct git_config_entry *entry)
{
	for (size_t i = 0; i < sizeof objections / sizeof objections[0]; i++) {
		const struct objection_row *row = &objections[i];
		if (row_names(row->section, row->form, row->keys, entry))
			return row->text;
	}
	return NULL;
}

const char *git_keys_objection(const struct git_config_entry *entry, const char *target)
{
	const char *known = known_objection(entry);
	const char *wrong = known != NULL ? known : "is not on the list of harmless keys";
	if (text_is(entry->section, "submodule") && entry->has_subsection && has_component(entry->subsection, ".."))
		return PATH;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (!row_names(rows[i].section, rows[i].form, rows[i].keys, entry))
			continue;
		if (value_fits(&rows[i], entry, target))
			return NULL;
		wrong = known != NULL ? known : value_objection(rows[i].check);
	}
	return wrong;
}
