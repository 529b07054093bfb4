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
			      "filesystem.protect ./src/.env\nfilesystem.protect ./../x\n" SRT_LEFT
			      "left ~/\nmissing odd: 1\n");
}

/* Where what is around a closed folder is granted, the way to what is open in it can be listed. */
static void srt_exceptions(void **state)
{
	(void)state;
	expect_kind(
		IMPORT_SRT, IMPORT_SRT,
		"{\"filesystem\": {\"denyRead\": [\"/d/x\", \"/e/x\", \"y\", \"/d/z\"], \"allowRead\": [\"/d/x/a\", "
		"\"/e/x/a\", \"y/a\"], \"allowWrite\": [\"/d\"]}}",
		SRT_START "network.mode none\n"
			  "filesystem.deny /d/x {except /d/x/a}\nfilesystem.deny /e/x {except /e/x/a}\n"
			  "filesystem.deny ./y {except ./y/a}\nfilesystem.deny /d/z\n"
			  "filesystem.read /d/x/a\nfilesystem.read /e/x/a\nfilesystem.read ./y/a\n"
			  "filesystem.write /d\n" SRT_LEFT "missing /d/x\nleft /e/x\nmissing y\n");
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
		    "extends \nfilesystem.default deny\nfilesystem.view visible\n"
		    "filesystem.exec /usr\nfilesystem.exec /lib\nfilesystem.read /etc\nfilesystem.read /a b\\*\n"
		    "network.sockets /run/x\nenvironment.pass HOME\nenvironment.set A=b,c\nnetwork.mode none\n"
		    "left --rw /a b*\nleft --connect-tcp 443\nmissing --nonsense\n");
	expect_kind(IMPORT_LANDRUN, IMPORT_LANDRUN, "--unrestricted-network --rwx /x",
		    "extends \nfilesystem.default deny\nfilesystem.view visible\nfilesystem.write /x\n"
		    "network.mode host\n");
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

/* ---- landlockconfig ---------------------------------------------------------------------------------------------- */

#define LANDLOCK_START "extends \ngroups base-environment\nfilesystem.default deny\nfilesystem.view visible\n"

static void landlock_toml(void **state)
{
	(void)state;
	expect_kind(
		IMPORT_UNKNOWN, IMPORT_LANDLOCK,
		"# web\nabi = 5\n[[variable]]\nname = \"tmp\"\nliteral = [\"/tmp\", \"/var/tmp\"]\n"
		"[[variable]]\nname = \"sub\"\nliteral = [\"a\", \"~b\"]\n"
		"[[ruleset]]\nhandled_access_fs = [\"abi.all\"]\nhandled_access_net = [\"bind_tcp\"]\n"
		"scoped = [\"signal\", \"new\"]\n"
		"[[path_beneath]] # c\nallowed_access = [\"abi.read_execute\"]\n"
		"parent = [\".\", \"/usr\", \"/proc\", \"${tmp}/${sub}\", \"$$x\", \"~\"]\n"
		"[[path_beneath]]\nallowed_access = [\"abi.read_write\"]\nparent = [\"${tmp}\"]\n"
		"[[path_beneath]]\nallowed_access = [\"abi.all\"]\nparent = [\"build\"]\n"
		"[[net_port]]\nallowed_access = [\"bind_tcp\"]\nport = [80, 443,]\n",
		LANDLOCK_START
		"network.mode none\n"
		"filesystem.exec .\nfilesystem.exec /usr\n"
		"filesystem.exec /tmp/a\nfilesystem.exec /var/tmp/a\n"
		"filesystem.exec /tmp/~b\nfilesystem.exec /var/tmp/~b\n"
		"filesystem.exec ./~\n"
		"filesystem.read /tmp\nfilesystem.read /var/tmp\nfilesystem.write ./build\n"
		"network.publish 80\nnetwork.publish 443\n"
		"left every host may be connected to\nleft signal\nmissing new\n"
		"left filesystem.exec: /proc\nleft filesystem.exec: ./$x\nleft parent: /tmp\nleft parent: /var/tmp\n");
}

static void landlock_json(void **state)
{
	(void)state;
	expect_kind(
		IMPORT_UNKNOWN, IMPORT_LANDLOCK,
		"{\"ruleset\": [{\"handledAccessFs\": [\"write_file\", \"read_file\", \"fly\"]}],\n"
		"\"pathBeneath\": [{\"allowedAccess\": [\"read_file\", \"walk\", \"abi.all\"], \"parent\": [\"/etc\", "
		"\"${no}\"], \"more\": 1},\n"
		"{\"allowedAccess\": [\"v2.all\"], \"allowed_access\": [\"execute\"], \"parent\": \"/x\"}],\n"
		"\"netPort\": [{\"allowedAccess\": [\"connect_tcp\"], \"port\": [53]}], \"odd\": {\"a\": 1}}",
		LANDLOCK_START "network.mode none\nfilesystem.read /etc\n"
			       "missing odd\nmissing fly\nmissing more: 1\nleft walk\nleft abi.all\nleft parent: /etc\n"
			       "left parent: ${no}\nmissing allowedAccess\nleft parent: /x\nleft port: 53\n");
}

/* What is not handled is open there, which is what its own lines may say; they say no more than their rights. */
static void landlock_handles_a_part(void **state)
{
	(void)state;
	expect_kind(IMPORT_LANDLOCK, IMPORT_LANDLOCK,
		    "[[path_beneath]]\nallowed_access = [\"write_file\"]\nparent = [\"/x\"]\n",
		    LANDLOCK_START "network.mode host\nfilesystem.exec /x\nleft every file may be read\n"
				   "left every program may be started\nleft parent: /x\n");
	expect_kind(IMPORT_LANDLOCK, IMPORT_LANDLOCK,
		    "[[ruleset]]\nhandled_access_fs = [\"write_file\"]\n"
		    "[[path_beneath]]\nallowed_access = [\"write_file\", \"refer\"]\nparent = [\"/x\"]\n",
		    LANDLOCK_START "network.mode host\nfilesystem.write /x\nleft every file may be read\n"
				   "left every program may be started\n");
	expect_error(IMPORT_LANDLOCK, "[[path_beneath]\n", BERM_ERR_PARSE);
	expect_error(IMPORT_LANDLOCK, "a = 2020-01-01\n", BERM_ERR_PARSE);
}

/* ---- nono -------------------------------------------------------------------------------------------------------- */

#define NONO_START "extends none\ngroups shell-config\nfilesystem.default deny\n"
#define NONO_CLOSED NONO_START "network.mode none\nnetwork.default deny\n"

static void nono_files(void **state)
{
	(void)state;
	expect_kind(
		IMPORT_UNKNOWN, IMPORT_NONO,
		"{\"meta\": {\"name\": \"npm\", \"description\": \"a b\", \"author\": null}, \"network\": {\"block\": "
		"true},\n"
		"\"filesystem\": {\"write\": [\"$WORKDIR/out\", \"/var/x\"], \"allow\": [\"$HOME/.npm\", "
		"\"~/a?b/*\"],\n"
		"\"read\": [{\"path\": \"/opt/x\", \"when\": [\"linux\", \"macos\"]}, {\"path\": \"/opt/y\", \"when\": "
		"\"linux:fedora\"}, \"@git:x\", \"~/$X\"],\n"
		"\"deny\": [\"**/.env\", {\"path\": \"$WORKDIR\", \"when\": \"!linux\"}, \"a/$B\"],\n"
		"\"read_file\": [\"~/.npmrc\"], \"bypass_protection\": [\"~/.npmrc\"], \"write_file\": [\"~/.npmrc\", "
		"\"$WORKDIR/../p\"],\n"
		"\"unix_socket_bind\": [\"/run/s\"], \"unix_socket_subtree\": [\"/run/d\"], \"new\": []},\n"
		"\"workdir\": {\"access\": \"read\"}}",
		"name npm\nabout a b\n" NONO_CLOSED "filesystem.write ~/.npm\nfilesystem.write ~/a\\?b/*\n"
		"filesystem.exec /opt/x {when.os linux, when.os macos}\n"
		"filesystem.deny **/.env\nfilesystem.deny .\n"
		"filesystem.exec ~/.npmrc {extent file}\n"
		"override ~/.npmrc {why bypass_protection of the profile for nono}\n"
		"network.sockets /run/s\nnetwork.sockets /run/d/**\nfilesystem.exec .\n"
		"filesystem.write ./out\nfilesystem.write ~/.npmrc {extent file}\n"
		"left when, of /opt/y\nleft @git:x\nleft ~/$X\nleft when, of $WORKDIR\nmissing a/$B\n"
		"left unix_socket_bind: /run/s\nmissing new\nleft write: /var/x\nleft write_file: $WORKDIR/../p\n");
}

/* What is read as a file is not read as a folder, which a line of write would do. */
static void nono_written_folders(void **state)
{
	(void)state;
	expect_kind(IMPORT_NONO, IMPORT_NONO,
		    "{\"network\": {\"block\": true}, \"filesystem\": {\"read_file\": [\"/x\"], \"read\": [\"/y\"], "
		    "\"write\": [\"/x\", \"/y/z\"], \"write_file\": [\"/x\"]}}",
		    NONO_CLOSED "filesystem.exec /x {extent file}\nfilesystem.exec /y\n"
				"filesystem.write /y/z\nfilesystem.write /x {extent file}\nleft write: /x\n");
}

static void nono_hosts(void **state)
{
	(void)state;
	expect_kind(IMPORT_UNKNOWN, IMPORT_NONO,
		    "{\"workdir\": {\"access\": \"readwrite\"}, \"network\": {\"allow_domain\": [\"*.a.example\", "
		    "{\"domain\": \"b.example\", \"endpoints\": [{\"method\": \"GET\", \"path\": \"/x/**\"}]}, "
		    "{\"domain\": \"c.example\", \"endpoints\": []}, 1],\n"
		    "\"deny_domain\": [\"d.example\"], \"open_port\": [5432], \"listen_port\": [3000], "
		    "\"connect_port\": [22],\n"
		    "\"network_profile\": \"developer\", \"upstream_proxy\": \"p.example:3128\", \"odd\": 1}}",
		    NONO_START "network.mode filtered\nnetwork.default deny\nfilesystem.write .\n"
			       "network.allow **.a.example\nnetwork.allow **.a.example:80\n"
			       "network.allow b.example {http GET /x/**}\nnetwork.deny d.example\n"
			       "network.reach 5432\nnetwork.publish 3000\nnetwork.upstream http://p.example:3128\n"
			       "left allow_domain\nleft 1\nleft connect_port\nleft network_profile: developer\n"
			       "missing odd: 1\n");
	expect_kind(IMPORT_UNKNOWN, IMPORT_NONO, "{\"network\": {\"block\": false}}",
		    NONO_START "network.mode host\nnetwork.default deny\n");
	expect_kind(IMPORT_NONO, IMPORT_NONO, "{}",
		    NONO_START "network.mode filtered\nnetwork.default deny\nleft every host may be reached\n");
}

static void nono_rest(void **state)
{
	(void)state;
	expect_kind(
		IMPORT_NONO, IMPORT_NONO,
		"{\"extends\": [\"default\", \"team/base\"], \"network\": {\"block\": true}, \"mystery\": null,\n"
		"\"groups\": {\"include\": [\"node_runtime\", \"deny_credentials\", \"dangerous_commands\", {\"name\": "
		"\"x\"}], "
		"\"exclude\": [\"linux_temp_read\", \"deny_shell_configs\", \"java_runtime\"]},\n"
		"\"security\": {\"signal_mode\": \"allow_all\", \"ipc_mode\": null, \"capability_elevation\": true},\n"
		"\"environment\": {\"allow_vars\": [\"LC_*\"], \"deny_vars\": [\"AWS_*\", \"GO*\"], \"set_vars\": "
		"{\"A\": \"1\"}},\n"
		"\"commands\": {\"allow\": [], \"deny\": [\"rm\"]}, \"command_policies\": {\"commands\": {\"gh\": {}}, "
		"\"entrypoint\": null},\n"
		"\"platform_overrides\": {\"linux\": {}}, \"hooks\": {}, \"binary\": null, \"skipdirs\": [\"x\"]}",
		NONO_CLOSED
		"groups -temp\nprocess.may signals\ngroups -base-environment\nenvironment.pass LC_*\n"
		"environment.set A=1\ncommands rm {decision deny}\ncommands rm ** {decision deny}\n"
		"missing extends: team/base\nmissing mystery: null\nleft include: node_runtime\n"
		"left include: deny_credentials\nmissing include: dangerous_commands\nleft include: x\n"
		"left exclude: deny_shell_configs\nleft exclude: java_runtime\nleft capability_elevation: true\n"
		"left deny_vars: AWS_*\nmissing deny_vars: GO*\nmissing command_policies\n"
		"missing platform_overrides\nleft skipdirs\n");
}

/* ---- OpenShell --------------------------------------------------------------------------------------------------- */

#define OPENSHELL_LEFT "left paths are those of an image\n"

static void openshell_files(void **state)
{
	(void)state;
	expect_kind(
		IMPORT_UNKNOWN, IMPORT_OPENSHELL,
		"# c\nversion: 1\nfilesystem_policy:\n  include_workdir: true\n"
		"  read_only: [/usr, /proc, /sandbox/ref, relative, /a*]\n  read_write:\n    - /tmp\n    - /dev/null\n"
		"  odd: 1\nlandlock: {compatibility: best_effort}\nprocess: {run_as_user: sandbox}\nmore: x\n",
		LANDLOCK_START "network.mode none\nnetwork.default deny\nfilesystem.write .\nfilesystem.exec /usr\n"
			       "filesystem.exec ./ref\nfilesystem.exec /a\\*\nfilesystem.write /tmp\n"
			       "filesystem.write /dev/null\n" OPENSHELL_LEFT
			       "left filesystem.exec: /proc\nleft relative\nmissing odd: 1\nleft landlock\n"
			       "left process\nmissing more: x\n");
	expect_kind(IMPORT_OPENSHELL, IMPORT_OPENSHELL, "{\"version\": 2}",
		    LANDLOCK_START "network.mode none\nnetwork.default deny\n" OPENSHELL_LEFT "missing version: 2\n");
}

#define OPENSHELL_FILTERED LANDLOCK_START "network.mode filtered\nnetwork.default deny\n"

static void openshell_hosts(void **state)
{
	(void)state;
	expect_kind(
		IMPORT_UNKNOWN, IMPORT_OPENSHELL,
		"network_policies:\n  gh:\n    name: gh\n    endpoints:\n"
		"      - {host: api.example, port: 443, protocol: rest, enforcement: audit, access: read-only,\n"
		"         deny_rules: [{method: GET, path: \"/a/*/b?\"}, {method: \"*\", path: /c, query: {d: e}}]}\n"
		"      - {host: \"*.plain.example\", ports: [443, 8443], tls: skip, allowed_ips: [10.0.0.0/8]}\n"
		"      - {host: m.example, port: 443, protocol: mcp, rules: [{allow: {method: initialize}}]}\n"
		"      - {port: 443, allowed_ips: [10.0.0.0/8]}\n"
		"    binaries: [{path: /usr/bin/gh}, {path: /sandbox/bin/x}, {path: \"/opt/**\"}]\n"
		"  nobody:\n    endpoints: [{host: x.example, port: 443}]\n    binaries: []\n",
		OPENSHELL_FILTERED
		"network.deny api.example:443 {http GET /a/*/b*, http GET /a/**/b*/**, http * /c}\n"
		"network.allow api.example:443 {by /usr/bin/gh, by ./bin/x, http GET /**, http HEAD /**, "
		"http OPTIONS /**}\n"
		"network.allow *.plain.example:443 {by /usr/bin/gh, by ./bin/x}\n"
		"network.allow *.plain.example:8443 {by /usr/bin/gh, by ./bin/x}\n" OPENSHELL_LEFT
		"left binaries: /opt/**\nleft enforcement: audit\nleft deny_rules: * /c, query\nleft allowed_ips\n"
		"left endpoint m.example\nleft allowed_ips\nleft endpoint \nleft nobody\n");
}

/* Rules that could be taken in part grant that part; none of them grants nothing. */
static void openshell_rules(void **state)
{
	(void)state;
	expect_kind(
		IMPORT_OPENSHELL, IMPORT_OPENSHELL,
		"network_policies:\n  a:\n    endpoints:\n"
		"      - {host: a.example, port: 443, protocol: rest, rules: [{allow: {method: GET, path: /x/*}},\n"
		"         {allow: {method: GET, path: /y, query: {z: 1}}}]}\n"
		"      - {host: b.example, port: 443, protocol: rest, rules: [{allow: {method: GET, query: {z: 1}}}]}\n"
		"      - {host: c.example, port: 443, protocol: rest, access: full, deny_rules: [{method: GET}]}\n"
		"      - {host: d.example, port: 443, protocol: rest, access: full, path: /v1/**}\n"
		"    binaries: [{path: /usr/bin/a}]\n"
		"  b:\n    endpoints: [{host: a.example, port: 443}, {host: \"*.example\", port: 80},\n"
		"      {host: e.example, port: 443, access: read-only}]\n"
		"    binaries: [{path: /usr/bin/b}]\n"
		"network_middlewares: {r: {middleware: x}}\n",
		OPENSHELL_FILTERED
		"network.allow a.example:443 {by /usr/bin/a, http GET /x/*}\n"
		"network.allow d.example:443 {by /usr/bin/a, http * /v1/**}\n"
		"network.allow *.example:80 {by /usr/bin/b}\n" OPENSHELL_LEFT
		"left rules: GET /y\nleft rules: GET \nleft endpoint b.example\nleft deny_rules: GET \n"
		"left endpoint c.example\nleft endpoint a.example\nleft endpoint e.example\nmissing "
		"network_middlewares\n");
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
		cmocka_unit_test(srt_exceptions),
		cmocka_unit_test(srt_hosts),
		cmocka_unit_test(landrun_flags),
		cmocka_unit_test(claude_paths),
		cmocka_unit_test(claude_rest),
		cmocka_unit_test(landlock_toml),
		cmocka_unit_test(landlock_json),
		cmocka_unit_test(landlock_handles_a_part),
		cmocka_unit_test(nono_files),
		cmocka_unit_test(nono_written_folders),
		cmocka_unit_test(nono_hosts),
		cmocka_unit_test(nono_rest),
		cmocka_unit_test(openshell_files),
		cmocka_unit_test(openshell_hosts),
		cmocka_unit_test(openshell_rules),
		cmocka_unit_test(unknown_is_refused),
		cmocka_unit_test(comments_stay_comments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
