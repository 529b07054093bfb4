#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "doc_listing.h"
#include "policy/load.h"

enum { MAX = 1 << 20 };

/* ---- rig --------------------------------------------------------------------------------------------------------- */

static void expect_kind(enum policy_doc_kind kind, const char *text, const char *expected)
{
	auto_arena struct arena arena;
	auto_buf struct buf out;
	struct problems problems = {0};
	struct berm_err err = {0};
	const struct policy_doc *doc = NULL;
	arena_init(&arena, MAX);
	buf_init(&out, MAX);
	enum berm_code code =
		policy_load(&arena, (struct policy_from){kind, "p.yaml"}, str_from(text), &doc, &problems, &err);
	assert_true(code == BERM_OK || code == BERM_ERR_PARSE || code == BERM_ERR_NOMEM);
	assert_int_not_equal(code, BERM_ERR_NOMEM);
	assert_int_equal(code == BERM_OK, problems.count == 0);
	assert_int_equal(code == BERM_OK, doc != NULL);
	if (code == BERM_OK)
		doc_listing(doc, &out);
	else
		problems_print(&problems, &out);
	buf_putc(&out, '\0');
	assert_false(out.failed);
	assert_string_equal(out.data, expected);
	if (code != BERM_OK)
		assert_int_equal(strncmp(out.data, err.msg, strcspn(out.data, "\n")), 0);
}

static void expect(const char *text, const char *expected)
{
	expect_kind(POLICY_DOC_FILE, text, expected);
}

static const struct policy_from own = {POLICY_DOC_FILE, "p"};

struct load_case {
	const char *text, *expected;
};

static void expect_all(const struct load_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		expect(cases[i].text, cases[i].expected);
}

/* ---- what may be said -------------------------------------------------------------------------------------------- */

static const char example[] = "berm: 1\n"
			      "name: web-agent\n"
			      "about: builds pages\n"
			      "extends: [claude-code]\n"
			      "groups: [git, node, -docker]\n"
			      "filesystem:\n"
			      "  read:    [/opt/data]\n"
			      "  write:   [.]\n"
			      "  delete:  [./build]\n"
			      "  exec:    [/opt/tools/bin]\n"
			      "  deny:    [\"**/.env\", \"~/.ssh\"]\n"
			      "  replace: [~/.claude.json]\n"
			      "  protect: [\"**/.envrc\", {path: \"**/.git/config\", accept: git-config}]\n"
			      "  ask:     [\"~/Documents\"]\n"
			      "  default: ask\n"
			      "  tmp: private\n"
			      "  view: auto\n"
			      "network:\n"
			      "  mode: filtered\n"
			      "  default: deny\n"
			      "  allow:\n"
			      "    - docs.example.org\n"
			      "    - \"*.githubusercontent.com:443\"\n"
			      "    - to: api.github.com\n"
			      "      by: [/usr/bin/git, gh]\n"
			      "      http: [\"GET /repos/**\", \"POST /graphql query:viewer\"]\n"
			      "    - to: 10.0.0.0/8:5432\n"
			      "    - { to: \"db.default.svc:5432\", private: true }\n"
			      "  deny:  [\"gist.github.com\"]\n"
			      "  publish: [\"3000\"]\n"
			      "  reach:   [5432]\n"
			      "  sockets: [/run/postgresql/.s.PGSQL.5432]\n"
			      "  upstream: http://proxy.corp:3128\n"
			      "secrets:\n"
			      "  anthropic:\n"
			      "    from: keyring://anthropic\n"
			      "    to:   [api.anthropic.com]\n"
			      "    as:   header x-api-key\n"
			      "    env:  ANTHROPIC_API_KEY\n"
			      "environment: { pass: [LANG, \"LC_*\", TERM], set: { CI: \"1\", N: 2 } }\n"
			      "process:\n"
			      "  limits: { memory: 8GiB, processes: 1024, wall: 2h }\n"
			      "  may:    [ptrace]\n"
			      "commands:\n"
			      "  - { run: \"git push **\", decision: ask }\n"
			      "  - { run: \"rm -rf /**\",  decision: deny }\n"
			      "approvals: { mode: ask, by: [terminal], timeout: 60s }\n"
			      "wants: { network: [registry.corp.example] }\n"
			      "undo:  { mode: auto }\n"
			      "trust: { require: [], publishers: [] }\n"
			      "tests:\n"
			      "  - { read: ~/.ssh/id_ed25519, is: deny }\n"
			      "  - { get: https://api.github.com/repos/x/y, by: git, is: allow }\n";

static const char example_listing[] =
	"name web-agent\n"
	"about builds pages\n"
	"berm 1\n"
	"extends claude-code\n"
	"groups git\n"
	"groups node\n"
	"groups -docker\n"
	"filesystem.read /opt/data\n"
	"filesystem.write .\n"
	"filesystem.delete ./build\n"
	"filesystem.exec /opt/tools/bin\n"
	"filesystem.deny **/.env\n"
	"filesystem.deny ~/.ssh\n"
	"filesystem.replace ~/.claude.json\n"
	"filesystem.protect **/.envrc\n"
	"filesystem.protect **/.git/config {accept git-config}\n"
	"filesystem.ask ~/Documents\n"
	"filesystem.default ask\n"
	"filesystem.tmp private\n"
	"filesystem.view auto\n"
	"network.mode filtered\n"
	"network.default deny\n"
	"network.allow docs.example.org\n"
	"network.allow *.githubusercontent.com:443\n"
	"network.allow api.github.com {by /usr/bin/git, by gh, http GET /repos/**, http POST /graphql query:viewer}\n"
	"network.allow 10.0.0.0/8:5432\n"
	"network.allow db.default.svc:5432 {private true}\n"
	"network.deny gist.github.com\n"
	"network.publish 3000\n"
	"network.reach 5432\n"
	"network.sockets /run/postgresql/.s.PGSQL.5432\n"
	"network.upstream http://proxy.corp:3128\n"
	"secrets anthropic {from keyring://anthropic, to api.anthropic.com, as header x-api-key, env "
	"ANTHROPIC_API_KEY}\n"
	"environment.pass LANG\n"
	"environment.pass LC_*\n"
	"environment.pass TERM\n"
	"environment.set CI=1\n"
	"environment.set N=2\n"
	"process.limits.memory 8GiB\n"
	"process.limits.processes 1024\n"
	"process.limits.wall 2h\n"
	"process.may ptrace\n"
	"commands git push ** {decision ask}\n"
	"commands rm -rf /** {decision deny}\n"
	"approvals.mode ask\n"
	"approvals.by terminal\n"
	"approvals.timeout 60s\n"
	"wants network.allow registry.corp.example\n"
	"undo.mode auto\n"
	"tests read ~/.ssh/id_ed25519 {is deny}\n"
	"tests get https://api.github.com/repos/x/y {by git, is allow}\n";

static void test_everything_is_read(void **state)
{
	(void)state;
	expect(example, example_listing);
}

static const struct load_case good[] = {
	{"", ""},
	{"# nothing\n", ""},
	{"{}", ""},
	{"{\"berm\": 1, \"filesystem\": {\"deny\": [{\"path\": \"~/a\", \"why\": \"x\"}]}}",
	 "berm 1\nfilesystem.deny ~/a {why x}\n"},
	/* an empty list says something in two places */
	{"berm: 1\r\nfilesystem:\r\n  deny:\r\n    - ~/.ssh\r\n", "berm 1\nfilesystem.deny ~/.ssh\n"},
	{"extends: []\n", "extends \n"},
	{"filesystem: {delete: [], read: [], deny: []}\n", "filesystem.delete \n"},
	/* conditions */
	{"when: {os: linux, arch: [x86_64, arm64], distro: [debian, fedora], network: host}\n",
	 "when  {when.os linux, when.arch x86_64, when.arch arm64, when.distro debian, when.distro fedora, "
	 "when.network "
	 "host}\n"},
	{"filesystem: {read: [{path: /a, when: {os: macos}, why: because, extent: file}]}\n",
	 "filesystem.read /a {when.os macos, why because, extent file}\n"},
	{"groups: [{name: node, when: {os: linux}}]\n", "groups node {when.os linux}\n"},
	/* one for a list of one */
	{"filesystem: {deny: [{path: ~/x, except: ~/x/y}]}\n", "filesystem.deny ~/x {except ~/x/y}\n"},
	{"filesystem: {protect: [{path: \"**/hooks\", beside: ../refs, in-place: true, removable: false, mkdir-only: "
	 "true, "
	 "label: hooks}]}\n",
	 "filesystem.protect **/hooks {beside ../refs, in-place true, removable false, mkdir-only true, label "
	 "hooks}\n"},
	{"filesystem: {scratch: [{path: $XDG_CACHE_HOME, variable: XDG_CACHE_HOME}], cache: shared}\n",
	 "filesystem.scratch $XDG_CACHE_HOME {variable XDG_CACHE_HOME}\nfilesystem.cache shared\n"},
	{"override: [{path: ~/.ssh/known_hosts, why: public}]\n", "override ~/.ssh/known_hosts {why public}\n"},
	{"backend: landlock\n", "backend landlock\n"},
	/* a project's wishes */
	{"wants:\n  filesystem: {read: [~/a], exec: [{path: ~/b, why: tool}]}\n  network:\n    allow: [a.example]\n    "
	 "reach: [\"80\"]\n  environment: {pass: [A], set: {B: c}}\n  process: {may: [ptrace]}\n",
	 "wants filesystem.read ~/a\nwants filesystem.exec ~/b {why tool}\nwants network.allow a.example\nwants "
	 "network.reach 80\nwants environment.pass A\nwants environment.set B=c\nwants process.may ptrace\n"},
	/* approvers */
	{"approvals:\n  by:\n    - control\n    - {webhook: \"https://a.example/b\", key: k}\n    - {program: [/bin/a, "
	 "-x]}\n    - {all: [terminal, {program: [a, \"b c\"]}]}\n    - {any: [desktop, {webhook: \"http://a\", key: "
	 "k}]}\n",
	 "approvals.by control\napprovals.by webhook https://a.example/b {key k}\napprovals.by program {program "
	 "/bin/a, "
	 "program -x}\napprovals.by all {of terminal, of {\"program\":[\"a\",\"b c\"]}}\napprovals.by any {of desktop, "
	 "of {\"webhook\":\"http://a\",\"key\":\"k\"}}\n"},
	/* tests */
	{"tests:\n  - {delete: ./a, is: allow}\n  - {delete: \"https://a.example/b\", is: deny}\n  - {connect: "
	 "\"a:22\", "
	 "is: ask}\n  - {run: git push origin, is: ask, why: x}\n  - {socket: /run/x, is: deny}\n  - {read: "
	 "\"app/[id]/*\", is: allow}\n",
	 "tests delete ./a {is allow}\ntests delete https://a.example/b {is deny}\ntests connect a:22 {is ask}\ntests "
	 "run "
	 "git push origin {is ask, why x}\ntests socket /run/x {is deny}\ntests read app/[id]/* {is allow}\n"},
	/* quoted, a path may have spaces, and begin with what is special */
	{"filesystem: {read: [/a b/c, \"/a /b\", ~, ., .., ../x, a/b, \"{a,b}/c\"]}\n",
	 "filesystem.read /a b/c\nfilesystem.read /a /b\nfilesystem.read ~\nfilesystem.read .\nfilesystem.read "
	 "..\nfilesystem.read ../x\nfilesystem.read a/b\nfilesystem.read {a,b}/c\n"},
};

static void test_forms_that_are_read(void **state)
{
	(void)state;
	expect_all(good, ARRAY_LEN(good));
}

static void test_groups_and_profiles(void **state)
{
	(void)state;
	expect_kind(POLICY_DOC_GROUP, "name: g\nabout: a group\nrequired: true\n", "name g\nabout a group\nrequired\n");
	expect_kind(POLICY_DOC_GROUP, "name: g\nrequired: false\n", "name g\n");
	expect_kind(POLICY_DOC_PROFILE, "name: p\nprograms: [claude, claude-code]\n",
		    "name p\nprograms claude\nprograms claude-code\n");
	expect_kind(POLICY_DOC_GROUP, "programs: [x]\n", "p.yaml:1:1: 'programs' is for profiles only\n");
	expect_kind(POLICY_DOC_PROFILE, "required: true\n", "p.yaml:1:1: 'required' is for groups only\n");
	expect_kind(POLICY_DOC_PROFILE, "wants: {network: [a]}\n",
		    "p.yaml:1:1: 'wants' is for a project's file only\n");
	expect("required: true\nprograms: [x]\n",
	       "p.yaml:1:1: 'required' is for groups only\np.yaml:2:1: 'programs' is for profiles only\n");
}

/* ---- what may not ------------------------------------------------------------------------------------------------ */

static const struct load_case unknown[] = {
	{"filesytem:\n  read: [/a]\n", "p.yaml:1:1: unknown key 'filesytem'\n  try: filesystem\n"},
	{"filesystem:\n  raed: [/a]\n  wirte: [/b]\n", "p.yaml:2:3: unknown key 'raed' in 'filesystem'\n  try: "
						       "read\np.yaml:3:3: unknown key 'wirte' in 'filesystem'\n  "
						       "try: write\n"},
	{"deny: [~/.ssh]\n", "p.yaml:1:1: unknown key 'deny'\n  try: filesystem.deny (look at the indentation)\n"},
	{"filesystem.deny: [~/.ssh]\n",
	 "p.yaml:1:1: unknown key 'filesystem.deny'\n  try: 'deny' in the map 'filesystem'\n"},
	{"process.limits.memory: 1\n",
	 "p.yaml:1:1: unknown key 'process.limits.memory'\n  try: 'memory' in the map 'process.limits'\n"},
	{"process.limits: {memory: 1}\n", "p.yaml:1:1: unknown key 'process.limits'\n"},
	{"filesystem: {read: [{path: /a, when.os: linux}]}\n",
	 "p.yaml:1:32: unknown key 'when.os' in an entry of 'filesystem.read'\n  try: when: {os: ...}\n"},
	{"zzzzz: 1\n", "p.yaml:1:1: unknown key 'zzzzz'\n"},
	{"want: {}\n", "p.yaml:1:1: unknown key 'want'\n  try: wants\n"},
	{"process: {limits: {memroy: 1}}\n", "p.yaml:1:20: unknown key 'memroy' in 'process.limits'\n  try: memory\n"},
	{"wants: {filesystm: {}}\n", "p.yaml:1:9: unknown key 'filesystm' in 'wants'\n  try: filesystem\n"},
	{"filesystem: {deny: [{path: /a, expect: /a/b}]}\n",
	 "p.yaml:1:32: unknown key 'expect' in an entry of 'filesystem.deny'\n  try: except\n"},
	{"filesystem: {read: [{path: /a, except: /a/b}]}\n",
	 "p.yaml:1:32: unknown key 'except' in an entry of 'filesystem.read'\n  try: extent\n"},
	{"filesystem: {read: [{pth: /a}]}\n",
	 "p.yaml:1:22: unknown key 'pth' in an entry of 'filesystem.read'\n  try: path\np.yaml:1:21: an entry of "
	 "'filesystem.read' needs 'path'\n"},
	{"when: {os: linux, ach: arm64}\n", "p.yaml:1:19: unknown key 'ach' in an entry of 'when'\n  try: arch\n"},
	{"tests: [{raed: /a, is: deny}]\n", "p.yaml:1:10: unknown key 'raed' in an entry of 'tests'\n  try: read\n"},
	{"secrets: {a: {from: env://A, to: [a.example], as: bearer, evn: A}}\n",
	 "p.yaml:1:59: unknown key 'evn' in an entry of 'secrets'\n  try: env\n"},
};

static void test_unknown_keys(void **state)
{
	(void)state;
	expect_all(unknown, ARRAY_LEN(unknown));
}

static const struct load_case types[] = {
	{"- a\n", "p.yaml:1:1: expected a map, found a list\n"},
	{"just text\n", "p.yaml:1:1: expected a map, found a text\n"},
	{"[1]", "p.yaml:1:1: expected a map, found a list\n"},
	{"filesystem:\n", "p.yaml:1:12: expected a map, found nothing\n"},
	{"filesystem: {deny: ~/.ssh}\n", "p.yaml:1:20: expected a list, found a text\n  try: [~/.ssh]\n"},
	{"filesystem: {deny: \"**/.env\"}\n", "p.yaml:1:20: expected a list, found a text\n  try: [\"**/.env\"]\n"},
	{"filesystem:\n  deny:\n  read: [/a]\n", "p.yaml:2:8: expected a list, found nothing\n"},
	{"filesystem: {deny: {path: ~/.ssh}}\n", "p.yaml:1:20: expected a list, found a map\n"},
	{"filesystem: {deny: [[~/.ssh]]}\n", "p.yaml:1:21: expected a text, found a list\n"},
	{"filesystem: {deny: [12]}\n", "p.yaml:1:21: expected a path or pattern, found a number\n  try: \"12\"\n"},
	{"filesystem:\n  deny:\n    -\n    - ~/a\n", "p.yaml:3:6: expected a path or pattern, found nothing\n"},
	{"name: 12\n", "p.yaml:1:7: expected a name, found a number\n  try: \"12\"\n"},
	{"name: true\n", "p.yaml:1:7: expected a name, found true or false\n  try: \"true\"\n"},
	{"berm: 2\n", "p.yaml:1:7: not a version of the format that is known: '2'\n  try: berm: 1\n"},
	{"berm: [1]\n", "p.yaml:1:7: expected a version, found a list\n"},
	{"network: {allow: [{to: a.example, private: yes}]}\n",
	 "p.yaml:1:44: expected true or false, found a text\n  try: true or false, without quotes\n"},
	{"network: {allow: [{to: a.example, private: \"true\"}]}\n",
	 "p.yaml:1:44: expected true or false, found a text\n  try: true or false, without quotes\n"},
	{"environment: {set: [A]}\n", "p.yaml:1:20: expected a map, found a list\n"},
	{"environment: {set: {A: }}\n", "p.yaml:1:24: expected a text, found nothing\n"},
	{"environment: {set: {A: [1]}}\n", "p.yaml:1:24: expected a text, found a list\n"},
	{"secrets: [a]\n", "p.yaml:1:10: expected a map, found a list\n"},
	{"secrets: {a: env}\n", "p.yaml:1:14: expected a map, found a text\n"},
	{"when: linux\n", "p.yaml:1:7: expected a map, found a text\n"},
	{"filesystem: {read: [{path: /a, when: linux}]}\n", "p.yaml:1:38: expected a map, found a text\n"},
	{"tests: [read]\n", "p.yaml:1:9: expected a map such as {read: PATH, is: deny}, found a text\n"},
	{"tests: [{read: [/a], is: deny}]\n", "p.yaml:1:16: expected a path, found a list\n"},
	{"extends: default\n", "p.yaml:1:10: expected a list, found a text\n  try: [default]\n"},
	{"extends: [{name: default}]\n", "p.yaml:1:11: expected a text, found a map\n"},
	{"network: none\n", "p.yaml:1:10: expected a map, found a text\n  try: {mode: none}\n"},
	{"network: some\n", "p.yaml:1:10: expected a map, found a text\n"},
	{"undo: off\n", "p.yaml:1:7: expected a map, found a text\n  try: {mode: off}\n"},
	{"wants: [a]\n", "p.yaml:1:8: expected a map, found a list\n"},
};

static void test_wrong_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		expect(types[i].text, types[i].expected);
}

static const struct load_case missing[] = {
	{"commands: [git]\n", "p.yaml:1:12: an entry of 'commands' needs 'decision': what becomes of the command\n"},
	{"commands: [{decision: ask}]\n", "p.yaml:1:12: an entry of 'commands' needs 'run'\n"},
	{"override: [~/.ssh]\n", "p.yaml:1:12: an entry of 'override' needs 'why': the reason, shown with the line\n"},
	{"override: [{path: ~/.ssh, why: \"\"}]\n", "p.yaml:1:32: 'why' says nothing\n"},
	{"tests: [{read: /a}]\n", "p.yaml:1:9: an entry of 'tests' needs 'is': the answer that is expected\n"},
	{"tests: [{is: deny}]\n", "p.yaml:1:9: the test asks nothing\n"},
	{"tests: [{read: /a, list: /b, is: deny}]\n", "p.yaml:1:20: a test asks one thing: 'list' is the second\n"},
	{"secrets: {a: {from: env://A}}\n",
	 "p.yaml:1:14: an entry of 'secrets' needs 'to': hosts that get it\np.yaml:1:14: an entry of 'secrets' needs "
	 "'as': how it is put in: header NAME [FORMAT], bearer, basic USER, query NAME, path PATTERN, sigv4, oauth2\n"},
	{"network: {allow: [{to: a.example, by: []}]}\n", "p.yaml:1:39: 'by' names nothing\n"},
	{"network: {allow: [{by: git}]}\n", "p.yaml:1:19: an entry of 'network.allow' needs 'to'\n"},
	{"filesystem: {read: [{}]}\n", "p.yaml:1:21: an entry of 'filesystem.read' needs 'path'\n"},
	{"wants: {filesystem: {deny: [/a]}}\n", "p.yaml:1:22: 'filesystem.deny' is nothing that a project can want\n"},
	{"wants: {wants: {}}\n", "p.yaml:1:9: unknown key 'wants' in 'wants'\n"},
	{"approvals: {by: [{}]}\n", "p.yaml:1:18: an entry of 'approvals.by' names nobody\n"},
	{"approvals: {by: [{webhook: \"https://a\"}]}\n",
	 "p.yaml:1:18: a webhook needs 'key': the secret that signs requests\n"},
	{"approvals: {by: [{program: [a], key: k}]}\n", "p.yaml:1:18: 'key' is a webhook's\n"},
	{"approvals: {by: [{program: []}]}\n", "p.yaml:1:28: 'program' names nothing\n"},
	{"approvals: {by: [{webhok: a}]}\n",
	 "p.yaml:1:19: unknown key 'webhok' in an entry of 'approvals.by'\n  try: webhook, program, all or any\n"},
	{"approvals: {by: [{all: []}]}\n", "p.yaml:1:24: expected a list of those who are asked, found a list\n"},
	{"approvals: {by: [{all: [terminal], any: [control]}]}\n", "p.yaml:1:18: 'all' stands alone in its entry\n"},
	{"approvals: {by: [{all: [{any: [terminal]}]}]}\n",
	 "p.yaml:1:25: 'all' and 'any' are not put into each other\n"},
	{"approvals: {by: [{all: [termnal]}]}\n",
	 "p.yaml:1:25: 'termnal' is none of terminal, control, desktop\n  try: terminal\n"},
};

static void test_what_is_missing(void **state)
{
	(void)state;
	expect_all(missing, ARRAY_LEN(missing));
}

static const struct load_case values[] = {
	{"network: {deny: [{to: a.example, except: [~/x, b.example]}]}\n",
	 "p.yaml:1:43: not an address or network: '~/x'\n  try: example.org, \"*.example.org:443\" or "
	 "10.0.0.0/8:5432\n"},
	{"commands: [{run: \"echo {\", decision: deny}]\n",
	 "p.yaml:1:18: pattern 'echo {': '{' without '}'\n  try: \"git push **\"\n"},
	{"filesystem: {deny: [\"~/.ssh\\u200b\"]}\n",
	 "p.yaml:1:21: a character that nobody sees: '~/.ssh\xe2\x80\x8b'\n  try: /x, ~/x, ./x, $NAME/x or \"**/x\"\n"},
	{"filesystem: {default: aks}\n", "p.yaml:1:23: 'aks' is none of ask, deny\n  try: ask\n"},
	{"network: {mode: allow}\n", "p.yaml:1:17: 'allow' is none of filtered, none, host\n"},
	{"process: {may: [ptrac]}\n",
	 "p.yaml:1:17: 'ptrac' is none of ptrace, userns, io_uring, memfd-exec, gpu, kvm, perf, signals\n  try: "
	 "ptrace\n"},
	{"process: {limits: {memory: 8GX}}\n", "p.yaml:1:28: not a size: '8GX'\n  try: 512MiB or 8GiB\n"},
	{"process: {limits: {wall: 2 hours}}\n", "p.yaml:1:26: not a duration: '2 hours'\n  try: 90s, 15m or 2h\n"},
	{"network: {reach: [70000]}\n", "p.yaml:1:19: not a port: '70000'\n  try: a number from 1 to 65535\n"},
	{"groups: [\"-\"]\n", "p.yaml:1:10: not a name of letters, digits, '-', '_', '.' and '+': ''\n"},
	{"filesystem: {read: [~bob/x]}\n",
	 "p.yaml:1:21: no path of this user: '~bob/x'\n  try: /x, ~/x, ./x, $NAME/x or \"**/x\"\n"},
	{"filesystem:\n  deny: [~/.ssh ~/.aws]\n",
	 "p.yaml:2:10: one path or two: '~/.ssh ~/.aws'\n  try: put a comma between two, or quotes around one\n"},
	{"filesystem:\n  deny:\n    - ~/.ssh\n      ~/.aws\n",
	 "p.yaml:3:7: the text goes on in the next line\n  try: write it in one line, or as a block behind '|'\n"},
	{"secrets: {a: {from: kering://x, to: [a.example], as: beerer}}\n",
	 "p.yaml:1:21: no scheme that is known and '://': 'kering://x' is none of keyring, env, file, op, bw, cmd, "
	 "vault\n  try: keyring\np.yaml:1:54: 'beerer' is none of header, bearer, basic, query, path, sigv4, oauth2\n  "
	 "try: bearer\n"},
	{"tests: [{get: a.example, is: deny}]\n",
	 "p.yaml:1:15: not a URL of http or https: 'a.example'\n  try: {read: ~/x, is: deny}\n"},
};

static void test_wrong_values(void **state)
{
	(void)state;
	expect_all(values, ARRAY_LEN(values));
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static void test_lines_know_their_place(void **state)
{
	(void)state;
	static const char text[] =
		"filesystem:\n  deny:\n    - ~/a\n    - path: ~/b\n  tmp: host\nenvironment:\n  set:\n"
		"    A: b\nsecrets:\n  x: {from: env://X, to: [h], as: bearer}\n";
	static const uint32_t places[][2] = {{3, 7}, {4, 7}, {5, 8}, {8, 5}, {10, 3}};
	auto_arena struct arena arena;
	const struct policy_doc *doc = NULL;
	arena_init(&arena, MAX);
	assert_int_equal(policy_load(&arena, own, STR(text), &doc, NULL, NULL), BERM_OK);
	assert_int_equal(doc->line_count, ARRAY_LEN(places));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		assert_int_equal(doc->lines[i].line, places[i][0]);
		assert_int_equal(doc->lines[i].column, places[i][1]);
	}
	assert_string_equal(doc->file, "p");
	assert_false(doc->shipped);
	assert_null(doc->folder);
}

static void test_digest_is_of_the_bytes(void **state)
{
	(void)state;
	/* printf 'berm: 1\n' | sha256sum */
	static const uint8_t first[] = {0x87, 0x81, 0x0b, 0x87, 0x6a, 0x3c, 0xea, 0x6f, 0x89, 0xfe, 0x2d,
					0x49, 0x5c, 0x64, 0x10, 0x5b, 0xb3, 0xaa, 0xc5, 0x17, 0x9b, 0xdb,
					0x85, 0x25, 0xc1, 0x95, 0xe8, 0x11, 0xde, 0x3c, 0x73, 0x78};
	auto_arena struct arena arena;
	const struct policy_doc *doc = NULL, *other = NULL;
	arena_init(&arena, MAX);
	assert_int_equal(policy_load(&arena, own, STR("berm: 1\n"), &doc, NULL, NULL), BERM_OK);
	assert_memory_equal(doc->digest, first, sizeof first);
	assert_int_equal(policy_load(&arena, own, STR("berm: 1 \n"), &other, NULL, NULL), BERM_OK);
	assert_memory_not_equal(doc->digest, other->digest, sizeof doc->digest);
}

static void test_limits_come_through(void **state)
{
	(void)state;
	auto_arena struct arena arena, small;
	const struct policy_doc *doc = NULL;
	struct berm_err err = {0};
	arena_init(&arena, MAX);
	arena_init(&small, 300);
	static const char deep[] = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[";
	assert_int_equal(policy_load(&arena, own, STR(deep), &doc, NULL, &err), BERM_ERR_LIMIT);
	assert_int_equal(policy_load(&small, own, STR(example), &doc, NULL, &err), BERM_ERR_NOMEM);
	assert_null(doc);
}

static void test_many_problems_in_one_pass(void **state)
{
	(void)state;
	auto_buf struct buf text;
	struct problems problems = {0};
	struct berm_err err = {0};
	auto_arena struct arena arena;
	const struct policy_doc *doc = NULL;
	buf_init(&text, MAX);
	arena_init(&arena, MAX);
	for (int i = 0; i < 100; i++)
		buf_printf(&text, "zz%d: 1\n", i);
	assert_false(text.failed);
	assert_int_equal(policy_load(&arena, own, buf_str(&text), &doc, &problems, &err), BERM_ERR_PARSE);
	assert_int_equal(problems.count, PROBLEMS_MAX);
	assert_true(problems.more);
	assert_string_equal(err.msg, "p:1:1: unknown key 'zz0'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_read),
		cmocka_unit_test(test_forms_that_are_read),
		cmocka_unit_test(test_groups_and_profiles),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_wrong_values),
		cmocka_unit_test(test_lines_know_their_place),
		cmocka_unit_test(test_digest_is_of_the_bytes),
		cmocka_unit_test(test_limits_come_through),
		cmocka_unit_test(test_many_problems_in_one_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
