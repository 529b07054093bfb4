/* Matching: two loops of the same form, one over the segments of a path and one over the bytes of a segment, each of which
 * remembers only its last star. */
#include <string.h>

#include "base/glob_parts.h"

static bool set_has(const struct set *set, uint8_t byte)
{
	return (set->bits[byte / 8] >> (byte % 8) & 1) != 0;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static uint8_t upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c & ~0x20) : c;
}

static const struct segment *segment_at(const struct glob *glob, size_t index)
{
	return &glob->segments[index];
}

static bool token_accepts(const struct glob *glob, const struct token *token, uint8_t byte)
{
	switch ((enum token_kind)token->kind) {
	case TOKEN_BYTE:
		return token->byte == byte;
	case TOKEN_ANY:
		return true;
	case TOKEN_SET:
	case TOKEN_NOT_SET:
		return set_has(&glob->sets[token->set], byte) == (token->kind == TOKEN_SET);
	case TOKEN_STAR:
	default:
		return false;
	}
}

/* Folding only ever adds matches: a byte is accepted if it would be in either case. */
static bool token_accepts_folded(const struct glob *glob, const struct token *token, uint8_t byte)
{
	return token_accepts(glob, token, lower(byte)) || token_accepts(glob, token, upper(byte));
}

static bool tokens_match(const struct glob *glob, const struct segment *segment, struct str name, bool fold)
{
	const struct token *token = glob->tokens + segment->first;
	const struct token *end = token + segment->len, *star = NULL;
	bool (*accepts)(const struct glob *, const struct token *, uint8_t) =
		fold ? token_accepts_folded : token_accepts;
	size_t at = 0, star_at = 0;
	while (at < name.len) {
		if (token < end && token->kind == TOKEN_STAR) {
			star = ++token;
			star_at = at;
		} else if (token < end && accepts(glob, token, (uint8_t)name.ptr[at])) {
			token++;
			at++;
		} else if (star != NULL) {
			token = star;
			at = ++star_at;
		} else {
			return false;
		}
	}
	while (token < end && token->kind == TOKEN_STAR)
		token++;
	return token == end;
}

bool glob_segment_matches(const struct glob *glob, const struct segment *segment, struct str name, bool fold)
{
	if (segment->kind == SEGMENT_TOKENS)
		return tokens_match(glob, segment, name, fold);
	struct str text = {glob->text + segment->first, segment->len};
	return fold ? str_eq_nocase(text, name) : str_eq(text, name);
}

char glob_separator(enum glob_kind kind)
{
	static const char separators[] = {[GLOB_PATH] = '/', [GLOB_HOST] = '.', [GLOB_URL] = '/', [GLOB_WORDS] = ' '};
	return separators[kind];
}

static struct glob_names names_of(const struct glob *glob, struct str path)
{
	return (struct glob_names){.rest = path, .separator = glob_separator(glob->kind)};
}

/* The next name of a path; names->rest is left behind the separator that ends it. */
bool glob_next_name(struct glob_names *names, struct str *ret_name)
{
	struct str *rest = &names->rest;
	if (names->words != NULL) {
		const char *word = names->first != NULL ? names->first : *names->words;
		if (word == NULL)
			return false;
		names->words += names->first == NULL;
		names->first = NULL;
		*ret_name = str_from(word);
		return true;
	}
	while (rest->len > 0 && rest->ptr[0] == names->separator)
		*rest = (struct str){rest->ptr + 1, rest->len - 1};
	return str_next(rest, names->separator, ret_name);
}

static struct str last_name(struct str path, char separator)
{
	while (path.len > 0 && path.ptr[path.len - 1] == separator)
		path.len--;
	const char *slash = memrchr(path.ptr, separator, path.len);
	size_t begin = slash != NULL ? (size_t)(slash - path.ptr) + 1 : 0;
	return (struct str){path.ptr + begin, path.len - begin};
}

bool glob_alternative_matches(const struct glob *glob, const struct alternative *alternative,
			      const struct glob_names *names, bool fold)
{
	size_t at = alternative->first, end = at + alternative->len;
	size_t deep = end; /* behind the last "**" that was passed; none yet */
	struct glob_names rest = *names, deep_rest = {.rest = STR("")};
	struct str name;
	for (;;) {
		if (at < end && segment_at(glob, at)->kind == SEGMENT_DEEP) {
			if (++at == end)
				return true;
			deep = at;
			deep_rest = rest;
			continue;
		}
		struct glob_names next = rest;
		if (!glob_next_name(&next, &name))
			return at == end;
		if (at < end && glob_segment_matches(glob, segment_at(glob, at), name, fold)) {
			at++;
			rest = next;
		} else if (glob_next_name(&deep_rest, &name)) {
			at = deep;
			rest = deep_rest;
		} else {
			return false;
		}
	}
}

/* Most paths differ from most patterns in their last name: that is looked at before anything else. */
static bool may_end_with(const struct glob *glob, const struct alternative *alternative, struct str name, bool fold)
{
	if (alternative->len == 0)
		return name.len == 0;
	const struct segment *last = segment_at(glob, alternative->first + alternative->len - 1);
	return last->kind == SEGMENT_DEEP || glob_segment_matches(glob, last, name, fold);
}

bool glob_is_subject(enum glob_kind kind, struct str *path)
{
	if (kind != GLOB_HOST)
		return str_starts(*path, STR("/"));
	if (path->len > 1 && path->ptr[path->len - 1] == '.')
		path->len--;
	char before = '.';
	for (size_t i = 0; i < path->len; before = path->ptr[i++]) {
		uint8_t byte = lower((uint8_t)path->ptr[i]);
		bool plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
		if (!plain && (byte != '.' || before == '.'))
			return false;
	}
	return path->len > 0 && before != '.';
}

bool glob_match(const struct glob *glob, struct str path, bool fold_case)
{
	if (glob->kind == GLOB_WORDS || !glob_is_subject(glob->kind, &path))
		return false;
	fold_case = fold_case || glob->kind == GLOB_HOST;
	const struct glob_names names = names_of(glob, path);
	struct str name = last_name(path, names.separator);
	for (size_t i = 0; i < glob->alternative_count; i++) {
		if (may_end_with(glob, &glob->alternatives[i], name, fold_case) &&
		    glob_alternative_matches(glob, &glob->alternatives[i], &names, fold_case))
			return true;
	}
	return false;
}

bool glob_match_words(const struct glob *glob, const char *first, const char *const *rest)
{
	const struct glob_names names = {.first = first, .words = rest};
	for (size_t i = 0; i < glob->alternative_count && glob->kind == GLOB_WORDS; i++) {
		if (glob_alternative_matches(glob, &glob->alternatives[i], &names, false))
			return true;
	}
	return false;
}

/* Has it folders, in which something may lie? */
static bool has_folders(const struct glob *glob, struct str path)
{
	return (glob->kind == GLOB_PATH || glob->kind == GLOB_URL) && str_starts(path, STR("/"));
}

/* Whatever follows a "**" can be met by names that are still free to choose. */
bool glob_alternative_below(const struct glob *glob, const struct alternative *alternative, struct str path, bool fold)
{
	size_t at = alternative->first, end = at + alternative->len;
	struct glob_names rest = names_of(glob, path);
	struct str name;
	for (; at < end && segment_at(glob, at)->kind != SEGMENT_DEEP; at++) {
		if (!glob_next_name(&rest, &name))
			return true;
		if (!glob_segment_matches(glob, segment_at(glob, at), name, fold))
			return false;
	}
	return at < end;
}

bool glob_may_match_below(const struct glob *glob, struct str path, bool fold_case)
{
	if (!has_folders(glob, path))
		return false;
	for (size_t i = 0; i < glob->alternative_count; i++) {
		if (glob_alternative_below(glob, &glob->alternatives[i], path, fold_case))
			return true;
	}
	return false;
}

static size_t leading_deep(const struct glob *glob, const struct alternative *alternative)
{
	size_t deep = 0;
	while (deep < alternative->len && segment_at(glob, alternative->first + deep)->kind == SEGMENT_DEEP)
		deep++;
	return deep;
}

static bool alternative_enters(const struct glob *glob, const struct alternative *alternative, struct str path,
			       bool fold)
{
	size_t len = alternative->len;
	bool open = len > 0 && segment_at(glob, alternative->first + len - 1)->kind == SEGMENT_DEEP;
	const struct glob_names names = names_of(glob, path);
	for (size_t part = leading_deep(glob, alternative) + 1; part < len + open; part++) {
		struct alternative beginning = {alternative->first, (uint32_t)part};
		if (glob_alternative_matches(glob, &beginning, &names, fold))
			return true;
	}
	return false;
}

bool glob_enters(const struct glob *glob, struct str path, bool fold_case)
{
	if (!has_folders(glob, path))
		return false;
	for (size_t i = 0; i < glob->alternative_count; i++) {
		if (alternative_enters(glob, &glob->alternatives[i], path, fold_case))
			return true;
	}
	return false;
}

size_t glob_reach(const struct glob *glob)
{
	size_t reach = 0;
	for (size_t i = 0; i < glob->alternative_count; i++) {
		size_t deep = leading_deep(glob, &glob->alternatives[i]);
		for (size_t k = deep; k < glob->alternatives[i].len; k++) {
			if (segment_at(glob, glob->alternatives[i].first + k)->kind == SEGMENT_DEEP)
				return SIZE_MAX;
		}
		if (glob->alternatives[i].len - deep > reach)
			reach = glob->alternatives[i].len - deep;
	}
	return reach;
}

bool glob_literal(const struct glob *glob, struct str *ret_path)
{
	if (!glob->literal)
		return false;
	const size_t skip = glob->kind == GLOB_HOST ? 1 : 0;
	*ret_path = glob->text_len > 0 ? (struct str){glob->text + skip, glob->text_len - skip} : STR("/");
	return true;
}
