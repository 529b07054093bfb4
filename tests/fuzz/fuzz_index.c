/* Target: the index of a policy's lines and what it says. Input: lines "KEY TEXT" with attributes behind tabs ("allow
 * a.example:80\tby git\thttp GET /x", "deny ...", "run git push **\tdecision ask"), an empty line, questions ("connect
 * a.example", "get https://a.example/x", "run git push"). What the loader takes can be indexed; a host that a plain denial
 * matches alone is denied, and an answer that lets something through names a line that is there. */
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"
#include "policy/host_text.h"
#include "policy/load.h"
#include "policy/load_value.h"
#include "policy/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 64, ATTRS_MAX = 8, QUESTIONS_MAX = 32, SIZE_MAX_INPUT = 65536 };

struct world {
	struct policy_line lines[LINES_MAX];
	struct policy_attr attrs[LINES_MAX][ATTRS_MAX];
	struct policy_entry entries[LINES_MAX];
	struct policy policy;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static bool is_value(enum policy_value value, const char *text)
{
	return policy_check_value(value, NULL, str_from(text), NULL) == BERM_OK;
}

/* The next piece of *at, which is cut off; NULL: there is none. */
static char *next_piece(char **at, char separator)
{
	char *piece = *at;
	if (piece == NULL)
		return NULL;
	char *end = strchr(piece, separator);
	if (end != NULL)
		*end = '\0';
	*at = end != NULL ? end + 1 : NULL;
	return piece;
}

static bool take_attr(struct policy_line *line, struct policy_attr *attrs, const char *text)
{
	static const struct {
		const char *word;
		enum policy_attr_key key;
		enum policy_value value;
	} rows[] = {{"by ", ATTR_BY, VALUE_TEXT},
		    {"http ", ATTR_HTTP, VALUE_HTTP},
		    {"except ", ATTR_EXCEPT, VALUE_HOST},
		    {"private ", ATTR_PRIVATE, VALUE_BOOL},
		    {"decision ", ATTR_DECISION, VALUE_TEXT}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t len = strlen(rows[i].word);
		if (strncmp(text, rows[i].word, len) != 0 || line->attr_count == ATTRS_MAX ||
		    !is_value(rows[i].value, text + len) || text[len] == '$')
			continue;
		attrs[line->attr_count++] = (struct policy_attr){rows[i].key, text + len};
		return true;
	}
	return false;
}

static void take_line(struct world *world, char *text)
{
	static const struct policy_doc doc = {.file = "fuzz"};
	static const struct {
		const char *word;
		enum policy_key key;
		enum policy_value value;
	} rows[] = {{"allow", KEY_NET_ALLOW, VALUE_HOST},
		    {"deny", KEY_NET_DENY, VALUE_HOST},
		    {"run", KEY_COMMAND, VALUE_COMMAND}};
	size_t at = world->policy.count;
	char *rest = text, *word = next_piece(&rest, ' '), *object = next_piece(&rest, '\t');
	struct policy_line *line = &world->lines[at];
	for (size_t i = 0; object != NULL && i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(word, rows[i].word) != 0 || object[0] == '$' || !is_value(rows[i].value, object))
			continue;
		*line = (struct policy_line){.key = rows[i].key, .text = object, .attrs = world->attrs[at]};
		while (rest != NULL)
			(void)take_attr(line, world->attrs[at], next_piece(&rest, '\t'));
		world->entries[at] = (struct policy_entry){.doc = &doc, .line = line, .text = object};
		world->policy.count++;
		return;
	}
}

/* A denial of a name for everybody. Patterns of names are for names alone. */
static bool is_closed_alone(const struct world *world, const struct policy_question *question)
{
	struct host_net address;
	if (host_text_net(str_from(question->host), false, &address))
		return false;
	for (size_t i = 0; i < world->policy.count; i++) {
		uint16_t port;
		struct glob *glob = NULL;
		const struct policy_line *line = world->entries[i].line;
		struct str host = host_text_split(line->text, &port);
		if (line->key != KEY_NET_DENY || line->attr_count > 0 || (port != 0 && port != question->port) ||
		    glob_new(GLOB_HOST, host, &glob, NULL) != BERM_OK)
			continue;
		bool matches = glob_match(glob, str_from(question->host), false);
		glob_free(glob);
		if (matches)
			return true;
	}
	return false;
}

static void ask(const struct world *world, const struct policy_index *index, char *text)
{
	struct arena arena;
	struct policy_question question;
	struct policy_verdict verdict;
	char *object = text, *word = next_piece(&object, ' ');
	arena_init(&arena, 1024 * 1024);
	if (object != NULL && question_parse(&arena, word, object, &question, NULL) == BERM_OK) {
		bool host = question.op == POLICY_OP_CONNECT || question.op == POLICY_OP_HTTP;
		policy_decide(index, &question, &verdict);
		require(verdict.rule != NULL && strlen(verdict.text) < sizeof verdict.text);
		require(!host || verdict.answer == ANSWER_DENY ||
			(verdict.by >= world->entries && verdict.by < world->entries + world->policy.count));
		require(!host || verdict.answer == ANSWER_DENY || !is_closed_alone(world, &question));
	}
	arena_done(&arena);
}

static void try_all(struct world *world, char *text)
{
	struct policy_index *index = NULL;
	char *rest = text, *piece;
	while ((piece = next_piece(&rest, '\n')) != NULL && piece[0] != '\0')
		if (world->policy.count < LINES_MAX)
			take_line(world, piece);
	enum berm_code code = policy_index_new(&world->policy, &index, NULL);
	require(code == BERM_OK || code == BERM_ERR_NOMEM || code == BERM_ERR_LIMIT);
	for (size_t i = 0; code == BERM_OK && i < QUESTIONS_MAX && (piece = next_piece(&rest, '\n')) != NULL; i++)
		ask(world, index, piece);
	policy_index_free(index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > SIZE_MAX_INPUT)
		return 0;
	char *text = malloc(size + 1);
	struct world *world = calloc(1, sizeof *world);
	if (text != NULL && world != NULL) {
		memcpy(text, data, size);
		text[size] = '\0';
		world->policy.entries = world->entries;
		try_all(world, text);
	}
	free(world);
	free(text);
	return 0;
}
