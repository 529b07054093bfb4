#include "policy/question.h"

#include <string.h>

#include "base/own.h"

enum { PORT_HTTP = 80, PORT_HTTPS = 443, PORT_MAX = 65535, MAX_WORDS = 1024, METHOD_MAX = 16, DEL = 0x7f };

static const char *const op_words[] = {
	[POLICY_OP_READ] = "read",     [POLICY_OP_LIST] = "list",	[POLICY_OP_WRITE] = "write",
	[POLICY_OP_CREATE] = "create", [POLICY_OP_DELETE] = "delete",	[POLICY_OP_EXEC] = "exec",
	[POLICY_OP_SOCKET] = "socket", [POLICY_OP_CONNECT] = "connect", [POLICY_OP_HTTP] = "http",
	[POLICY_OP_RUN] = "run",       [POLICY_OP_NAME] = "name",
};
static const char *const answer_words[] = {[ANSWER_DENY] = "deny", [ANSWER_ASK] = "ask", [ANSWER_ALLOW] = "allow"};
/* "delete" is what it is for files. */
static const char *const methods[] = {"get", "head", "post", "put", "patch", "options"};

const char *question_op_word(enum policy_op op)
{
	return op_words[op];
}

const char *question_answer_word(enum policy_answer answer)
{
	return answer_words[answer];
}

bool question_is_file(enum policy_op op)
{
	return op <= POLICY_OP_SOCKET;
}

bool question_find_op(const char *word, enum policy_op *ret_op)
{
	for (size_t i = 0; i < ARRAY_LEN(op_words); i++) {
		if (i == POLICY_OP_HTTP || i == POLICY_OP_NAME || strcmp(op_words[i], word) != 0)
			continue;
		*ret_op = (enum policy_op)i;
		return true;
	}
	return false;
}

static enum berm_code no_memory(struct berm_err *err)
{
	return err_set(err, BERM_ERR_NOMEM, "read a question");
}

static enum berm_code copy(struct arena *arena, struct str text, const char **ret_text, struct berm_err *err)
{
	char *copied = arena_text(arena, text);
	if (copied == NULL)
		return no_memory(err);
	*ret_text = copied;
	return BERM_OK;
}

static enum berm_code take_path(struct arena *arena, const char *object, struct policy_question *question,
				struct berm_err *err)
{
	if (object[0] != '/')
		return err_set(err, BERM_ERR_PARSE, "not an absolute path: '%.100s'", object);
	return copy(arena, str_from(object), &question->path, err);
}

/* Takes "host", "host:port" or "[address]:port" apart; *port stays as it is if none is named. */
static enum berm_code take_host(struct arena *arena, struct str text, struct policy_question *question,
				struct berm_err *err)
{
	struct str host = text, port = {0};
	bool bracket = text.len > 0 && text.ptr[0] == '[';
	const char *end = bracket ? memchr(text.ptr, ']', text.len) : NULL;
	if (bracket && end == NULL)
		return err_set(err, BERM_ERR_PARSE, "no ']' in '%.*s'", (int)text.len, text.ptr);
	const char *behind = bracket ? end + 1 : memchr(text.ptr, ':', text.len);
	const char *stop = text.ptr + text.len;
	if (bracket)
		host = (struct str){text.ptr + 1, (size_t)(end - text.ptr - 1)};
	else if (behind != NULL)
		host.len = (size_t)(behind - text.ptr);
	if (behind != NULL && behind < stop) {
		port = (struct str){behind + 1, (size_t)(stop - behind - 1)};
		uint64_t number;
		if (*behind != ':' || str_u64(port, PORT_MAX, &number, NULL) != BERM_OK || number == 0)
			return err_set(err, BERM_ERR_PARSE, "not a port in '%.*s'", (int)text.len, text.ptr);
		question->port = (uint16_t)number;
	}
	if (host.len == 0)
		return err_set(err, BERM_ERR_PARSE, "no host in '%.*s'", (int)text.len, text.ptr);
	return copy(arena, host, &question->host, err);
}

/* The path of a URL must be canonical: what a server would make of "..", "%2e" or a control byte is not guessed. */
static enum berm_code check_target(struct str target, struct berm_err *err)
{
	struct str rest = target, segment;
	for (size_t i = 0; i < target.len; i++) {
		if (target.ptr[i] <= ' ' || target.ptr[i] == DEL)
			return err_set(err, BERM_ERR_PARSE, "a space or control byte in a URL");
	}
	const char *query = memchr(target.ptr, '?', target.len);
	if (query != NULL)
		rest.len = (size_t)(query - target.ptr);
	while (str_next(&rest, '/', &segment)) {
		if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")) || str_starts(segment, STR("%2e")) ||
		    str_starts(segment, STR("%2E")))
			return err_set(err, BERM_ERR_PARSE, "a segment '%.*s' in a URL", (int)segment.len, segment.ptr);
	}
	return BERM_OK;
}

static enum berm_code take_url(struct arena *arena, const char *url, struct policy_question *question,
			       struct berm_err *err)
{
	static const struct {
		struct str scheme;
		uint16_t port;
	} schemes[] = {{{"https://", 8}, PORT_HTTPS}, {{"http://", 7}, PORT_HTTP}};
	struct str rest = str_from(url);
	for (size_t i = 0; i < ARRAY_LEN(schemes) && question->port == 0; i++) {
		if (!str_starts(rest, schemes[i].scheme))
			continue;
		question->port = schemes[i].port;
		rest = (struct str){rest.ptr + schemes[i].scheme.len, rest.len - schemes[i].scheme.len};
	}
	if (question->port == 0)
		return err_set(err, BERM_ERR_PARSE, "no URL of http or https: '%.100s'", url);
	size_t len = strcspn(rest.ptr, "/?#");
	struct str target = {rest.ptr + len, rest.len - len};
	if (memchr(rest.ptr, '@', len) != NULL || memchr(target.ptr, '#', target.len) != NULL)
		return err_set(err, BERM_ERR_PARSE, "a user or a fragment in the URL '%.100s'", url);
	TRY(take_host(arena, (struct str){rest.ptr, len}, question, err));
	TRY(check_target(target, err));
	if (target.len == 0)
		target = STR("/");
	if (target.ptr[0] != '/')
		return err_set(err, BERM_ERR_PARSE, "no path before the query of '%.100s'", url);
	return copy(arena, target, &question->target, err);
}

/* Words as in a shell, without its expansions: parted by spaces, quotes hold them together. */
static bool next_word(const char **at, char *word)
{
	while (**at == ' ')
		(*at)++;
	if (**at == '\0')
		return false;
	char quote = '\0';
	for (; **at != '\0' && (quote != '\0' || **at != ' '); (*at)++) {
		if (quote == '\0' && (**at == '\'' || **at == '"'))
			quote = **at;
		else if (**at == quote)
			quote = '\0';
		else
			*word++ = **at;
	}
	*word = '\0';
	return true;
}

static enum berm_code take_command(struct arena *arena, const char *command, struct policy_question *question,
				   struct berm_err *err)
{
	size_t room = strlen(command) + 1, count = 0;
	const char **argv = arena_array(arena, MAX_WORDS + 1, sizeof(*argv));
	auto_free char *word = malloc(room);
	if (argv == NULL || word == NULL)
		return no_memory(err);
	while (next_word(&command, word)) {
		if (count == MAX_WORDS)
			return err_set(err, BERM_ERR_LIMIT, "more than %d words in a command", MAX_WORDS);
		TRY(copy(arena, str_from(word), &argv[count++], err));
	}
	if (count == 0)
		return err_set(err, BERM_ERR_PARSE, "no command");
	question->argv = argv;
	return BERM_OK;
}

/* "get" to "GET"; false: it is no method. */
static bool find_method(const char *word, char ret_method[static METHOD_MAX])
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (strcmp(methods[i], word) != 0)
			continue;
		size_t at = 0;
		for (; word[at] != '\0'; at++)
			ret_method[at] = (char)(word[at] - 'a' + 'A');
		ret_method[at] = '\0';
		return true;
	}
	return false;
}

static enum berm_code take_object(struct arena *arena, const char *object, struct policy_question *question,
				  struct berm_err *err)
{
	if (question_is_file(question->op))
		return take_path(arena, object, question, err);
	if (question->op == POLICY_OP_RUN)
		return take_command(arena, object, question, err);
	question->port = PORT_HTTPS;
	return take_host(arena, str_from(object), question, err);
}

enum berm_code question_parse(struct arena *arena, const char *word, const char *object,
			      struct policy_question *ret_question, struct berm_err *err)
{
	char method[METHOD_MAX];
	struct policy_question question = {0};
	if (find_method(word, method)) {
		question.op = POLICY_OP_HTTP;
		TRY(copy(arena, str_from(method), &question.method, err));
		TRY(take_url(arena, object, &question, err));
		*ret_question = question;
		return BERM_OK;
	}
	if (!question_find_op(word, &question.op))
		return err_set(err, BERM_ERR_PARSE, "no question begins with '%.40s'", word);
	TRY(take_object(arena, object, &question, err));
	*ret_question = question;
	return BERM_OK;
}
