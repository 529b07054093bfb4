#include "format/url.h"

#include <string.h>

#include "format/utf8.h"

enum { SHOWN_MAX = 80, PORT_HTTP = 80, PORT_HTTPS = 443 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ---- authorities -------------------------------------------------------------------------------------------------- */

static enum berm_code parse_port(struct str text, uint16_t *ret_port, struct berm_err *err)
{
	uint64_t port = 0;
	if (text.len == 0 || text.ptr[0] == '0' || str_u64(text, UINT16_MAX, &port, NULL) != BERM_OK)
		return err_set(err, BERM_ERR_PARSE, "a port is a number from 1 to 65535");
	*ret_port = (uint16_t)port;
	return BERM_OK;
}

enum berm_code url_authority_parse(struct str text, struct url_authority *ret, struct berm_err *err)
{
	bool bracket = text.len > 0 && text.ptr[0] == '[';
	size_t end = str_find(text, bracket ? ']' : ':');
	size_t host_len = bracket && end < text.len ? end + 1 : end;
	struct str host = {text.ptr, host_len}, rest = str_skip(text, host_len);
	const char *why = NULL;
	*ret = (struct url_authority){.port = 0};
	if (!host_read(host, true, &ret->host, &why))
		return err_set(err, BERM_ERR_PARSE, "host '%.*s' %s", host.len < SHOWN_MAX ? (int)host.len : SHOWN_MAX,
			       host.ptr, why);
	if (rest.len == 0)
		return BERM_OK;
	if (rest.ptr[0] != ':')
		return err_set(err, BERM_ERR_PARSE, "something stands behind the bracket of a host");
	return parse_port(str_skip(rest, 1), &ret->port, err);
}

/* ---- targets ----------------------------------------------------------------------------------------------------- */

static const char sub_delims[] = "!$&'()*+,;=";

static bool is_unreserved(char c)
{
	return is_alnum(c) || is_one_of(c, "-._~");
}

static enum berm_code put(struct url_target *t, char c, struct berm_err *err)
{
	if (t->len + 1 >= sizeof t->text)
		return err_set(err, BERM_ERR_LIMIT, "a path with its query is longer than %d bytes",
			       URL_TARGET_MAX - 1);
	t->text[t->len++] = c;
	return BERM_OK;
}

static enum berm_code put_escape(struct url_target *t, uint8_t byte, struct berm_err *err)
{
	static const char digits[] = "0123456789ABCDEF";
	TRY(put(t, '%', err));
	TRY(put(t, digits[byte >> 4], err));
	return put(t, digits[byte & 15], err);
}

/* The byte that the escape at the front of text stands for; -1: it is none. */
static int escape_value(struct str text)
{
	int high = text.len >= 3 ? hex_value(text.ptr[1]) : -1, low = text.len >= 3 ? hex_value(text.ptr[2]) : -1;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Takes one byte or escape off the front of *rest and puts it in its one form. */
static enum berm_code put_next(struct url_target *t, struct str *rest, bool path, struct berm_err *err)
{
	char c = rest->ptr[0];
	int value = c == '%' ? escape_value(*rest) : (unsigned char)c;
	if (value < 0)
		return err_set(err, BERM_ERR_PARSE, "'%%' without two hexadecimal digits");
	if (c != '%' && (value <= ' ' || value == 0x7f || c == '#'))
		return err_set(err, BERM_ERR_PARSE, "a space, a control character or '#' in a target");
	if (path && (value < ' ' || value == 0x7f || value == '\\' || value == ';'))
		return err_set(err, BERM_ERR_PARSE, "a control character, '\\' or ';' in a path");
	*rest = str_skip(*rest, c == '%' ? 3 : 1);
	bool plain = is_unreserved((char)value) ||
		     (c != '%' && (is_one_of(c, sub_delims) || is_one_of(c, path ? ":@" : ":@/?")));
	if (plain)
		return put(t, (char)value, err);
	t->encoded_slash |= path && value == '/';
	return put_escape(t, (uint8_t)value, err);
}

static bool is_dots(struct str text, bool *ret_up)
{
	*ret_up = str_eq(text, STR(".."));
	return *ret_up || str_eq(text, STR("."));
}

/* Does a server that takes "%2F" for a slash find dots in the segment? Escapes are in upper case by now. */
static bool hides_dots(struct str segment)
{
	bool up = false;
	for (size_t i = 0, start = 0; i <= segment.len; i++) {
		bool slash = str_starts(str_skip(segment, i), STR("%2F"));
		if (!slash && i < segment.len)
			continue;
		if (is_dots((struct str){segment.ptr + start, i - start}, &up))
			return true;
		start = i + 3;
	}
	return false;
}

/* The text ends with '/' and segment, and what follows in the path is next ('/' or nothing). */
static enum berm_code end_segment(struct url_target *t, size_t start, bool slash, struct berm_err *err)
{
	struct str segment = {t->text + start, t->len - start};
	bool up = false;
	if (is_dots(segment, &up)) {
		t->len = start;
		if (up && start == 1)
			return err_set(err, BERM_ERR_PARSE, "a path leads above '/'");
		if (up)
			for (t->len--; t->text[t->len - 1] != '/';)
				t->len--;
		return BERM_OK;
	}
	if (hides_dots(segment))
		return err_set(err, BERM_ERR_PARSE, "'.' or '..' beside '%%2F' in a path");
	return slash && segment.len > 0 ? put(t, '/', err) : BERM_OK;
}

/* Bytes above 127 of the path are all escaped by now. */
static bool is_utf8_path(struct str path)
{
	for (size_t i = 0; i < path.len;) {
		char run[4];
		size_t len = 0;
		int value = -1;
		while (len < sizeof run && (value = escape_value(str_skip(path, i + 3 * len))) > 0x7f &&
		       path.ptr[i + 3 * len] == '%')
			run[len++] = (char)value;
		size_t used = len > 0 ? utf8_length((struct str){run, len}) : 0;
		if (len > 0 && used == 0)
			return false;
		i += len > 0 ? 3 * used : 1;
	}
	return true;
}

/* "%252e", "%252f", "%255c": for a server that decodes twice they are what a path may not have. */
static bool is_escaped_twice(struct str path)
{
	for (size_t i = 0; i + 5 <= path.len; i++) {
		struct str at = {path.ptr + i + 3, 2};
		if (str_starts(str_skip(path, i), STR("%25")) &&
		    (str_eq_nocase(at, STR("2e")) || str_eq_nocase(at, STR("2f")) || str_eq_nocase(at, STR("5c"))))
			return true;
	}
	return false;
}

static enum berm_code put_path(struct url_target *t, struct str path, struct berm_err *err)
{
	struct str segment = {"", 0};
	TRY(put(t, '/', err));
	for (struct str rest = path; str_next(&rest, '/', &segment);) {
		size_t start = t->len;
		while (segment.len > 0)
			TRY(put_next(t, &segment, true, err));
		TRY(end_segment(t, start, segment.ptr < path.ptr + path.len, err));
	}
	struct str whole = {t->text, t->len};
	if (!is_utf8_path(whole))
		return err_set(err, BERM_ERR_PARSE, "a path is not UTF-8");
	if (is_escaped_twice(whole))
		return err_set(err, BERM_ERR_PARSE, "'.', '/' or '\\' escaped twice in a path");
	return BERM_OK;
}

/* path: behind its first slash; query: with its '?', or empty. */
static enum berm_code parse_parts(struct str path, struct str query, struct url_target *ret, struct berm_err *err)
{
	ret->len = 0;
	ret->encoded_slash = false;
	TRY(put_path(ret, path, err));
	ret->path_len = ret->len;
	if (query.len > 0) {
		TRY(put(ret, '?', err));
		for (struct str rest = str_skip(query, 1); rest.len > 0;)
			TRY(put_next(ret, &rest, false, err));
	}
	ret->text[ret->len] = '\0';
	return BERM_OK;
}

enum berm_code url_target_parse(struct str text, struct url_target *ret, struct berm_err *err)
{
	size_t query = str_find(text, '?');
	if (text.len == 0 || text.ptr[0] != '/')
		return err_set(err, BERM_ERR_PARSE, "a path begins with '/'");
	return parse_parts((struct str){text.ptr + 1, query - 1}, str_skip(text, query), ret, err);
}

struct str url_path(const struct url_target *target)
{
	return (struct str){target->text, target->path_len};
}

struct str url_query(const struct url_target *target)
{
	size_t start = target->path_len + (target->len > target->path_len ? 1 : 0);
	return (struct str){target->text + start, target->len - start};
}

/* ---- whole addresses --------------------------------------------------------------------------------------------- */

static bool take_scheme(struct str *text, enum url_scheme *ret_scheme)
{
	static const char *const schemes[] = {[URL_HTTP] = "http://", [URL_HTTPS] = "https://"};
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		struct str scheme = str_from(schemes[i]);
		if (text->len < scheme.len || !str_eq_nocase((struct str){text->ptr, scheme.len}, scheme))
			continue;
		*text = str_skip(*text, scheme.len);
		*ret_scheme = (enum url_scheme)i;
		return true;
	}
	return false;
}

enum berm_code url_parse(struct str text, struct url *ret, struct berm_err *err)
{
	if (!take_scheme(&text, &ret->scheme))
		return err_set(err, BERM_ERR_PARSE, "an address begins with 'http://' or 'https://'");
	size_t end = 0;
	while (end < text.len && !is_one_of(text.ptr[end], "/?#"))
		end++;
	struct str place = {text.ptr, end}, rest = str_skip(text, end);
	if (str_find(place, '@') < place.len)
		return err_set(err, BERM_ERR_PARSE, "a user or password in an address");
	TRY(url_authority_parse(place, &ret->authority, err));
	if (rest.len > 0 && rest.ptr[0] == '/')
		return url_target_parse(rest, &ret->target, err);
	if (rest.len > 0 && rest.ptr[0] == '#')
		return err_set(err, BERM_ERR_PARSE, "'#' in an address");
	return parse_parts((struct str){"", 0}, rest, &ret->target, err);
}

uint16_t url_default_port(enum url_scheme scheme)
{
	return scheme == URL_HTTPS ? PORT_HTTPS : PORT_HTTP;
}

uint16_t url_port(const struct url *url)
{
	return url->authority.port != 0 ? url->authority.port : url_default_port(url->scheme);
}

void url_authority_print(const struct url_authority *authority, uint16_t default_port, struct buf *out)
{
	const struct host *host = &authority->host;
	bool bracket = host->kind == HOST_ADDRESS && host->address.family == NET_IPV6;
	buf_printf(out, "%s%s%s", bracket ? "[" : "", host->name, bracket ? "]" : "");
	if (authority->port != 0 && authority->port != default_port)
		buf_printf(out, ":%u", (unsigned)authority->port);
}
