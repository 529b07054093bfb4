#include "base/own.h"
#include "egress/flow.h"
#include "format/json_out.h"

enum { BODY_MAX = 8192 };

/* RFC 9110 15, RFC 6585 */
static const struct {
	uint16_t status;
	const char *reason;
	bool retry; /* later it may be otherwise */
} statuses[] = {
	{400, "Bad Request", false},
	{403, "Forbidden", false},
	{405, "Method Not Allowed", false},
	{407, "Proxy Authentication Required", false},
	{408, "Request Timeout", false},
	{414, "URI Too Long", false},
	{421, "Misdirected Request", false},
	{429, "Too Many Requests", true},
	{431, "Request Header Fields Too Large", false},
	{500, "Internal Server Error", false},
	{501, "Not Implemented", false},
	{502, "Bad Gateway", true},
	{503, "Service Unavailable", true},
	{504, "Gateway Timeout", true},
};

static void put_text(struct json_out *json, const char *key, const char *text)
{
	if (text == NULL || text[0] == '\0')
		json_null(json, key);
	else
		json_text(json, key, str_from(text));
}

static void put_body(const struct http_refusal *refusal, bool retry, struct buf *out)
{
	struct json_out json;
	json_init(&json, out);
	json_object(&json, NULL);
	put_text(&json, "error", refusal->error);
	put_text(&json, "rule", refusal->rule);
	put_text(&json, "detail", refusal->detail);
	put_text(&json, "grant", refusal->grant);
	json_bool(&json, "retry", retry);
	json_object_end(&json);
	buf_putc(out, '\n');
}

void http_refusal_print(const struct http_refusal *refusal, struct buf *out)
{
	auto_buf struct buf body;
	const char *reason = "Refused";
	bool retry = false;
	buf_init(&body, BODY_MAX);
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		if (statuses[i].status == refusal->status) {
			reason = statuses[i].reason;
			retry = statuses[i].retry;
		}
	}
	put_body(refusal, retry, &body);
	if (body.failed) { /* no memory for words: the status says it as well */
		buf_clear(&body);
		buf_puts(&body, "");
	}
	buf_printf(out, "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n",
		   (unsigned)refusal->status, reason, body.len);
	if (refusal->field != NULL)
		buf_printf(out, "%s\r\n", refusal->field);
	buf_puts(out, "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
	buf_put_str(out, buf_str(&body));
}
