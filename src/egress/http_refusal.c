#include <stdio.h>

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
	if (refusal->retry_after_s != 0)
		buf_printf(out, "Retry-After: %u\r\n", (unsigned)refusal->retry_after_s);
	buf_puts(out, "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
	buf_put_str(out, buf_str(&body));
}

static const char *why_denied(const struct door_answer *answer)
{
	static const char *const words[] = {
		[DOOR_BY_RULE] = "the policy does not allow it",
		[DOOR_BY_PERSON] = "a person was asked and said no",
		[DOOR_UNANSWERED] = "a person was asked and did not answer in time",
		[DOOR_BY_ADDRESS] = "the host has no address that may be connected to",
		[DOOR_BY_RATE] = "the rate of the rule is used up",
		[DOOR_BY_FAULT] = "the policy could not be asked",
	};
	return answer->why < ARRAY_LEN(words) ? words[answer->why] : words[DOOR_BY_FAULT];
}

/* That it was no policy is in the names. */
static struct http_refusal refusal_of_failure(enum reach_outcome outcome)
{
	static const struct http_refusal refusals[] = {
		[REACH_DENIED] = {403, .error = "denied"},
		[REACH_DONE] = {500, .error = "fault"},
		[REACH_ALLOWED] = {500, .error = "fault"},
		[REACH_NO_NAME] = {502, .error = "upstream_no_name"},
		[REACH_REFUSED] = {502, .error = "upstream_unreachable"},
		[REACH_TIMEOUT] = {504, .error = "upstream_timeout"},
		[REACH_FAULT] = {503, .error = "fault"},
	};
	return refusals[outcome];
}

struct http_refusal http_refusal_of(const struct reach_result *result, const char *host, uint16_t port,
				    char detail[static HTTP_DETAIL_MAX])
{
	const struct door_answer *answer = result->answer;
	bool denied = result->outcome == REACH_DENIED && answer != NULL;
	struct http_refusal refusal = refusal_of_failure(result->outcome);
	(void)snprintf(detail, HTTP_DETAIL_MAX, "%s, port %u: %s", host, (unsigned)port,
		       denied ? why_denied(answer) : result->why);
	refusal.detail = detail;
	if (!denied)
		return refusal;
	refusal.rule = answer->rule;
	refusal.grant = answer->grant;
	if (answer->why == DOOR_BY_RATE) {
		refusal.status = 429;
		refusal.error = "rate";
		refusal.retry_after_s = answer->wait_ms / 1000 + 1;
	}
	return refusal;
}
