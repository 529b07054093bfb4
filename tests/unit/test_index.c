/* The index against the lines looked at one by one with base/glob, and by rows. */
#include "check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "policy/decide.h"
#include "policy/host_text.h"
#include "policy/question.h"
#include "policy_rig.h"

#define auto_index auto_policy_index struct policy_index

/* ---- one by one -------------------------------------------------------------------------------------------------- */

static bool globs(enum glob_kind kind, const char *pattern, const char *text, size_t len)
{
	struct glob *glob = NULL;
	bool matches = glob_new(kind, str_from(pattern), &glob, NULL) == BERM_OK &&
		       glob_match(glob, (struct str){text, len}, false);
	glob_free(glob);
	return matches;
}

/* Bits of an address, as text of '0' and '1'; "" for what is none. IPv4 that is written as IPv6 is IPv4. */
static void bits_of(const char *text, char ret_bits[static 129])
{
	unsigned char bytes[16], v4[16] = {[10] = 0xff, [11] = 0xff};
	size_t count = 0, from = 0;
	ret_bits[0] = '\0';
	if (inet_pton(AF_INET, text, bytes) == 1)
		count = 32;
	else if (inet_pton(AF_INET6, text, bytes) == 1)
		count = 128;
	if (count == 128 && memcmp(bytes, v4, 12) == 0)
		from = 96;
	for (size_t i = from; i < count; i++)
		ret_bits[i - from] = (bytes[i / 8] >> (7 - i % 8) & 1) != 0 ? '1' : '0';
	ret_bits[count - from] = '\0';
}

static bool in_net(const char *pattern, const char *host)
{
	char text[128], net[129], address[129];
	(void)snprintf(text, sizeof text, "%s", pattern);
	char *slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	bits_of(text, net);
	bits_of(host, address);
	size_t len = slash != NULL ? (size_t)atoi(slash + 1) : strlen(net);
	if (slash != NULL && strchr(text, ':') != NULL && strlen(net) == 32)
		len -= 96;
	return net[0] != '\0' && strlen(net) == strlen(address) && strncmp(net, address, len) == 0;
}

static bool matches_host(const char *text, uint16_t without, const struct policy_question *question)
{
	char host[128], bits[129];
	unsigned port = without;
	(void)snprintf(host, sizeof host, "%s", text);
	char *colon = strrchr(host, ':');
	if (host[0] == '[' && colon != strchr(host, ':')) {
		char *end = strchr(host, ']');
		port = end[1] == ':' ? (unsigned)atoi(end + 2) : without;
		*end = '\0';
		memmove(host, host + 1, strlen(host));
	} else if (colon != NULL && strchr(host, ':') == colon) {
		port = (unsigned)atoi(colon + 1);
		*colon = '\0';
	}
	if (port != 0 && port != question->port && question->op != POLICY_OP_NAME)
		return false;
	bits_of(question->host, bits);
	return bits[0] != '\0' ? in_net(host, question->host)
			       : globs(GLOB_HOST, host, question->host, strlen(question->host));
}

static bool has_attr(const struct policy_line *line, enum policy_attr_key key)
{
	return policy_attr_find(line, key) != NULL;
}

static bool matches_program(const struct policy_line *line, const char *program, bool denies)
{
	const char *name = program != NULL ? strrchr(program, '/') : NULL;
	name = name != NULL ? name + 1 : program;
	if (!has_attr(line, ATTR_BY))
		return true;
	if (program == NULL)
		return denies;
	for (uint32_t i = 0; i < line->attr_count; i++)
		if (line->attrs[i].key == ATTR_BY &&
		    (strcmp(line->attrs[i].text, program) == 0 || strcmp(line->attrs[i].text, name) == 0))
			return true;
	return false;
}

static bool is_excepted(const struct policy_line *line, const struct policy_question *question)
{
	for (uint32_t i = 0; i < line->attr_count; i++)
		if (line->attrs[i].key == ATTR_EXCEPT && matches_host(line->attrs[i].text, 0, question))
			return true;
	return false;
}

static bool matches_operation(const char *wanted, const char *operation, bool denies)
{
	if (operation == NULL)
		return denies;
	size_t kind = strcspn(wanted, ":") + 1;
	return strcmp(wanted, operation) == 0 || (wanted[kind] == '*' && strncmp(wanted, operation, kind) == 0);
}

static bool matches_request(const struct policy_line *line, const struct policy_question *question, bool denies)
{
	for (uint32_t i = 0; i < line->attr_count; i++) {
		char method[16] = "", path[64] = "", operation[32] = "";
		if (line->attrs[i].key != ATTR_HTTP ||
		    sscanf(line->attrs[i].text, "%15s %63s %31s", method, path, operation) < 2)
			continue;
		if ((strcmp(method, "*") == 0 || strcmp(method, question->method) == 0) &&
		    (operation[0] == '\0' || matches_operation(operation, question->operation, denies)) &&
		    globs(GLOB_URL, path, question->target, strcspn(question->target, "?")))
			return true;
	}
	return false;
}

/* Of the lines of a kind that are for this host, port and program. */
struct seen {
	const struct policy_entry *plain, *plain_private, *http, *http_private, *request, *request_private;
	bool names_address;
};

static void see(const struct policy_entry **first, const struct policy_entry *entry, bool counts)
{
	if (*first == NULL && counts)
		*first = entry;
}

static struct seen look(const struct policy *policy, enum policy_key key, const struct policy_question *question)
{
	struct seen seen = {.plain = NULL};
	bool denies = key == KEY_NET_DENY;
	char bits[129];
	bits_of(question->host, bits);
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		const struct policy_line *line = entry->line;
		if (line->key != key || entry->off != NULL || !matches_host(entry->text, denies ? 0 : 443, question) ||
		    !matches_program(line, question->program, denies) || is_excepted(line, question))
			continue;
		bool private = !denies && (bits[0] != '\0' || policy_attr_is(line, ATTR_PRIVATE));
		bool http = has_attr(line, ATTR_HTTP);
		bool request = http && question->op == POLICY_OP_HTTP && matches_request(line, question, denies);
		bool counts = !http || request || question->op == POLICY_OP_CONNECT;
		seen.names_address |= bits[0] != '\0' && strchr(entry->text, '/') == NULL && counts;
		see(&seen.plain, entry, !http);
		see(&seen.plain_private, entry, !http && private);
		see(&seen.http, entry, http);
		see(&seen.http_private, entry, http && private);
		see(&seen.request, entry, request);
		see(&seen.request_private, entry, request && private);
	}
	return seen;
}

static const struct policy_entry *first_of(const struct policy_entry *a, const struct policy_entry *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return a < b ? a : b;
}

struct expected {
	enum policy_answer answer;
	const struct policy_entry *by;
	bool private_ok, http_rules, address_ok;
};

/* A line for any port and program tells the name; none but one for all of them hides it. */
static struct expected expect_name(const struct policy *policy, const struct policy_question *question)
{
	const struct policy_entry *denies = NULL, *allows = NULL, *by_default = policy->setting[KEY_NET_DEFAULT];
	for (size_t i = 0; i < policy->count; i++) {
		const struct policy_entry *entry = &policy->entries[i];
		const struct policy_line *line = entry->line;
		uint16_t port = 0;
		if (entry->off != NULL || (line->key != KEY_NET_DENY && line->key != KEY_NET_ALLOW) ||
		    !matches_host(entry->text, 0, question))
			continue;
		(void)host_text_split(entry->text, &port);
		see(&allows, entry, line->key == KEY_NET_ALLOW);
		see(&denies, entry,
		    line->key == KEY_NET_DENY && port == 0 && !has_attr(line, ATTR_BY) && !has_attr(line, ATTR_HTTP) &&
			    !is_excepted(line, question));
	}
	if (denies != NULL)
		return (struct expected){.answer = ANSWER_DENY, .by = denies};
	if (allows != NULL)
		return (struct expected){.answer = ANSWER_ALLOW, .by = allows};
	bool asks = strcmp(by_default->text, "ask") == 0;
	return (struct expected){.answer = asks ? ANSWER_ASK : ANSWER_DENY, .by = by_default};
}

static struct expected expect_host(const struct policy *policy, const struct policy_question *question)
{
	const struct seen denies = look(policy, KEY_NET_DENY, question), allows = look(policy, KEY_NET_ALLOW, question);
	const struct policy_entry *closed = first_of(denies.plain, denies.request);
	const struct policy_entry *by_default = policy->setting[KEY_NET_DEFAULT];
	bool connect = question->op == POLICY_OP_CONNECT;
	const struct policy_entry *open =
		connect ? allows.plain != NULL ? allows.plain : allows.http : first_of(allows.plain, allows.request);
	bool limited = connect && denies.http != NULL;
	if (closed != NULL)
		return (struct expected){ANSWER_DENY, closed, false, false, false};
	if (open == NULL) {
		bool asks = strcmp(by_default->text, "ask") == 0;
		return (struct expected){asks ? ANSWER_ASK : ANSWER_DENY, by_default, false, asks && limited, false};
	}
	bool private = allows.plain_private != NULL || (connect ? allows.http_private : allows.request_private) != NULL;
	bool by_request = connect && (allows.plain == NULL || (private && allows.plain_private == NULL));
	return (struct expected){ANSWER_ALLOW, open, private, limited || by_request, allows.names_address};
}

static bool matches_command(const char *pattern, const struct policy_question *question)
{
	const char *names[] = {question->argv[0], strrchr(question->argv[0], '/'), question->program,
			       question->program != NULL ? strrchr(question->program, '/') : NULL};
	struct glob *glob = NULL;
	bool matches = false;
	assert_int_equal(glob_new(GLOB_WORDS, str_from(pattern), &glob, NULL), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i] != NULL)
			matches |= glob_match_words(glob, names[i] + i % 2, question->argv + 1);
	glob_free(glob);
	return matches;
}

static struct expected expect_command(const struct policy *policy, const struct policy_question *question)
{
	static const char *const words[] = {"deny", "ask", "allow"};
	for (int answer = ANSWER_DENY; answer <= ANSWER_ALLOW; answer++)
		for (size_t i = 0; i < policy->count; i++) {
			const struct policy_entry *entry = &policy->entries[i];
			if (entry->line->key == KEY_COMMAND && entry->off == NULL &&
			    strcmp(policy_attr_find(entry->line, ATTR_DECISION), words[answer]) == 0 &&
			    matches_command(entry->text, question))
				return (struct expected){(enum policy_answer)answer, entry, false, false, false};
		}
	return (struct expected){ANSWER_ALLOW, NULL, false, false, false};
}

/* ---- at random --------------------------------------------------------------------------------------------------- */

enum { LINES_MAX = 40, ATTRS_MAX = 6, ROUNDS = 600, QUESTIONS = 60, TEXT_LEN = 64 };

struct world {
	struct policy_line lines[LINES_MAX];
	struct policy_attr attrs[LINES_MAX][ATTRS_MAX];
	struct policy_entry entries[LINES_MAX + 1];
	char texts[LINES_MAX][TEXT_LEN];
	struct policy policy;
};

static const char *const ports[] = {"", "", "", ":443", ":80", ":5432"};
static const char *const labels[] = {"a", "b", "example", "Example", "x-1", "org"};
static const char *const wilds[] = {"*", "**", "a*", "*b", "{a,b}", "[ab]", "*-1", "x*"};
static const char *const nets[] = {"10.0.0.0/8",     "10.1.0.0/16", "10.1.2.3",		"0.0.0.0/0",
				   "[fd00::/8]",     "[fd00::1]",   "[::/0]",		"[::ffff:10.1.0.0/112]",
				   "192.168.0.0/24", "10.1.2.0/24", "[::ffff:10.1.2.3]"};
static const char *const addresses[] = {"10.1.2.3",	   "10.2.3.4",	  "fd00::1",	 "fd00::2",
					"::ffff:10.1.2.3", "192.168.0.9", "2001:db8::1", "10.1.2.4"};
static const char *const programs[] = {"git", "gh", "/usr/bin/git", "/opt/gh"};
static const char *const requests[] = {"GET /repos/**",
				       "* /x",
				       "POST /graphql query:viewer",
				       "POST /graphql mutation:*",
				       "GET /repos/*/y",
				       "PUT /**",
				       "GET /",
				       "* /graphql query:*",
				       "GET /%7ex"};
static const char *const methods[] = {"GET", "PUT", "POST"};
static const char *const targets[] = {"/", "/repos/a/y", "/repos/a?b=/x", "/x", "/graphql", "/~x"};
static const char *const operations[] = {"query:viewer", "mutation:add", "query:b"};
static const char *const commands[] = {
	"git push **",	     "git **",	   "* push",	  "** -f", "rm -rf /**", "g* pu?h",
	"/usr/bin/git push", "npm {ci,i}", "git push -f", "**"};
static const char *const decisions[] = {"deny", "ask", "allow", "ask"};

#define PICK(list) (list)[(size_t)rand() % ARRAY_LEN(list)]
#define ONE_OF(n) (rand() % (n) == 0)

static void make_host(bool wild, char ret[static TEXT_LEN])
{
	size_t len = 0, count = 1 + (size_t)rand() % 4;
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(ret + len, TEXT_LEN - len, "%s%s", i > 0 ? "." : "",
					wild && ONE_OF(3) ? PICK(wilds) : PICK(labels));
	if (ONE_OF(8))
		(void)snprintf(ret + len, TEXT_LEN - len, ".");
}

static void add_attr(struct policy_line *line, struct policy_attr *attrs, enum policy_attr_key key, const char *text)
{
	attrs[line->attr_count++] = (struct policy_attr){key, text};
	line->attrs = attrs;
}

static void make_host_line(struct world *world, size_t at)
{
	static const char *const excepts[] = {"a.org", "*.example.org:443", "10.1.2.0/24", "**", "b"};
	struct policy_line *line = &world->lines[at];
	struct policy_attr *attrs = world->attrs[at];
	char host[TEXT_LEN];
	line->key = ONE_OF(3) ? KEY_NET_DENY : KEY_NET_ALLOW;
	make_host(true, host);
	const char *port = PICK(ports);
	(void)snprintf(world->texts[at], TEXT_LEN, "%.40s%s", ONE_OF(3) ? PICK(nets) : host, port);
	if (ONE_OF(4))
		add_attr(line, attrs, ATTR_BY, PICK(programs));
	if (ONE_OF(8))
		add_attr(line, attrs, ATTR_BY, PICK(programs));
	for (int i = 0; i < 2; i++)
		if (ONE_OF(5))
			add_attr(line, attrs, ATTR_HTTP, PICK(requests));
	if (line->key == KEY_NET_DENY ? ONE_OF(4) : ONE_OF(5))
		add_attr(line, attrs, line->key == KEY_NET_DENY ? ATTR_EXCEPT : ATTR_PRIVATE,
			 line->key == KEY_NET_DENY ? PICK(excepts) : "true");
}

static void make_world(struct world *world)
{
	static const struct policy_line asks = {.key = KEY_NET_DEFAULT, .text = "ask"};
	static const struct policy_line denies = {.key = KEY_NET_DEFAULT, .text = "deny"};
	static const struct policy_doc doc = {.file = "p.yaml"};
	size_t count = (size_t)rand() % (LINES_MAX - 1);
	for (size_t i = 0; i < count; i++) {
		struct policy_line *line = &world->lines[i];
		*line = (struct policy_line){.text = world->texts[i], .line = (uint32_t)i + 1};
		if (ONE_OF(3)) {
			line->key = KEY_COMMAND;
			(void)snprintf(world->texts[i], TEXT_LEN, "%s", PICK(commands));
			add_attr(line, world->attrs[i], ATTR_DECISION, PICK(decisions));
		} else {
			make_host_line(world, i);
		}
		world->entries[i] = (struct policy_entry){
			.doc = &doc, .line = line, .text = line->text, .off = ONE_OF(12) ? &world->entries[0] : NULL};
	}
	const struct policy_line *setting = ONE_OF(2) ? &asks : &denies;
	world->entries[count] = (struct policy_entry){.doc = &doc, .line = setting, .text = setting->text};
	world->policy = (struct policy){.entries = world->entries, .count = count + 1};
	world->policy.setting[KEY_NET_DEFAULT] = &world->entries[count];
}

static void ask(const struct world *world, const struct policy_index *index)
{
	static const char *const argvs[][5] = {
		{"git", "push"}, {"/usr/bin/git", "push", "-f"}, {"rm", "-rf", "/home"}, {"./npm", "ci"}, {"x"}};
	char host[TEXT_LEN];
	make_host(false, host);
	struct policy_question question = {.op = POLICY_OP_CONNECT, .port = ONE_OF(2) ? 443 : ONE_OF(2) ? 80 : 5432};
	question.host = ONE_OF(3) ? PICK(addresses) : host;
	question.program = ONE_OF(3) ? NULL : PICK(programs);
	if (ONE_OF(2)) {
		question.op = POLICY_OP_HTTP;
		question.method = PICK(methods);
		question.target = PICK(targets);
		question.operation = ONE_OF(2) ? PICK(operations) : NULL;
	} else if (ONE_OF(3)) {
		question.op = POLICY_OP_RUN;
		question.argv = argvs[(size_t)rand() % ARRAY_LEN(argvs)];
	}
	if (question.op == POLICY_OP_CONNECT && question.host == host && ONE_OF(3))
		question.op = POLICY_OP_NAME;
	struct expected expected = question.op == POLICY_OP_RUN	   ? expect_command(&world->policy, &question)
				   : question.op == POLICY_OP_NAME ? expect_name(&world->policy, &question)
								   : expect_host(&world->policy, &question);
	struct policy_verdict verdict;
	policy_decide(index, &question, &verdict);
	if (verdict.answer == expected.answer && verdict.by == expected.by &&
	    verdict.private_ok == expected.private_ok && verdict.http_rules == expected.http_rules &&
	    verdict.address_ok == expected.address_ok)
		return;
	for (size_t i = 0; i < world->policy.count; i++) {
		(void)fprintf(stderr, "%zu %s: %s", i, policy_keys[world->entries[i].line->key].path,
			      world->entries[i].text);
		for (uint32_t k = 0; k < world->entries[i].line->attr_count; k++)
			(void)fprintf(stderr, ", %s %s", policy_attrs[world->entries[i].line->attrs[k].key].name,
				      world->entries[i].line->attrs[k].text);
		(void)fprintf(stderr, "%s\n", world->entries[i].off != NULL ? " (off)" : "");
	}
	fail_msg("%s %s:%d %s %s %s by %s: expected %d by %td private %d http %d, got %d by %td private %d http %d",
		 question_op_word(question.op), question.host, (int)question.port, question.method, question.target,
		 question.operation, question.program, (int)expected.answer,
		 expected.by != NULL ? expected.by - world->entries : -1, (int)expected.private_ok,
		 (int)expected.http_rules, (int)verdict.answer, verdict.by != NULL ? verdict.by - world->entries : -1,
		 (int)verdict.private_ok, (int)verdict.http_rules);
}

static void test_answers_as_the_lines_one_by_one(void **state)
{
	(void)state;
	srand(7);
	for (size_t round = 0; round < ROUNDS; round++) {
		struct world world = {0};
		struct berm_err err = {0};
		auto_index *index = NULL;
		make_world(&world);
		if (policy_index_new(&world.policy, &index, &err) != BERM_OK)
			fail_msg("%s", err.msg);
		for (size_t i = 0; i < QUESTIONS; i++)
			ask(&world, index);
	}
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

struct row {
	const char *word, *object, *program;
	enum policy_answer answer;
	const char *rule, *text;
};

static void check_rows(const struct policy_doc *doc, const struct row *rows, size_t count)
{
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(doc)});
	auto_index *index = NULL;
	auto_arena struct arena arena;
	arena_init(&arena, 1U << 20);
	MADE(&rig);
	assert_int_equal(policy_index_new(rig.policy, &index, NULL), BERM_OK);
	for (size_t i = 0; i < count; i++) {
		struct policy_question question;
		struct policy_verdict verdict;
		assert_int_equal(question_parse(&arena, rows[i].word, rows[i].object, &question, NULL), BERM_OK);
		question.program = rows[i].program;
		policy_decide(index, &question, &verdict);
		if (verdict.answer != rows[i].answer || strcmp(verdict.rule, rows[i].rule) != 0 ||
		    strcmp(verdict.text, rows[i].text) != 0)
			fail_msg("%s %s: %d by %s: %s", rows[i].word, rows[i].object, (int)verdict.answer, verdict.rule,
				 verdict.text);
		assert_true(verdict.by != NULL || strcmp(verdict.rule, "network") == 0 ||
			    strcmp(verdict.rule, "commands") == 0 || strcmp(verdict.rule, "network.default") == 0);
	}
}

static void test_hosts(void **state)
{
	(void)state;
	const struct policy_doc doc =
		PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_ALLOW, "docs.example.org"),
			LINE(KEY_NET_ALLOW, "*.one.example:8443"), LINE(KEY_NET_ALLOW, "**.deep.example"),
			LINE(KEY_NET_ALLOW, "**.gone.example"),
			LINE_WITH(KEY_NET_DENY, "**.gone.example", {ATTR_EXCEPT, "but.gone.example"}),
			LINE(KEY_NET_DENY, "10.66.0.0/16"), LINE(KEY_NET_ALLOW, "10.0.0.0/8:5432"),
			LINE(KEY_NET_ALLOW, "[fd00::/8]:22"));
	static const struct row rows[] = {
		{"connect", "docs.example.org", NULL, ANSWER_ALLOW, "network.allow", "docs.example.org"},
		{"connect", "DOCS.example.org.", NULL, ANSWER_ALLOW, "network.allow", "docs.example.org"},
		{"connect", "docs.example.org:80", NULL, ANSWER_DENY, "network.default", "no line names it"},
		{"connect", "evildocs.example.org", NULL, ANSWER_DENY, "network.default", "no line names it"},
		{"connect", "docs.example.org.evil", NULL, ANSWER_DENY, "network.default", "no line names it"},
		{"connect", "x.one.example:8443", NULL, ANSWER_ALLOW, "network.allow", "*.one.example:8443"},
		{"connect", "x.one.example", NULL, ANSWER_DENY, "network.default", "no line names it"},
		{"connect", "one.example:8443", NULL, ANSWER_DENY, "network.default", "no line names it"},
		{"connect", "y.x.one.example:8443", NULL, ANSWER_DENY, "network.default", "no line names it"},
		{"connect", "y.x.deep.example", NULL, ANSWER_ALLOW, "network.allow", "**.deep.example"},
		{"connect", "deep.example", NULL, ANSWER_DENY, "network.default", "no line names it"},
		{"connect", "a.gone.example", NULL, ANSWER_DENY, "network.deny", "**.gone.example"},
		{"connect", "a.gone.example:1", NULL, ANSWER_DENY, "network.deny", "**.gone.example"},
		{"connect", "but.gone.example", NULL, ANSWER_ALLOW, "network.allow", "**.gone.example"},
		{"connect", "10.1.2.3:5432", NULL, ANSWER_ALLOW, "network.allow", "10.0.0.0/8:5432"},
		{"connect", "[::ffff:10.1.2.3]:5432", NULL, ANSWER_ALLOW, "network.allow", "10.0.0.0/8:5432"},
		{"connect", "10.66.2.3:5432", NULL, ANSWER_DENY, "network.deny", "10.66.0.0/16"},
		{"connect", "11.1.2.3:5432", NULL, ANSWER_DENY, "network.default", "no line names it"},
		{"connect", "[fd12::1]:22", NULL, ANSWER_ALLOW, "network.allow", "[fd00::/8]:22"},
		{"connect", "0x0a010203:5432", NULL, ANSWER_DENY, "network", "neither a name nor an address"},
		{"connect", "10.258:5432", NULL, ANSWER_DENY, "network", "neither a name nor an address"},
		{"connect", "a..example", NULL, ANSWER_DENY, "network", "neither a name nor an address"},
	};
	check_rows(&doc, rows, ARRAY_LEN(rows));
}

static void test_requests_and_programs(void **state)
{
	(void)state;
	const struct policy_doc doc = PROFILE("p", EXTENDS_NOTHING,
					      LINE_WITH(KEY_NET_ALLOW, "api.example", {ATTR_BY, "gh"},
							{ATTR_BY, "/usr/bin/git"}, {ATTR_HTTP, "GET /repos/**"}),
					      LINE(KEY_NET_ALLOW, "open.example"),
					      LINE_WITH(KEY_NET_DENY, "open.example", {ATTR_HTTP, "* /admin/**"}),
					      LINE_WITH(KEY_NET_DENY, "**", {ATTR_BY, "curl"}));
	static const struct row rows[] = {
		{"get", "https://api.example/repos/x", "/opt/gh", ANSWER_ALLOW, "network.allow", "api.example"},
		{"get", "https://api.example/repos/x", "/usr/bin/git", ANSWER_ALLOW, "network.allow", "api.example"},
		{"get", "https://api.example/repos/x", "/opt/git", ANSWER_DENY, "network.default", "no line names it"},
		{"get", "https://api.example/user", "/opt/gh", ANSWER_DENY, "network.default", "no line names it"},
		{"put", "https://api.example/repos/x", "/opt/gh", ANSWER_DENY, "network.default", "no line names it"},
		{"get", "https://open.example/a?b", "/x", ANSWER_ALLOW, "network.allow", "open.example"},
		{"get", "https://open.example/admin", "/x", ANSWER_DENY, "network.deny", "open.example"},
		{"get", "https://open.example/a", "/usr/bin/curl", ANSWER_DENY, "network.deny", "**"},
		{"get", "https://open.example/a", NULL, ANSWER_DENY, "network.deny", "**"},
	};
	check_rows(&doc, rows, ARRAY_LEN(rows));
}

static void test_modes(void **state)
{
	(void)state;
	const struct policy_doc none =
		PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "none"), LINE(KEY_NET_ALLOW, "a.example"));
	const struct policy_doc host =
		PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_MODE, "host"), LINE(KEY_NET_DENY, "b.example"));
	static const struct row none_rows[] = {{"connect", "a.example", NULL, ANSWER_DENY, "network.mode", "none"}};
	static const struct row host_rows[] = {
		{"connect", "a.example", NULL, ANSWER_ALLOW, "network.mode", "host"},
		{"connect", "b.example:8", NULL, ANSWER_DENY, "network.deny", "b.example"},
	};
	check_rows(&none, none_rows, ARRAY_LEN(none_rows));
	check_rows(&host, host_rows, ARRAY_LEN(host_rows));
}

static void test_commands(void **state)
{
	(void)state;
	const struct policy_doc doc =
		PROFILE("p", EXTENDS_NOTHING, LINE_WITH(KEY_COMMAND, "git push **", {ATTR_DECISION, "ask"}),
			LINE_WITH(KEY_COMMAND, "rm -rf /**", {ATTR_DECISION, "deny"}),
			LINE_WITH(KEY_COMMAND, "git push --force **", {ATTR_DECISION, "deny"}),
			LINE_WITH(KEY_COMMAND, "git **", {ATTR_DECISION, "allow"}));
	static const struct row rows[] = {
		{"run", "git push", NULL, ANSWER_ASK, "commands", "git push **"},
		{"run", "/usr/bin/git push origin", NULL, ANSWER_ASK, "commands", "git push **"},
		{"run", "g push", "/usr/bin/git", ANSWER_ASK, "commands", "git push **"},
		{"run", "git push --force x", NULL, ANSWER_DENY, "commands", "git push --force **"},
		{"run", "git status", NULL, ANSWER_ALLOW, "commands", "git **"},
		{"run", "gitk", NULL, ANSWER_ALLOW, "commands", "no line names it"},
		{"run", "rm -rf /home/u", NULL, ANSWER_DENY, "commands", "rm -rf /**"},
		{"run", "rm -rf build", NULL, ANSWER_ALLOW, "commands", "no line names it"},
	};
	check_rows(&doc, rows, ARRAY_LEN(rows));
}

static void test_grants_and_places(void **state)
{
	(void)state;
	const struct policy_doc doc = PROFILE("p", EXTENDS_NOTHING, LINE(KEY_NET_ALLOW, "a.example"));
	static const struct {
		const char *host;
		uint16_t port;
		const char *grant;
	} rows[] = {
		{"b.example", 443, "--allow-net b.example"},
		{"b.example", 80, "--allow-net b.example:80"},
		{"b.example", 65535, "--allow-net b.example:65535"},
		{"fd00::1", 1005, "--allow-net [fd00::1]:1005"},
		{"a.example", 443, ""},
		{"b..example", 443, ""},
	};
	auto_rig struct rig rig = RIG(.layers = {.profiles = DOCS(&doc)});
	auto_index *index = NULL;
	MADE(&rig);
	assert_int_equal(policy_index_new(rig.policy, &index, NULL), BERM_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy_verdict verdict;
		policy_decide(
			index,
			&(struct policy_question){.op = POLICY_OP_CONNECT, .host = rows[i].host, .port = rows[i].port},
			&verdict);
		assert_string_equal(verdict.grant, rows[i].grant);
	}
	struct policy_verdict verdict;
	policy_decide(index, &(struct policy_question){.op = POLICY_OP_READ, .path = "/x"}, &verdict);
	assert_int_equal(verdict.answer, ANSWER_DENY);
	policy_decide(index, &(struct policy_question){.op = POLICY_OP_RUN}, &verdict);
	assert_int_equal(verdict.answer, ANSWER_DENY);
	policy_decide(index, &(struct policy_question){.op = POLICY_OP_HTTP, .host = "b.example", .port = 443},
		      &verdict);
	assert_int_equal(verdict.answer, ANSWER_DENY);
}

/* A line that is no host is an error with its place, and more than there is room for as well. */
static void test_what_cannot_be_indexed(void **state)
{
	(void)state;
	static const struct policy_doc doc = {.file = "p.yaml"};
	static const struct policy_line line = {.key = KEY_NET_DENY, .text = "a b", .line = 3, .column = 7};
	struct policy_entry entry = {.doc = &doc, .line = &line, .text = line.text};
	const struct policy policy = {.entries = &entry, .count = 1};
	auto_index *index = NULL;
	struct berm_err err = {0};
	assert_int_equal(policy_index_new(&policy, &index, &err), BERM_ERR_PARSE);
	assert_null(index);
	assert_non_null(strstr(err.msg, "p.yaml:3:7"));
}

/* The memory of many lines is told, and stays in proportion. */
static void test_size(void **state)
{
	(void)state;
	enum { COUNT = 5000, EACH_MAX = 1200 };
	static struct policy_line lines[COUNT];
	static struct policy_entry entries[COUNT];
	static char texts[COUNT][32];
	static const struct policy_doc doc = {.file = "p.yaml"};
	auto_index *index = NULL, *empty = NULL;
	for (size_t i = 0; i < COUNT; i++) {
		(void)snprintf(texts[i], sizeof texts[i], "*.host%zu.example.org", i);
		lines[i] = (struct policy_line){.key = KEY_NET_ALLOW, .text = texts[i]};
		entries[i] = (struct policy_entry){.doc = &doc, .line = &lines[i], .text = texts[i]};
	}
	assert_int_equal(policy_index_new(&(struct policy){.entries = entries, .count = COUNT}, &index, NULL), BERM_OK);
	assert_int_equal(policy_index_new(&(struct policy){.entries = entries}, &empty, NULL), BERM_OK);
	print_message("%zu bytes for %d lines, %zu for none\n", policy_index_size(index), COUNT,
		      policy_index_size(empty));
	assert_in_range(policy_index_size(index), COUNT * 50, COUNT * EACH_MAX);
	assert_in_range(policy_index_size(empty), 100, 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_requests_and_programs),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_grants_and_places),
		cmocka_unit_test(test_what_cannot_be_indexed),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_answers_as_the_lines_one_by_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
