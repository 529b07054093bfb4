/* From the text of a pattern to its parts. What a pattern needs at most is counted first, so that it is one allocation. */
#include <stdlib.h>
#include <string.h>

#include "base/glob_parts.h"
#include "base/own.h"

#define MAX_PATTERN 4096 /* PATH_MAX: a longer one matches nothing that exists */
#define MAX_ALTERNATIVES 64

static enum berm_code no_memory(struct berm_err *err)
{
	return err_set(err, BERM_ERR_NOMEM, "out of memory");
}

/* ---- bytes ----------------------------------------------------------------------------------------------------- */

enum { PLAIN = 0, SPECIAL = 1, BRACE = 2, IN_HOST = 4, UNRESERVED = 8 };

#define NAME_BYTE (IN_HOST | UNRESERVED)
static const uint8_t classes[256] = {
	['*'] = SPECIAL | IN_HOST, ['?'] = SPECIAL | IN_HOST, ['['] = SPECIAL | IN_HOST, [']'] = SPECIAL | IN_HOST,
	['!'] = SPECIAL | IN_HOST, ['{'] = SPECIAL | BRACE,   ['}'] = SPECIAL | BRACE,	 ['\\'] = SPECIAL,
	['%'] = SPECIAL,	   ['~'] = UNRESERVED,	      ['a'] = NAME_BYTE,	 ['b'] = NAME_BYTE,
	['c'] = NAME_BYTE,	   ['d'] = NAME_BYTE,	      ['e'] = NAME_BYTE,	 ['f'] = NAME_BYTE,
	['g'] = NAME_BYTE,	   ['h'] = NAME_BYTE,	      ['i'] = NAME_BYTE,	 ['j'] = NAME_BYTE,
	['k'] = NAME_BYTE,	   ['l'] = NAME_BYTE,	      ['m'] = NAME_BYTE,	 ['n'] = NAME_BYTE,
	['o'] = NAME_BYTE,	   ['p'] = NAME_BYTE,	      ['q'] = NAME_BYTE,	 ['r'] = NAME_BYTE,
	['s'] = NAME_BYTE,	   ['t'] = NAME_BYTE,	      ['u'] = NAME_BYTE,	 ['v'] = NAME_BYTE,
	['w'] = NAME_BYTE,	   ['x'] = NAME_BYTE,	      ['y'] = NAME_BYTE,	 ['z'] = NAME_BYTE,
	['A'] = NAME_BYTE,	   ['B'] = NAME_BYTE,	      ['C'] = NAME_BYTE,	 ['D'] = NAME_BYTE,
	['E'] = NAME_BYTE,	   ['F'] = NAME_BYTE,	      ['G'] = NAME_BYTE,	 ['H'] = NAME_BYTE,
	['I'] = NAME_BYTE,	   ['J'] = NAME_BYTE,	      ['K'] = NAME_BYTE,	 ['L'] = NAME_BYTE,
	['M'] = NAME_BYTE,	   ['N'] = NAME_BYTE,	      ['O'] = NAME_BYTE,	 ['P'] = NAME_BYTE,
	['Q'] = NAME_BYTE,	   ['R'] = NAME_BYTE,	      ['S'] = NAME_BYTE,	 ['T'] = NAME_BYTE,
	['U'] = NAME_BYTE,	   ['V'] = NAME_BYTE,	      ['W'] = NAME_BYTE,	 ['X'] = NAME_BYTE,
	['Y'] = NAME_BYTE,	   ['Z'] = NAME_BYTE,	      ['0'] = NAME_BYTE,	 ['1'] = NAME_BYTE,
	['2'] = NAME_BYTE,	   ['3'] = NAME_BYTE,	      ['4'] = NAME_BYTE,	 ['5'] = NAME_BYTE,
	['6'] = NAME_BYTE,	   ['7'] = NAME_BYTE,	      ['8'] = NAME_BYTE,	 ['9'] = NAME_BYTE,
	['-'] = NAME_BYTE,	   ['_'] = NAME_BYTE,	      ['.'] = NAME_BYTE,
};

/* The classes of any byte of text. */
static unsigned classes_of(struct str text)
{
	unsigned found = 0;
	for (size_t i = 0; i < text.len; i++)
		found |= classes[(uint8_t)text.ptr[i]];
	return found;
}

/* ---- braces ---------------------------------------------------------------------------------------------------- */

/* Texts without braces, or with some that are still to be expanded; none is longer than the pattern, so each has a slot
 * of that size. */
struct texts {
	char *slots;
	size_t slot_size;
	struct {
		uint32_t slot, len;
	} live[MAX_ALTERNATIVES + 1];
	size_t count;
	uint64_t used[2]; /* sets of slots */
};

static void texts_done(const struct texts *texts)
{
	free(texts->slots);
}

static struct str text_at(const struct texts *texts, size_t index)
{
	return (struct str){texts->slots + texts->live[index].slot * texts->slot_size, texts->live[index].len};
}

static uint32_t take_slot(struct texts *texts)
{
	uint32_t slot = 0;
	while ((texts->used[slot / 64] >> (slot % 64) & 1) != 0)
		slot++;
	texts->used[slot / 64] |= (uint64_t)1 << (slot % 64);
	return slot;
}

static enum berm_code push_text(struct texts *texts, struct str head, struct str middle, struct str tail,
				struct berm_err *err)
{
	if (texts->count == MAX_ALTERNATIVES)
		return err_set(err, BERM_ERR_LIMIT, "more than %d alternatives", MAX_ALTERNATIVES);
	uint32_t slot = take_slot(texts);
	char *at = texts->slots + slot * texts->slot_size;
	memcpy(at, head.ptr, head.len);
	memcpy(at + head.len, middle.ptr, middle.len);
	memcpy(at + head.len + middle.len, tail.ptr, tail.len);
	texts->live[texts->count].slot = slot;
	texts->live[texts->count++].len = (uint32_t)(head.len + middle.len + tail.len);
	return BERM_OK;
}

/* The first group that no other group holds; *ret_close is 0 if there is none. */
static enum berm_code find_group(struct str text, size_t *ret_open, size_t *ret_close, struct berm_err *err)
{
	size_t depth = 0;
	*ret_close = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\\') {
			i++;
		} else if (text.ptr[i] == '{') {
			if (depth++ == 0)
				*ret_open = i;
		} else if (text.ptr[i] == '}') {
			if (depth == 0)
				return err_set(err, BERM_ERR_PARSE, "'}' without '{'");
			if (--depth == 0) {
				*ret_close = i;
				return BERM_OK;
			}
		}
	}
	return depth == 0 ? BERM_OK : err_set(err, BERM_ERR_PARSE, "'{' without '}'");
}

/* Where the alternative that starts at begin ends: at a comma of this group, or at its close. */
static size_t find_alternative_end(const char *text, size_t begin, size_t close)
{
	size_t depth = 0, i;
	for (i = begin; i < close; i++) {
		if (text[i] == '\\')
			i++;
		else if (text[i] == '{')
			depth++;
		else if (text[i] == '}')
			depth--;
		else if (text[i] == ',' && depth == 0)
			break;
	}
	return i;
}

/* Replaces the text at index, which has a group from open to close, by its alternatives. */
static enum berm_code split_group(struct texts *texts, size_t index, size_t open, size_t close, struct berm_err *err)
{
	struct str text = text_at(texts, index);
	uint32_t slot = texts->live[index].slot;
	memmove(&texts->live[index], &texts->live[index + 1], (--texts->count - index) * sizeof(texts->live[0]));
	struct str head = {text.ptr, open}, tail = {text.ptr + close + 1, text.len - close - 1};
	size_t begin = open + 1, end;
	do {
		end = find_alternative_end(text.ptr, begin, close);
		TRY(push_text(texts, head, (struct str){text.ptr + begin, end - begin}, tail, err));
		begin = end + 1;
	} while (end < close);
	texts->used[slot / 64] &= ~((uint64_t)1 << (slot % 64));
	return BERM_OK;
}

static enum berm_code expand_braces(struct str pattern, struct texts *texts, struct berm_err *err)
{
	size_t done = 0;
	texts->slot_size = pattern.len + 1;
	texts->slots = malloc((MAX_ALTERNATIVES + 1) * texts->slot_size);
	if (texts->slots == NULL)
		return no_memory(err);
	TRY(push_text(texts, pattern, STR(""), STR(""), err));
	while (done < texts->count) {
		size_t open = 0, close;
		TRY(find_group(text_at(texts, done), &open, &close, err));
		if (close == 0)
			done++;
		else
			TRY(split_group(texts, done, open, close, err));
	}
	return BERM_OK;
}

/* ---- tokens ---------------------------------------------------------------------------------------------------- */

static void add_token(struct glob *glob, enum token_kind kind, uint8_t byte)
{
	glob->tokens[glob->token_count++] = (struct token){.kind = (uint8_t)kind, .byte = byte};
}

/* One byte of a set, which may be escaped; advances *at. */
static enum berm_code parse_set_byte(struct str text, size_t *at, uint8_t *ret_byte, struct berm_err *err)
{
	if (*at < text.len && text.ptr[*at] == '\\')
		(*at)++;
	if (*at >= text.len)
		return err_set(err, BERM_ERR_PARSE, "'[' without ']'");
	*ret_byte = (uint8_t)text.ptr[(*at)++];
	return BERM_OK;
}

/* The members up to the ']', behind which *at is left. A ']' that comes first is a member. */
static enum berm_code parse_members(struct str text, size_t *at, struct set *set, struct berm_err *err)
{
	for (bool first = true; first || *at >= text.len || text.ptr[*at] != ']'; first = false) {
		uint8_t low, high;
		TRY(parse_set_byte(text, at, &low, err));
		high = low;
		if (*at + 1 < text.len && text.ptr[*at] == '-' && text.ptr[*at + 1] != ']') {
			(*at)++;
			TRY(parse_set_byte(text, at, &high, err));
		}
		if (high < low)
			return err_set(err, BERM_ERR_PARSE, "range '%c-%c' is upside down", low, high);
		for (unsigned byte = low; byte <= high; byte++)
			set->bits[byte / 8] |= (uint8_t)(1U << (byte % 8));
	}
	(*at)++;
	return BERM_OK;
}

/* What follows '['. */
static enum berm_code parse_set(struct glob *glob, struct str text, size_t *at, struct berm_err *err)
{
	struct token token = {.kind = TOKEN_SET, .set = (uint16_t)glob->set_count};
	if (*at < text.len && text.ptr[*at] == '^')
		return err_set(err, BERM_ERR_PARSE, "'[^' is not known: write '[!' or '[\\^'");
	if (*at < text.len && text.ptr[*at] == '!') {
		token.kind = TOKEN_NOT_SET;
		(*at)++;
	}
	if (glob->set_count == UINT16_MAX)
		return err_set(err, BERM_ERR_LIMIT, "more than %d sets", UINT16_MAX);
	glob->sets[glob->set_count] = (struct set){0};
	TRY(parse_members(text, at, &glob->sets[glob->set_count], err));
	glob->set_count++;
	glob->tokens[glob->token_count++] = token;
	return BERM_OK;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What follows '%' in the path of a URL: an unreserved character is itself, any other stays encoded, in capitals. */
static enum berm_code parse_percent(struct glob *glob, struct str text, size_t *at, struct berm_err *err)
{
	static const char digits[] = "0123456789ABCDEF";
	int high = *at + 1 < text.len ? hex_value(text.ptr[*at]) : -1;
	int low = high >= 0 ? hex_value(text.ptr[*at + 1]) : -1;
	if (low < 0)
		return err_set(err, BERM_ERR_PARSE, "'%%' without two hexadecimal digits");
	unsigned byte = (unsigned)(high << 4 | low);
	*at += 2;
	if ((classes[byte] & UNRESERVED) != 0) {
		add_token(glob, TOKEN_BYTE, (uint8_t)byte);
		return BERM_OK;
	}
	add_token(glob, TOKEN_BYTE, '%');
	add_token(glob, TOKEN_BYTE, (uint8_t)digits[high]);
	add_token(glob, TOKEN_BYTE, (uint8_t)digits[low]);
	return BERM_OK;
}

/* The token that starts at *at; *at is left behind it. */
static enum berm_code parse_token(struct glob *glob, struct str text, size_t *at, struct berm_err *err)
{
	uint8_t byte = (uint8_t)text.ptr[(*at)++];
	if (byte == '[')
		return parse_set(glob, text, at, err);
	if (byte == '%' && glob->kind == GLOB_URL)
		return parse_percent(glob, text, at, err);
	if (byte == '?' && glob->kind == GLOB_URL)
		return err_set(err, BERM_ERR_INVALID, "'?' begins a query, which is no part of the path");
	enum token_kind kind = byte == '*' ? TOKEN_STAR : byte == '?' ? TOKEN_ANY : TOKEN_BYTE;
	if (byte == '\\') {
		if (*at == text.len)
			return err_set(err, BERM_ERR_PARSE, "'\\' escapes nothing");
		byte = (uint8_t)text.ptr[(*at)++];
	}
	if (glob->kind == GLOB_HOST && kind == TOKEN_BYTE && (classes[byte] & NAME_BYTE) != NAME_BYTE)
		return err_set(err, BERM_ERR_INVALID, "'%c' is not part of a host name", byte);
	while (kind == TOKEN_STAR && *at < text.len && text.ptr[*at] == '*')
		(*at)++;
	add_token(glob, kind, byte);
	return BERM_OK;
}

/* ---- segments -------------------------------------------------------------------------------------------------- */

static void add_segment(struct glob *glob, enum segment_kind kind, size_t first, size_t len)
{
	glob->segments[glob->segment_count++] = (struct segment){kind, (uint32_t)first, (uint32_t)len};
	if (kind != SEGMENT_LITERAL)
		glob->literal = false;
}

/* The segment whose bytes stand at the end of text, from begin on. "." is none. */
static enum berm_code end_literal(struct glob *glob, size_t begin, struct berm_err *err)
{
	struct str name = {glob->text + begin + 1, glob->text_len - begin - 1};
	if (glob->kind == GLOB_WORDS) {
		add_segment(glob, SEGMENT_LITERAL, begin + 1, name.len);
		return BERM_OK;
	}
	if (str_eq(name, STR("..")))
		return err_set(err, BERM_ERR_INVALID, "'..' is not allowed in a pattern");
	if (str_eq(name, STR(".")))
		glob->text_len = (uint32_t)begin;
	else
		add_segment(glob, SEGMENT_LITERAL, begin + 1, name.len);
	return BERM_OK;
}

static enum berm_code add_plain(struct glob *glob, struct str name, struct berm_err *err)
{
	size_t begin = glob->text_len;
	glob->text[begin] = glob_separator(glob->kind);
	memcpy(glob->text + begin + 1, name.ptr, name.len);
	glob->text_len += (uint32_t)name.len + 1;
	return end_literal(glob, begin, err);
}

/* The tokens from first on are bytes only: they become text. */
static enum berm_code add_unescaped(struct glob *glob, size_t first, struct berm_err *err)
{
	size_t begin = glob->text_len;
	glob->text[glob->text_len++] = glob_separator(glob->kind);
	for (size_t i = first; i < glob->token_count; i++)
		glob->text[glob->text_len++] = (char)glob->tokens[i].byte;
	glob->token_count = (uint32_t)first;
	return end_literal(glob, begin, err);
}

static enum berm_code add_tokens(struct glob *glob, struct str name, struct berm_err *err)
{
	size_t first = glob->token_count, at = 0;
	bool plain = true;
	while (at < name.len)
		TRY(parse_token(glob, name, &at, err));
	for (size_t i = first; i < glob->token_count && plain; i++)
		plain = glob->tokens[i].kind == TOKEN_BYTE;
	if (plain)
		return add_unescaped(glob, first, err);
	add_segment(glob, SEGMENT_TOKENS, first, glob->token_count - first);
	return BERM_OK;
}

static enum berm_code add_name(struct glob *glob, struct str name, struct berm_err *err)
{
	if ((classes_of(name) & SPECIAL) == 0)
		return add_plain(glob, name, err);
	if (!str_eq(name, STR("**")))
		return add_tokens(glob, name, err);
	if (glob->kind == GLOB_HOST) /* at least one label */
		TRY(add_tokens(glob, STR("*"), err));
	add_segment(glob, SEGMENT_DEEP, 0, 0);
	return BERM_OK;
}

/* ---- alternatives ---------------------------------------------------------------------------------------------- */

static enum berm_code check_path(struct str text, struct berm_err *err)
{
	if (str_starts(text, STR("/")) || str_starts(text, STR("**/")) || str_eq(text, STR("**")))
		return BERM_OK;
	return err_set(err, BERM_ERR_INVALID, "a pattern starts with '/' or '**/'");
}

/* What has to be encoded in a path (RFC 3986 3.3) is written so. */
static enum berm_code check_url(struct str text, struct berm_err *err)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];
		if (byte <= ' ' || byte >= 0x7f || strchr("\"#<>^`|", byte) != NULL)
			return err_set(err, BERM_ERR_INVALID, "byte 0x%02x is written '%%%02X' in the path of a URL",
				       byte, byte);
	}
	return check_path(text, err);
}

static enum berm_code check_host(struct str text, struct berm_err *err)
{
	if (text.len == 0)
		return err_set(err, BERM_ERR_INVALID, "a host name is not empty");
	if (text.ptr[0] == '.')
		return err_set(err, BERM_ERR_INVALID, "it begins with '.': write '**%.*s' for all names below",
			       (int)(text.len < 80 ? text.len : 80), text.ptr);
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = (uint8_t)text.ptr[i];
		if (byte >= 0x80)
			return err_set(err, BERM_ERR_INVALID, "a host name is written in its ASCII form ('xn--...')");
		if ((classes[byte] & IN_HOST) == 0)
			return err_set(err, BERM_ERR_INVALID, "'%c' is not part of a host name", byte);
		if (byte == '.' && (i + 1 == text.len || text.ptr[i + 1] == '.'))
			return err_set(err, BERM_ERR_INVALID, "a label of a host name is not empty");
	}
	return BERM_OK;
}

static enum berm_code check_words(struct str text, struct berm_err *err)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != ' ')
			return BERM_OK;
	return err_set(err, BERM_ERR_INVALID, "no word");
}

static enum berm_code add_alternative(struct glob *glob, struct str text, struct berm_err *err)
{
	static enum berm_code (*const checks[])(struct str, struct berm_err *) = {
		[GLOB_PATH] = check_path, [GLOB_HOST] = check_host, [GLOB_URL] = check_url, [GLOB_WORDS] = check_words};
	struct str rest = text, name;
	if (glob->kind == GLOB_HOST && rest.len > 1 && rest.ptr[rest.len - 1] == '.')
		rest.len--;
	TRY(checks[glob->kind](rest, err));
	uint32_t first = glob->segment_count;
	while (str_next(&rest, glob_separator(glob->kind), &name))
		if (name.len > 0)
			TRY(add_name(glob, name, err));
	glob->alternatives[glob->alternative_count++] = (struct alternative){first, glob->segment_count - first};
	return BERM_OK;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

struct need {
	size_t segments, tokens, sets, text;
};

/* The most that a text without braces can come to. */
static void count_need(enum glob_kind kind, struct str text, struct need *need)
{
	const size_t each = kind == GLOB_HOST ? 2 : 1;
	const char separator = glob_separator(kind);
	unsigned found = 0;
	need->segments += each;
	for (size_t i = 0; i < text.len; i++) {
		found |= classes[(uint8_t)text.ptr[i]];
		if (text.ptr[i] == separator)
			need->segments += each;
		else if (text.ptr[i] == '[')
			need->sets++;
	}
	need->tokens += (found & SPECIAL) != 0 ? text.len : 0;
	need->text += text.len + 1;
}

/* No sum is large: at most 64 texts of 4096 bytes. */
static struct glob *allocate(enum glob_kind kind, size_t alternatives, const struct need *need)
{
	size_t segments_at = sizeof(struct glob) + alternatives * sizeof(struct alternative);
	size_t tokens_at = segments_at + need->segments * sizeof(struct segment);
	size_t sets_at = tokens_at + need->tokens * sizeof(struct token);
	size_t text_at_byte = sets_at + need->sets * sizeof(struct set);
	char *block = malloc(text_at_byte + need->text);
	struct glob *glob = (struct glob *)(void *)block;
	if (glob == NULL)
		return NULL;
	*glob = (struct glob){
		.kind = kind,
		.literal = alternatives == 1 && kind != GLOB_WORDS,
		.alternatives = (struct alternative *)(void *)(block + sizeof(struct glob)),
		.segments = (struct segment *)(void *)(block + segments_at),
		.tokens = (struct token *)(void *)(block + tokens_at),
		.sets = (struct set *)(void *)(block + sets_at),
		.text = block + text_at_byte,
	};
	return glob;
}

static enum berm_code fill(struct glob *glob, const struct texts *texts, struct str pattern, struct berm_err *err)
{
	if (texts->slots == NULL)
		return add_alternative(glob, pattern, err);
	for (size_t i = 0; i < texts->count; i++)
		TRY(add_alternative(glob, text_at(texts, i), err));
	return BERM_OK;
}

static enum berm_code compile(enum glob_kind kind, struct str pattern, struct glob **ret_glob, struct berm_err *err)
{
	if (memchr(pattern.ptr, '\0', pattern.len) != NULL)
		return err_set(err, BERM_ERR_PARSE, "it holds a NUL byte");
	__attribute__((cleanup(texts_done))) struct texts texts = {.slots = NULL};
	struct need need = {0};
	if ((classes_of(pattern) & BRACE) == 0)
		count_need(kind, pattern, &need);
	else
		TRY(expand_braces(pattern, &texts, err));
	for (size_t i = 0; i < texts.count; i++)
		count_need(kind, text_at(&texts, i), &need);
	struct glob *glob = allocate(kind, texts.slots == NULL ? 1 : texts.count, &need);
	if (glob == NULL)
		return no_memory(err);
	enum berm_code code = fill(glob, &texts, pattern, err);
	if (code == BERM_OK)
		*ret_glob = glob;
	else
		glob_free(glob);
	return code;
}

enum berm_code glob_new(enum glob_kind kind, struct str pattern, struct glob **ret_glob, struct berm_err *err)
{
	struct berm_err local;
	if (err == NULL)
		err = &local;
	if (pattern.len == 0)
		return err_set(err, BERM_ERR_INVALID, "empty pattern");
	if (pattern.len > MAX_PATTERN)
		return err_set(err, BERM_ERR_LIMIT, "pattern is longer than %d bytes", MAX_PATTERN);
	if (compile(kind, pattern, ret_glob, err) != BERM_OK)
		return err_wrap(err, "pattern '%.*s'", (int)(pattern.len < 100 ? pattern.len : 100), pattern.ptr);
	return BERM_OK;
}

void glob_free(struct glob *glob)
{
	free(glob);
}
