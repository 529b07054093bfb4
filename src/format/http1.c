#include "format/http1.h"

#include <string.h>

#include "base/own.h"

enum { CODE_MIN = 100, CODE_MAX = 599, CODE_SWITCHING = 101, CODE_NO_CONTENT = 204, CODE_NOT_MODIFIED = 304 };

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_control(char c)
{
	unsigned char byte = (unsigned char)c;
	return byte < ' ' || byte == 0x7f;
}

/* RFC 9110 5.6.2 */
static bool is_token_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool http1_is_token(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_token_byte(text.ptr[i]))
			return false;
	return text.len > 0;
}

static struct str trim(struct str text)
{
	while (text.len > 0 && is_space(text.ptr[0]))
		text = str_skip(text, 1);
	while (text.len > 0 && is_space(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

/* ---- where a head ends ------------------------------------------------------------------------------------------- */

static enum berm_code look_at(struct http1_find *find, char c, struct berm_err *err)
{
	bool first = find->seen == 0, starts = first || find->empty;
	if ((find->last == '\r') != (c == '\n'))
		return err_set(err, BERM_ERR_PARSE, "a line of a head does not end with CRLF");
	if (is_control(c) && c != '\t' && c != '\r' && c != '\n')
		return err_set(err, BERM_ERR_PARSE, "a control character in a head");
	if (starts && is_space(c))
		return err_set(err, BERM_ERR_PARSE, "a line of a head begins with a space");
	if (first && c == '\r')
		return err_set(err, BERM_ERR_PARSE, "an empty line in front of a head");
	if (c != '\r' && c != '\n')
		find->empty = false;
	return BERM_OK;
}

enum berm_code http1_find_head(struct http1_find *find, struct str bytes, size_t *ret_len, struct berm_err *err)
{
	while (find->seen < bytes.len && find->seen < HTTP1_HEAD_MAX) {
		char c = bytes.ptr[find->seen];
		TRY(look_at(find, c, err));
		find->seen++;
		find->last = c;
		if (c == '\n' && find->empty) {
			*ret_len = find->seen;
			return BERM_OK;
		}
		find->empty |= c == '\n';
	}
	if (find->seen >= HTTP1_HEAD_MAX)
		return err_set(err, BERM_ERR_LIMIT, "a head is longer than %d bytes", HTTP1_HEAD_MAX);
	*ret_len = 0;
	return BERM_OK;
}

/* Takes a line off the front of a head that http1_find_head has seen. */
static struct str take_line(struct str *rest)
{
	size_t end = str_find(*rest, '\r');
	struct str line = {rest->ptr, end};
	*rest = str_skip(*rest, end + 2);
	return line;
}

static enum berm_code check_head(struct str head, struct berm_err *err)
{
	struct http1_find find = {.seen = 0};
	size_t len = 0;
	TRY(http1_find_head(&find, head, &len, err));
	if (len == 0 || len != head.len)
		return err_set(err, BERM_ERR_PARSE, "a head is not whole");
	return BERM_OK;
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* Names that CGI programs, for which '-' and '_' are one, take for a field that says how long a body is. */
static bool is_disguised(struct str name)
{
	return str_eq_nocase(name, STR("Content_Length")) || str_eq_nocase(name, STR("Transfer_Encoding"));
}

/* Some readers know no tab beside the values of these. */
static bool says_length(struct str name)
{
	return str_eq_nocase(name, STR("Content-Length")) || str_eq_nocase(name, STR("Transfer-Encoding"));
}

static enum berm_code read_field(struct str line, struct http1_field *ret, struct berm_err *err)
{
	size_t colon = str_find(line, ':');
	struct str name = {line.ptr, colon};
	if (colon == line.len || !http1_is_token(name))
		return err_set(err, BERM_ERR_PARSE, "a line of a head is no field");
	if (is_disguised(name))
		return err_set(err, BERM_ERR_PARSE, "the field '%.*s'", (int)name.len, name.ptr);
	if (says_length(name) && str_find(line, '\t') < line.len)
		return err_set(err, BERM_ERR_PARSE, "a tab in '%.*s'", (int)name.len, name.ptr);
	*ret = (struct http1_field){name, trim(str_skip(line, colon + 1))};
	return BERM_OK;
}

static enum berm_code read_fields(struct str rest, struct http1_head *ret, struct berm_err *err)
{
	ret->field_count = 0;
	while (rest.len > 2) {
		if (ret->field_count == HTTP1_FIELDS_MAX)
			return err_set(err, BERM_ERR_LIMIT, "more than %d fields", HTTP1_FIELDS_MAX);
		TRY(read_field(take_line(&rest), &ret->fields[ret->field_count], err));
		ret->field_count++;
	}
	return BERM_OK;
}

const struct http1_field *http1_find_field(const struct http1_head *head, struct str name)
{
	for (size_t i = 0; i < head->field_count; i++)
		if (str_eq_nocase(head->fields[i].name, name))
			return &head->fields[i];
	return NULL;
}

static size_t count_fields(const struct http1_head *head, struct str name)
{
	size_t count = 0;
	for (size_t i = 0; i < head->field_count; i++)
		count += str_eq_nocase(head->fields[i].name, name) ? 1 : 0;
	return count;
}

static bool has_word(struct str list, struct str word)
{
	struct str piece = {"", 0};
	while (str_next(&list, ',', &piece))
		if (str_eq_nocase(trim(piece), word))
			return true;
	return false;
}

bool http1_lists(const struct http1_head *head, struct str name, struct str word)
{
	for (size_t i = 0; i < head->field_count; i++)
		if (str_eq_nocase(head->fields[i].name, name) && has_word(head->fields[i].value, word))
			return true;
	return false;
}

bool http1_is_hop_field(const struct http1_head *head, const struct http1_field *field)
{
	static const char *const names[] = {
		"Connection", "Keep-Alive", "TE", "Trailer", "Upgrade", "HTTP2-Settings", "Transfer-Encoding",
	};
	const struct str proxy = STR("Proxy-");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_nocase(field->name, str_from(names[i])))
			return true;
	if (field->name.len > proxy.len && str_eq_nocase((struct str){field->name.ptr, proxy.len}, proxy))
		return true;
	return http1_lists(head, STR("Connection"), field->name);
}

/* ---- what the fields say of the message -------------------------------------------------------------------------- */

static enum berm_code check_connection(const struct http1_head *head, struct berm_err *err)
{
	static const char *const kept[] = {"Host", "Content-Length", "Transfer-Encoding"};
	for (size_t i = 0; i < head->field_count; i++) {
		struct str list = head->fields[i].value, piece = {"", 0};
		if (!str_eq_nocase(head->fields[i].name, STR("Connection")))
			continue;
		while (str_next(&list, ',', &piece))
			if (trim(piece).len > 0 && !http1_is_token(trim(piece)))
				return err_set(err, BERM_ERR_PARSE, "Connection lists what is no name");
	}
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (http1_lists(head, STR("Connection"), str_from(kept[i])))
			return err_set(err, BERM_ERR_PARSE, "Connection lists '%s'", kept[i]);
	return BERM_OK;
}

static enum berm_code read_length(const struct http1_head *head, struct http1_framing *ret, struct berm_err *err)
{
	const struct http1_field *field = http1_find_field(head, STR("Content-Length"));
	if (field == NULL)
		return BERM_OK;
	if (count_fields(head, STR("Content-Length")) > 1)
		return err_set(err, BERM_ERR_PARSE, "more than one Content-Length");
	if (field->value.len == 0 || str_u64(field->value, INT64_MAX, &ret->length, NULL) != BERM_OK)
		return err_set(err, BERM_ERR_PARSE, "Content-Length is no number of bytes");
	ret->kind = HTTP1_BODY_LENGTH;
	ret->length_told = true;
	return BERM_OK;
}

static enum berm_code read_coding(const struct http1_head *head, struct http1_framing *ret, struct berm_err *err)
{
	const struct http1_field *field = http1_find_field(head, STR("Transfer-Encoding"));
	if (field == NULL)
		return BERM_OK;
	if (ret->length_told)
		return err_set(err, BERM_ERR_PARSE, "Transfer-Encoding and Content-Length");
	if (head->minor == 0)
		return err_set(err, BERM_ERR_PARSE, "Transfer-Encoding in HTTP/1.0");
	if (count_fields(head, STR("Transfer-Encoding")) > 1)
		return err_set(err, BERM_ERR_PARSE, "more than one Transfer-Encoding");
	if (!str_eq_nocase(field->value, STR("chunked")))
		return err_set(err, BERM_ERR_UNSUPPORTED, "a transfer coding other than 'chunked'");
	ret->kind = HTTP1_BODY_CHUNKED;
	return BERM_OK;
}

/* As the fields have it; what the kind of message changes is the caller's. */
static enum berm_code read_framing(struct http1_head *head, struct berm_err *err)
{
	head->framing = (struct http1_framing){.kind = HTTP1_BODY_NONE};
	TRY(check_connection(head, err));
	TRY(read_length(head, &head->framing, err));
	TRY(read_coding(head, &head->framing, err));
	head->close = head->minor == 0 || http1_lists(head, STR("Connection"), STR("close"));
	return BERM_OK;
}

static bool asks_websocket(const struct http1_head *head)
{
	const struct http1_field *field = http1_find_field(head, STR("Upgrade"));
	return field != NULL && count_fields(head, STR("Upgrade")) == 1 &&
	       str_eq_nocase(field->value, STR("websocket"));
}

static void read_upgrade(struct http1_request *r)
{
	struct http1_head *head = &r->head;
	bool asked = head->minor == 1 && http1_find_field(head, STR("Upgrade")) != NULL &&
		     http1_lists(head, STR("Connection"), STR("upgrade"));
	bool plain = str_eq(r->method, STR("GET")) && head->framing.kind == HTTP1_BODY_NONE && asks_websocket(head);
	if (asked)
		head->upgrade = plain ? HTTP1_UPGRADE_WEBSOCKET : HTTP1_UPGRADE_OTHER;
	else
		head->upgrade = HTTP1_UPGRADE_NONE;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static enum berm_code read_version(struct str text, uint8_t *ret_minor, struct berm_err *err)
{
	bool digits = text.len == 8 && text.ptr[5] >= '0' && text.ptr[5] <= '9' && text.ptr[6] == '.' &&
		      text.ptr[7] >= '0' && text.ptr[7] <= '9';
	if (!digits || !str_starts(text, STR("HTTP/")))
		return err_set(err, BERM_ERR_PARSE, "no version of HTTP");
	if (text.ptr[5] != '1' || text.ptr[7] > '1')
		return err_set(err, BERM_ERR_UNSUPPORTED, "a version of HTTP other than 1.0 and 1.1");
	*ret_minor = (uint8_t)(text.ptr[7] - '0');
	return BERM_OK;
}

static bool is_method(struct str method)
{
	for (size_t i = 0; i < method.len; i++)
		if ((method.ptr[i] < 'A' || method.ptr[i] > 'Z') && method.ptr[i] != '-')
			return false;
	return method.len > 0 && method.len <= HTTP1_METHOD_MAX;
}

/* METHOD SP TARGET SP VERSION, one space each (RFC 9112 3). */
static enum berm_code read_request_line(struct str line, struct http1_request *ret, struct berm_err *err)
{
	size_t first = str_find(line, ' ');
	struct str method = {line.ptr, first}, rest = str_skip(line, first < line.len ? first + 1 : first);
	size_t second = str_find(rest, ' ');
	if (second == 0 || second == rest.len)
		return err_set(err, BERM_ERR_PARSE, "no request line of HTTP/1");
	TRY(read_version(str_skip(rest, second + 1), &ret->head.minor, err));
	if (!is_method(method))
		return err_set(err, BERM_ERR_PARSE, "a method is letters from 'A' to 'Z'");
	ret->method = method;
	ret->raw_target = (struct str){rest.ptr, second};
	return BERM_OK;
}

static void set_target(struct url_target *target, struct str text)
{
	memcpy(target->text, text.ptr, text.len);
	target->text[text.len] = '\0';
	target->len = target->path_len = text.len;
	target->encoded_slash = false;
}

static enum berm_code read_connect(struct http1_request *r, struct berm_err *err)
{
	r->form = HTTP1_AUTHORITY;
	set_target(&r->url.target, (struct str){"", 0});
	TRY(url_authority_parse(r->raw_target, &r->url.authority, err));
	if (r->url.authority.port == 0)
		return err_set(err, BERM_ERR_PARSE, "CONNECT names no port");
	return BERM_OK;
}

/* RFC 9112 3.2 */
static enum berm_code read_target(struct http1_request *r, struct berm_err *err)
{
	r->url.scheme = URL_HTTP;
	r->url.authority = (struct url_authority){.port = 0};
	if (str_eq(r->method, STR("CONNECT")))
		return read_connect(r, err);
	if (r->raw_target.ptr[0] == '/') {
		r->form = HTTP1_ORIGIN;
		return url_target_parse(r->raw_target, &r->url.target, err);
	}
	if (str_eq(r->raw_target, STR("*"))) {
		r->form = HTTP1_ASTERISK;
		set_target(&r->url.target, STR("*"));
		if (!str_eq(r->method, STR("OPTIONS")))
			return err_set(err, BERM_ERR_PARSE, "the target '*' is for OPTIONS");
		return BERM_OK;
	}
	r->form = HTTP1_ABSOLUTE;
	return url_parse(r->raw_target, &r->url, err);
}

/* A CONNECT's Host may leave the port out. */
static bool is_same_host(const struct http1_request *r, const struct url_authority *host)
{
	const struct url_authority *target = &r->url.authority;
	uint16_t port = host->port != 0 ? host->port : url_default_port(r->url.scheme);
	if (!host_equal(&host->host, &target->host))
		return false;
	return port == url_port(&r->url) || (r->form == HTTP1_AUTHORITY && host->port == 0);
}

/* RFC 9112 3.2, RFC 9110 7.2 */
static enum berm_code read_host(struct http1_request *r, struct berm_err *err)
{
	const struct http1_field *field = http1_find_field(&r->head, STR("Host"));
	struct url_authority host = {.port = 0};
	if (field == NULL && r->head.minor > 0)
		return err_set(err, BERM_ERR_PARSE, "no Host");
	if (count_fields(&r->head, STR("Host")) > 1)
		return err_set(err, BERM_ERR_PARSE, "more than one Host");
	if (field != NULL)
		TRY(url_authority_parse(field->value, &host, err));
	if (field != NULL && r->url.authority.host.kind != HOST_NONE && !is_same_host(r, &host))
		return err_set(err, BERM_ERR_PARSE, "Host is not the host of the target");
	if (r->url.authority.host.kind == HOST_NONE)
		r->url.authority = host;
	r->has_host = r->url.authority.host.kind != HOST_NONE;
	return BERM_OK;
}

static bool has_override(const struct http1_head *head)
{
	static const char *const names[] = {
		"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (http1_find_field(head, str_from(names[i])) != NULL)
			return true;
	return false;
}

enum berm_code http1_read_request(struct str head, struct http1_request *ret, struct berm_err *err)
{
	TRY(check_head(head, err));
	TRY(read_request_line(take_line(&head), ret, err));
	TRY(read_fields(head, &ret->head, err));
	TRY(read_framing(&ret->head, err));
	TRY(read_target(ret, err));
	TRY(read_host(ret, err));
	read_upgrade(ret);
	if (ret->form == HTTP1_AUTHORITY) {
		if (ret->head.framing.kind == HTTP1_BODY_CHUNKED || ret->head.framing.length > 0)
			return err_set(err, BERM_ERR_PARSE, "CONNECT with a body");
		ret->head.framing = (struct http1_framing){.kind = HTTP1_BODY_NONE};
	}
	const struct http1_field *expect = http1_find_field(&ret->head, STR("Expect"));
	ret->expect_continue =
		ret->head.minor > 0 && expect != NULL && str_eq_nocase(expect->value, STR("100-continue"));
	ret->overrides = has_override(&ret->head);
	return BERM_OK;
}

uint16_t http1_status_of(enum berm_code code)
{
	static const struct {
		enum berm_code code;
		uint16_t status;
	} statuses[] = {{BERM_ERR_PARSE, 400}, {BERM_ERR_LIMIT, 431}, {BERM_ERR_UNSUPPORTED, 501}};
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (statuses[i].code == code)
			return statuses[i].status;
	return 500;
}

/* ---- responses --------------------------------------------------------------------------------------------------- */

/* VERSION SP CODE SP [REASON]; servers leave the last space out with the reason (RFC 9112 4). */
static enum berm_code read_status_line(struct str line, struct http1_response *ret, struct berm_err *err)
{
	size_t space = str_find(line, ' ');
	TRY(read_version((struct str){line.ptr, space}, &ret->head.minor, err));
	struct str rest = str_skip(line, space < line.len ? space + 1 : space);
	uint64_t status = 0;
	if (rest.len < 3 || (rest.len > 3 && rest.ptr[3] != ' ') ||
	    str_u64((struct str){rest.ptr, 3}, CODE_MAX, &status, NULL) != BERM_OK || status < CODE_MIN)
		return err_set(err, BERM_ERR_PARSE, "no status line of HTTP/1");
	ret->status = (uint16_t)status;
	ret->reason = str_skip(rest, rest.len > 3 ? 4 : 3);
	return BERM_OK;
}

static enum berm_code read_switching(struct http1_head *head, const struct http1_asked *asked, struct berm_err *err)
{
	if (!asked->websocket || !asks_websocket(head) || head->minor == 0 ||
	    !http1_lists(head, STR("Connection"), STR("upgrade")))
		return err_set(err, BERM_ERR_PARSE, "a change of protocol that was not asked for");
	head->upgrade = HTTP1_UPGRADE_WEBSOCKET;
	head->framing = (struct http1_framing){.kind = HTTP1_BODY_TUNNEL};
	return BERM_OK;
}

/* RFC 9112 6.3 */
static enum berm_code frame_response(struct http1_response *r, const struct http1_asked *asked, struct berm_err *err)
{
	struct http1_framing *framing = &r->head.framing;
	bool never = r->status < 200 || r->status == CODE_NO_CONTENT;
	r->head.upgrade = HTTP1_UPGRADE_NONE;
	if (r->status == CODE_SWITCHING)
		return read_switching(&r->head, asked, err);
	if (asked->connect && r->status >= 200 && r->status < 300)
		*framing = (struct http1_framing){.kind = HTTP1_BODY_TUNNEL};
	else if (never)
		*framing = (struct http1_framing){.kind = HTTP1_BODY_NONE};
	else if (asked->head || r->status == CODE_NOT_MODIFIED)
		framing->kind = HTTP1_BODY_NONE;
	else if (framing->kind == HTTP1_BODY_NONE)
		framing->kind = HTTP1_BODY_CLOSE;
	r->head.close |= framing->kind == HTTP1_BODY_CLOSE || framing->kind == HTTP1_BODY_TUNNEL;
	return BERM_OK;
}

enum berm_code http1_read_response(struct str head, const struct http1_asked *asked, struct http1_response *ret,
				   struct berm_err *err)
{
	TRY(check_head(head, err));
	TRY(read_status_line(take_line(&head), ret, err));
	TRY(read_fields(head, &ret->head, err));
	TRY(read_framing(&ret->head, err));
	return frame_response(ret, asked, err);
}
