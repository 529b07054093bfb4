#include "policy/load_value.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/own.h"
#include "format/utf8.h"
#include "policy/load.h"

enum { TEXT_MAX = 4096, NAME_MAX_BYTES = 128, QUOTED_MAX = 80 };

/* Messages quote at most this much. */
#define QUOTED(text) (int)((text).len < QUOTED_MAX ? (text).len : QUOTED_MAX), (text).ptr

static enum berm_code wrong(struct berm_err *err, const char *what, struct str text)
{
	return err_set(err, BERM_ERR_PARSE, "%s: '%.*s'", what, QUOTED(text));
}

/* ---- characters -------------------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, digits, and what further says. */
static bool all_are(struct str text, const char *further)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_letter(text.ptr[i]) && !is_digit(text.ptr[i]) && strchr(further, text.ptr[i]) == NULL)
			return false;
	return text.len > 0;
}

static bool has_any(struct str text, const char *characters)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '\0' && strchr(characters, text.ptr[i]) != NULL)
			return true;
	return false;
}

static uint32_t character(struct str text, size_t len)
{
	static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t value = (uint8_t)text.ptr[0] & masks[len];
	for (size_t i = 1; i < len; i++)
		value = value << 6 | ((uint8_t)text.ptr[i] & 0x3f);
	return value;
}

/* Characters that nobody sees, by which a text that is read as one thing is another: of no width, or turning the order of
 * what follows. What people tell in texts may join emoji with the first five. */
static bool is_hidden(uint32_t c, bool telling)
{
	static const uint32_t ranges[][2] = {{0x200b, 0x200d}, {0x00ad, 0x00ad}, {0xfe00, 0xfe0f},  {0x2060, 0x2064},
					     {0xfeff, 0xfeff}, {0x061c, 0x061c}, {0x200e, 0x200f},  {0x2028, 0x202e},
					     {0x2066, 0x206f}, {0xfff9, 0xfffb}, {0xe0000, 0xe01ef}};
	for (size_t i = telling ? 5 : 0; i < ARRAY_LEN(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

/* What stands in the text and must not; NULL: nothing. A name of the file system may be no UTF-8. */
static const char *strange_character(struct str text, bool telling)
{
	while (text.len > 0) {
		size_t len = utf8_length(text);
		bool harmless = telling && (text.ptr[0] == '\n' || text.ptr[0] == '\t');
		if (!harmless && (len > 0 ? utf8_is_control(text, len) : (uint8_t)text.ptr[0] < 0x20))
			return "a control character";
		if (len > 1 && is_hidden(character(text, len), telling))
			return "a character that nobody sees";
		len = len > 0 ? len : 1;
		text = (struct str){text.ptr + len, text.len - len};
	}
	return NULL;
}

/* Where "://" is; NULL: nowhere. */
static const char *scheme_end(struct str text)
{
	return text.len > 0 ? memmem(text.ptr, text.len, "://", 3) : NULL;
}

/* Splits at the first separator; false: there is none. */
static bool split(struct str text, char separator, struct str *ret_head, struct str *ret_tail)
{
	const char *found = text.len > 0 ? memchr(text.ptr, separator, text.len) : NULL;
	if (found == NULL)
		return false;
	*ret_head = (struct str){text.ptr, (size_t)(found - text.ptr)};
	*ret_tail = str_skip(text, ret_head->len + 1);
	return true;
}

static bool is_word(const char *const *words, struct str text)
{
	while (words != NULL && *words != NULL && !str_eq(str_from(*words), text))
		words++;
	return words != NULL && *words != NULL;
}

/* ---- simple kinds ------------------------------------------------------------------------------------------------ */

typedef enum berm_code (*value_check)(const char *const *words, struct str text, struct berm_err *err);

static enum berm_code check_text(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	(void)text;
	(void)err;
	return BERM_OK;
}

static enum berm_code check_name(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	bool fine = all_are(text, "-_.+") && text.len <= NAME_MAX_BYTES && text.ptr[0] != '-' && text.ptr[0] != '.';
	return fine ? BERM_OK : wrong(err, "not a name of letters, digits, '-', '_', '.' and '+'", text);
}

static enum berm_code check_group(const char *const *words, struct str text, struct berm_err *err)
{
	return check_name(words, text.len > 0 && text.ptr[0] == '-' ? str_skip(text, 1) : text, err);
}

static enum berm_code check_bool(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	bool fine = str_eq(text, STR("true")) || str_eq(text, STR("false"));
	return fine ? BERM_OK : wrong(err, "neither true nor false", text);
}

static enum berm_code check_version(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	return str_eq(text, STR("1")) ? BERM_OK : wrong(err, "not a version of the format that is known", text);
}

static enum berm_code check_word(const char *const *words, struct str text, struct berm_err *err)
{
	if (is_word(words, text))
		return BERM_OK;
	auto_buf struct buf list;
	buf_init(&list, TEXT_MAX);
	for (const char *const *word = words; word != NULL && *word != NULL; word++)
		buf_printf(&list, "%s%s", word > words ? ", " : "", *word);
	TRY(buf_check(&list, err));
	return err_set(err, BERM_ERR_PARSE, "'%.*s' is none of %s", QUOTED(text), list.len > 0 ? list.data : "none");
}

static enum berm_code check_port(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	uint64_t port;
	bool fine = str_u64(text, UINT16_MAX, &port, NULL) == BERM_OK && port > 0;
	return fine ? BERM_OK : wrong(err, "not a port", text);
}

static bool is_variable(struct str text)
{
	return all_are(text, "_") && !is_digit(text.ptr[0]);
}

static enum berm_code check_variable(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	return is_variable(text) ? BERM_OK : wrong(err, "not the name of a variable", text);
}

static enum berm_code check_setting(const char *const *words, struct str text, struct berm_err *err)
{
	struct str name, value;
	(void)words;
	bool fine = split(text, '=', &name, &value) && is_variable(name);
	return fine ? BERM_OK : wrong(err, "not NAME=TEXT of a variable", text);
}

static enum berm_code check_variables(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	struct str name = text;
	if (str_ends(text, STR("*")))
		name.len--;
	bool fine = is_variable(name) || str_eq(text, STR("*"));
	return fine ? BERM_OK : wrong(err, "not the name of a variable, or the beginning of names and '*'", text);
}

static enum berm_code check_size(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	uint64_t value;
	TRY(str_size(text, &value, err));
	return value > 0 ? BERM_OK : wrong(err, "a limit of nothing", text);
}

static enum berm_code check_count(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	uint64_t value;
	TRY(str_u64(text, UINT64_MAX, &value, err));
	return value > 0 ? BERM_OK : wrong(err, "a limit of nothing", text);
}

static enum berm_code check_duration(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	uint64_t value;
	TRY(str_duration_ms(text, &value, err));
	return value > 0 ? BERM_OK : wrong(err, "a time of nothing", text);
}

static enum berm_code check_words(struct str text, struct berm_err *err)
{
	bool fine = text.len > 0 && text.ptr[0] != ' ';
	return fine ? BERM_OK : wrong(err, "not a command", text);
}

static enum berm_code check_command(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	struct glob *glob = NULL;
	TRY(check_words(text, err));
	TRY(glob_new(GLOB_WORDS, text, &glob, err));
	glob_free(glob);
	return BERM_OK;
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static bool is_variable_path(struct str text)
{
	struct str name = str_skip(text, 1), rest;
	(void)split(name, '/', &name, &rest);
	return is_variable(name);
}

/* How much of the text is "~" or "$NAME"; false: it starts in a way that means nothing. */
static bool path_start(struct str text, size_t *ret_len)
{
	const char *slash = memchr(text.ptr, '/', text.len);
	size_t first = slash != NULL ? (size_t)(slash - text.ptr) : text.len;
	*ret_len = text.ptr[0] == '~' || text.ptr[0] == '$' ? first : 0;
	return text.ptr[0] == '~' ? first == 1 : text.ptr[0] != '$' || is_variable_path(text);
}

static bool has_inner_variable(struct str text)
{
	for (size_t i = 1; i + 1 < text.len; i++)
		if (text.ptr[i] == '$' && (text.ptr[i - 1] == '/' || text.ptr[i + 1] == '{'))
			return true;
	return false;
}

static enum berm_code check_any_path(struct str text, size_t *ret_start, struct berm_err *err)
{
	if (text.len == 0)
		return wrong(err, "not a path", text);
	if (text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ')
		return wrong(err, "a path with a space at its beginning or end", text);
	if (!path_start(text, ret_start))
		return wrong(err, text.ptr[0] == '~' ? "no path of this user" : "not a variable", text);
	if (has_inner_variable(text))
		return wrong(err, "a variable stands at the beginning of a path", text);
	return scheme_end(text) != NULL ? wrong(err, "a URL, not a path", text) : BERM_OK;
}

static enum berm_code check_path(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	size_t start;
	TRY(check_any_path(text, &start, err));
	return has_any(text, "*?") ? wrong(err, "a path without wildcards is needed here", text) : BERM_OK;
}

/* The pattern is compiled as it will be, with something in place of its beginning. */
static enum berm_code check_pattern(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	size_t start;
	struct glob *glob = NULL;
	TRY(check_any_path(text, &start, err));
	if (!has_any(text, "*?[]{}\\"))
		return BERM_OK;
	struct str rest = str_skip(text, start);
	bool whole = rest.len > 0 && (rest.ptr[0] == '/' || str_starts(rest, STR("**")));
	char pattern[TEXT_MAX + 2];
	int len = snprintf(pattern, sizeof pattern, "%s%.*s", whole ? "" : "/", (int)rest.len, rest.ptr);
	TRY(glob_new(GLOB_PATH, (struct str){pattern, (size_t)len}, &glob, err));
	glob_free(glob);
	return BERM_OK;
}

/* ---- hosts ------------------------------------------------------------------------------------------------------- */

/* An address, and behind a '/' the bits that count; those behind it must be zero. */
static bool is_address(struct str text, int family)
{
	char address[64];
	uint8_t bytes[16] = {0};
	struct str head = text, tail = {NULL, 0};
	uint64_t bits = family == AF_INET ? 32 : 128, all = bits;
	bool prefix = split(text, '/', &head, &tail);
	if (head.len >= sizeof address || (prefix && str_u64(tail, all, &bits, NULL) != BERM_OK))
		return false;
	memcpy(address, head.ptr, head.len);
	address[head.len] = '\0';
	if (inet_pton(family, address, bytes) != 1)
		return false;
	for (size_t bit = (size_t)bits; bit < all; bit++)
		if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
			return false;
	return true;
}

static enum berm_code check_port_behind(struct str rest, struct str text, struct berm_err *err)
{
	if (rest.len == 0)
		return BERM_OK;
	if (rest.ptr[0] != ':' || check_port(NULL, str_skip(rest, 1), NULL) != BERM_OK)
		return wrong(err, "not a port behind the host", text);
	return BERM_OK;
}

/* "[ADDRESS]" or "[ADDRESS/BITS]", and a port. */
static enum berm_code check_bracketed(struct str text, struct berm_err *err)
{
	struct str inner, rest;
	if (!split(str_skip(text, 1), ']', &inner, &rest) || !is_address(inner, AF_INET6))
		return wrong(err, "not an address of IPv6", text);
	return check_port_behind(rest, text, err);
}

static enum berm_code check_host_name(struct str host, struct str text, struct berm_err *err)
{
	struct glob *glob = NULL;
	if (host.len > 0 && host.ptr[0] == '$')
		return is_variable(str_skip(host, 1)) ? BERM_OK : wrong(err, "not a variable", text);
	bool numbers = host.len > 0 && is_digit(host.ptr[host.len - 1]) && !has_any(host, "*?[]{}\\") &&
		       (!has_any(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") || has_any(host, "/"));
	if (numbers || has_any(host, "/"))
		return is_address(host, AF_INET) ? BERM_OK : wrong(err, "not an address or network", text);
	if (host.len == 0)
		return wrong(err, "not a host", text);
	TRY(glob_new(GLOB_HOST, host, &glob, err));
	glob_free(glob);
	return BERM_OK;
}

static size_t count_of(struct str text, char wanted)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == wanted;
	return count;
}

static enum berm_code check_host(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	struct str host = text, port;
	size_t colons = count_of(text, ':');
	if (scheme_end(text) != NULL)
		return wrong(err, "a URL, not a host", text);
	if (text.len > 0 && text.ptr[0] == '[' && colons >= 2)
		return check_bracketed(text, err);
	if (colons >= 2)
		return is_address(text, AF_INET6) ? BERM_OK : wrong(err, "not a host", text);
	if (split(text, ':', &host, &port))
		TRY(check_port_behind(str_skip(text, host.len), text, err));
	return check_host_name(host, text, err);
}

/* ---- URLs -------------------------------------------------------------------------------------------------------- */

static bool has_scheme(const char *const *words, struct str text, struct str *ret_rest)
{
	const char *found = scheme_end(text);
	if (found == NULL)
		return false;
	size_t len = (size_t)(found - text.ptr);
	*ret_rest = str_skip(text, len + 3);
	return is_word(words, (struct str){text.ptr, len}) && ret_rest->len > 0;
}

static enum berm_code check_source(const char *const *words, struct str text, struct berm_err *err)
{
	struct str rest;
	struct berm_err list = {0};
	if (has_scheme(words, text, &rest))
		return BERM_OK;
	(void)check_word(words, text, &list);
	return err_set(err, BERM_ERR_PARSE, "no scheme that is known and '://': %s", list.msg);
}

static enum berm_code check_url(const char *const *words, struct str text, struct berm_err *err)
{
	static const char *const schemes[] = {"http", "https", NULL};
	(void)words;
	struct str host;
	if (!has_scheme(schemes, text, &host) || has_any(text, " "))
		return wrong(err, "not a URL of http or https", text);
	for (size_t i = 0; i < host.len; i++)
		if (strchr("/?#", host.ptr[i]) != NULL)
			host.len = i;
	if (has_any(host, "*?@\\{}$"))
		return wrong(err, "not a host in the URL", text);
	char copy[TEXT_MAX + 1];
	memcpy(copy, host.ptr, host.len);
	copy[host.len] = '\0';
	return check_host(NULL, (struct str){copy, host.len}, err);
}

static enum berm_code check_operation(struct str text, struct berm_err *err)
{
	static const char *const kinds[] = {"query", "mutation", "subscription", NULL};
	struct str kind, name;
	bool fine = split(text, ':', &kind, &name) && is_word(kinds, kind) &&
		    (all_are(name, "_") || str_eq(name, STR("*")));
	return fine ? BERM_OK : wrong(err, "not an operation such as 'query:NAME'", text);
}

static enum berm_code check_http(const char *const *words, struct str text, struct berm_err *err)
{
	(void)words;
	struct glob *glob = NULL;
	struct str method, path, operation = {NULL, 0};
	if (!split(text, ' ', &method, &path))
		return wrong(err, "not a METHOD and a path", text);
	if (split(path, ' ', &path, &operation))
		TRY(check_operation(operation, err));
	for (size_t i = 0; i < method.len; i++)
		if (method.ptr[i] < 'A' || method.ptr[i] > 'Z')
			method.len = str_eq(method, STR("*")) ? 1 : 0;
	if (method.len == 0)
		return wrong(err, "not a method in capital letters, or '*'", text);
	TRY(glob_new(GLOB_URL, path, &glob, err));
	glob_free(glob);
	return BERM_OK;
}

/* ---- texts of several words -------------------------------------------------------------------------------------- */

static enum berm_code check_phrase(const char *const *words, struct str text, struct berm_err *err)
{
	static const char *const alone[] = {"bearer", "sigv4", "oauth2", NULL};
	struct str first = text, rest = {NULL, 0};
	bool more = split(text, ' ', &first, &rest);
	TRY(check_word(words, first, err));
	if (is_word(alone, first) ? more : rest.len == 0 || rest.ptr[0] == ' ')
		return wrong(err, more ? "nothing stands behind this word" : "something is to stand behind this word",
			     text);
	return BERM_OK;
}

enum policy_value load_value_of_test(struct str word, struct str object)
{
	static const struct {
		const char *word;
		enum policy_value value;
	} rows[] = {
		{"read", VALUE_PATH},	{"list", VALUE_PATH},	 {"write", VALUE_PATH},
		{"create", VALUE_PATH}, {"delete", VALUE_PATH},	 {"exec", VALUE_PATH},
		{"socket", VALUE_PATH}, {"connect", VALUE_HOST}, {"run", VALUE_COMMAND},
	};
	/* "delete" is a file's, and a method as well. */
	bool url = str_eq(word, STR("delete")) && scheme_end(object) != NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows) && !url; i++)
		if (str_eq(word, str_from(rows[i].word)))
			return rows[i].value;
	return VALUE_URL;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

static enum berm_code check_test(const char *const *words, struct str text, struct berm_err *err);

/* A node of one of these kinds may be the value. */
enum {
	TEXTS = 1 << NODE_TEXT,
	NUMBERS = 1 << NODE_TEXT | 1 << NODE_NUMBER,
	BOOLS = 1 << NODE_BOOL,
};

static const struct value_row {
	value_check check;
	unsigned nodes;
	const char *expected, *hint;
} value_rows[] = {
	[VALUE_TEXT] = {check_text, TEXTS, "a text", NULL},
	[VALUE_NAME] = {check_name, TEXTS, "a name", NULL},
	[VALUE_BOOL] = {check_bool, BOOLS, "true or false", NULL},
	[VALUE_VERSION] = {check_version, NUMBERS, "a version", "berm: 1"},
	[VALUE_WORD] = {check_word, TEXTS, "a word", NULL},
	[VALUE_PATH] = {check_path, TEXTS, "a path", "/x, ~/x, ./x or $NAME/x"},
	[VALUE_PATTERN] = {check_pattern, TEXTS, "a path or pattern", "/x, ~/x, ./x, $NAME/x or \"**/x\""},
	[VALUE_HOST] = {check_host, TEXTS, "a host", "example.org, \"*.example.org:443\" or 10.0.0.0/8:5432"},
	[VALUE_PORT] = {check_port, NUMBERS, "a port", "a number from 1 to 65535"},
	[VALUE_URL] = {check_url, TEXTS, "a URL", "https://example.org/path"},
	[VALUE_VARIABLE] = {check_variable, TEXTS, "the name of a variable", NULL},
	[VALUE_SIZE] = {check_size, NUMBERS, "a size", "512MiB or 8GiB"},
	[VALUE_COUNT] = {check_count, NUMBERS, "a number", "a whole number from 1"},
	[VALUE_DURATION] = {check_duration, NUMBERS, "a time", "90s, 15m or 2h"},
	[VALUE_HTTP] = {check_http, TEXTS, "a request", "\"GET /path/**\" or \"POST /graphql query:NAME\""},
	[VALUE_COMMAND] = {check_command, TEXTS, "a command", "\"git push **\""},
	[VALUE_GROUP] = {check_group, TEXTS, "a group", NULL},
	[VALUE_VARIABLES] = {check_variables, TEXTS, "the name of a variable", "LANG or \"LC_*\""},
	[VALUE_SOURCE] = {check_source, TEXTS, "SCHEME://REST", NULL},
	[VALUE_PHRASE] = {check_phrase, TEXTS, "a text", NULL},
	[VALUE_SETTING] = {check_setting, TEXTS, "a variable with its value", "\"NAME=TEXT\""},
	[VALUE_TEST] = {check_test, TEXTS, "a test", "{read: ~/x, is: deny}"},
};

static enum berm_code check_test(const char *const *words, struct str text, struct berm_err *err)
{
	struct str word = text, object = str_skip(text, text.len);
	(void)split(text, ' ', &word, &object);
	TRY(check_word(words, word, err));
	enum policy_value value = load_value_of_test(word, object);
	/* A path or command that is asked for is taken by its letters. */
	size_t start;
	if (value == VALUE_COMMAND)
		return check_words(object, err);
	return value == VALUE_PATH ? check_any_path(object, &start, err) : value_rows[value].check(NULL, object, err);
}

const char *load_value_hint(enum policy_value value)
{
	return value_rows[value].hint;
}

bool load_value_fits(enum policy_value value, enum node_kind kind, const char **ret_expected)
{
	*ret_expected = value_rows[value].expected;
	return (value_rows[value].nodes >> kind & 1) != 0;
}

enum berm_code policy_check_value(enum policy_value value, const char *const *words, struct str text,
				  struct berm_err *err)
{
	if (text.len > TEXT_MAX)
		return err_set(err, BERM_ERR_PARSE, "longer than %d bytes: '%.*s'", TEXT_MAX, QUOTED(text));
	const char *strange = strange_character(text, value == VALUE_TEXT);
	if (strange != NULL)
		return wrong(err, strange, text);
	return value_rows[value].check(words, text, err);
}
