#include "format/json_out.h"

#include <inttypes.h>

#include "format/utf8.h"

void json_init(struct json_out *json, struct buf *buf)
{
	*json = (struct json_out){.buf = buf};
}

/* The letter of a two-byte escape, or 0. */
static char short_escape(char c)
{
	static const char pairs[][2] = {{'"', '"'}, {'\\', '\\'}, {'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		if (pairs[i][0] == c)
			return pairs[i][1];
	return 0;
}

static bool needs_escape(struct str text, size_t len)
{
	return utf8_is_control(text, len) || (len == 1 && (text.ptr[0] == '"' || text.ptr[0] == '\\'));
}

static void put_escaped(struct buf *buf, struct str text, size_t len)
{
	char letter = len == 1 ? short_escape(text.ptr[0]) : 0;
	if (letter != 0)
		buf_printf(buf, "\\%c", letter);
	else
		buf_printf(buf, "\\u%04x", (unsigned)(uint8_t)text.ptr[len - 1]);
}

static void put_string(struct buf *buf, struct str text)
{
	buf_putc(buf, '"');
	while (text.len > 0) {
		size_t len = utf8_length(text);
		if (len == 0)
			buf_puts(buf, "\\ufffd");
		else if (needs_escape(text, len))
			put_escaped(buf, text, len);
		else
			buf_put(buf, text.ptr, len);
		len += len == 0;
		text = (struct str){text.ptr + len, text.len - len};
	}
	buf_putc(buf, '"');
}

/* What comes in front of a value. */
static void lead(struct json_out *json, const char *key)
{
	if (json->comma)
		buf_putc(json->buf, ',');
	json->comma = true;
	if (key == NULL)
		return;
	put_string(json->buf, str_from(key));
	buf_putc(json->buf, ':');
}

static void begin(struct json_out *json, const char *key, char bracket)
{
	lead(json, key);
	buf_putc(json->buf, bracket);
	json->comma = false;
}

static void end(struct json_out *json, char bracket)
{
	buf_putc(json->buf, bracket);
	json->comma = true;
}

void json_object(struct json_out *json, const char *key)
{
	begin(json, key, '{');
}

void json_object_end(struct json_out *json)
{
	end(json, '}');
}

void json_array(struct json_out *json, const char *key)
{
	begin(json, key, '[');
}

void json_array_end(struct json_out *json)
{
	end(json, ']');
}

void json_text(struct json_out *json, const char *key, struct str value)
{
	lead(json, key);
	put_string(json->buf, value);
}

void json_u64(struct json_out *json, const char *key, uint64_t value)
{
	lead(json, key);
	buf_printf(json->buf, "%" PRIu64, value);
}

void json_i64(struct json_out *json, const char *key, int64_t value)
{
	lead(json, key);
	buf_printf(json->buf, "%" PRId64, value);
}

void json_bool(struct json_out *json, const char *key, bool value)
{
	lead(json, key);
	buf_puts(json->buf, value ? "true" : "false");
}

void json_null(struct json_out *json, const char *key)
{
	lead(json, key);
	buf_puts(json->buf, "null");
}
