#include "egress/door_message.h"

#include <string.h>

#include "base/own.h"
#include "base/wire.h"
#include "format/http1.h"

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static bool is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			return false;
	return true;
}

static bool is_ascii(struct str text, char lowest)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < lowest || text.ptr[i] > 0x7e)
			return false;
	return true;
}

static bool is_host(struct str text)
{
	struct host host;
	return text.len == 0 || (host_read(text, false, &host, NULL) && str_eq(host_text(&host), text));
}

/* The text in a field; cut if it is not terminated. */
static struct str field(const char *bytes, size_t size)
{
	return (struct str){bytes, strnlen(bytes, size - 1)};
}
#define FIELD(array) field((array), sizeof(array))

static void print_text(struct wr *wr, struct str text)
{
	wr_block(wr, (struct span){(const uint8_t *)text.ptr, text.len});
}

/* The field was all zeros. */
static void parse_text(struct rd *rd, char *ret, size_t size)
{
	struct span bytes = rd_block(rd, (uint32_t)(size - 1));
	if (bytes.len == 0)
		return;
	if (memchr(bytes.ptr, '\0', bytes.len) != NULL)
		rd->failed = true;
	memcpy(ret, bytes.ptr, bytes.len);
}

static bool is_flag(uint8_t value)
{
	return value <= 1;
}

/* ---- what a question has ----------------------------------------------------------------------------------------- */

enum {
	HAS_HOST = 1,
	HAS_PORT = 2,
	HAS_METHOD = 4,
	HAS_TEXT = 8,
	HAS_ADDRESSES = 16,
	HAS_TYPE = 32,
	HAS_BYTES = 64,
	HAS_CONNECTION = 128,
};

static const struct {
	unsigned must, may;
} kinds[] = {
	[DOOR_DNS] = {HAS_TYPE, HAS_HOST},
	[DOOR_CONNECT] = {HAS_HOST | HAS_PORT, HAS_CONNECTION},
	[DOOR_HTTP] = {HAS_HOST | HAS_PORT | HAS_METHOD | HAS_TEXT, HAS_CONNECTION},
	[DOOR_ADDRESSES] = {HAS_HOST | HAS_PORT | HAS_ADDRESSES, HAS_METHOD | HAS_TEXT | HAS_CONNECTION},
	[DOOR_RECHECK] = {HAS_HOST | HAS_PORT, HAS_CONNECTION},
	[DOOR_WITHDRAW] = {0, 0},
	[DOOR_EVENT] = {0, HAS_HOST | HAS_PORT | HAS_METHOD | HAS_TEXT | HAS_CONNECTION | HAS_TYPE},
	[DOOR_CLOSED] = {0, HAS_HOST | HAS_PORT | HAS_BYTES | HAS_CONNECTION},
};

static unsigned has(const struct door_question *q, struct str text)
{
	return (q->host[0] != '\0' ? HAS_HOST : 0U) | (q->port != 0 ? HAS_PORT : 0U) |
	       (q->method[0] != '\0' ? HAS_METHOD : 0U) | (text.len > 0 ? HAS_TEXT : 0U) |
	       (q->address_count > 0 ? HAS_ADDRESSES : 0U) | (q->dns_type != 0 ? HAS_TYPE : 0U) |
	       ((q->sent | q->received) != 0 ? HAS_BYTES : 0U) | (q->connection != 0 ? HAS_CONNECTION : 0U);
}

static bool is_address(const struct net_address *address)
{
	static const uint8_t zeros[12];
	return address->family == NET_IPV6 ||
	       (address->family == NET_IPV4 && memcmp(address->bytes + 4, zeros, sizeof(zeros)) == 0);
}

static bool are_addresses(const struct door_question *q)
{
	if (q->address_count > DOOR_ADDRESSES_MAX)
		return false;
	for (size_t i = 0; i < q->address_count; i++)
		if (!is_address(&q->addresses[i]))
			return false;
	return true;
}

static bool is_text_of(uint16_t kind, struct str text)
{
	return text.len <= DOOR_TARGET_MAX && (kind == DOOR_EVENT ? is_plain(text) : is_ascii(text, '!'));
}

/* What is wrong with it; NULL: nothing. */
static const char *judge_question(const struct door_question *q, struct str text)
{
	if (q->kind == DOOR_NONE || q->kind >= ARRAY_LEN(kinds) || q->id == 0)
		return "kind or number";
	unsigned there = has(q, text);
	if ((there & kinds[q->kind].must) != kinds[q->kind].must ||
	    (there & ~(kinds[q->kind].must | kinds[q->kind].may)) != 0)
		return "fields";
	if (!is_host(FIELD(q->host)))
		return "host";
	if (!http1_is_token(FIELD(q->method)) && q->method[0] != '\0')
		return "method";
	if (!is_plain(FIELD(q->task.exe)) || q->task.pid < 0)
		return "program";
	if (!is_flag(q->by_proxy) || !is_flag(q->tls))
		return "flags";
	if (!are_addresses(q))
		return "addresses";
	return is_text_of(q->kind, text) ? NULL : "text";
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

static void print_task(struct wr *wr, const struct door_task *task)
{
	wr_u32(wr, (uint32_t)task->pid);
	wr_u64(wr, task->exe_dev);
	wr_u64(wr, task->exe_ino);
	print_text(wr, FIELD(task->exe));
}

static void parse_task(struct rd *rd, struct door_task *ret)
{
	ret->pid = (int32_t)rd_u32(rd);
	ret->exe_dev = rd_u64(rd);
	ret->exe_ino = rd_u64(rd);
	parse_text(rd, ret->exe, sizeof(ret->exe));
}

static void print_addresses(struct wr *wr, const struct door_question *q)
{
	wr_u8(wr, q->address_count);
	for (size_t i = 0; i < q->address_count; i++) {
		wr_u8(wr, (uint8_t)q->addresses[i].family);
		wr_span(wr, (struct span){q->addresses[i].bytes, sizeof(q->addresses[i].bytes)});
	}
}

static void parse_addresses(struct rd *rd, struct door_question *ret)
{
	ret->address_count = rd_u8(rd);
	if (ret->address_count > DOOR_ADDRESSES_MAX)
		rd->failed = true;
	for (size_t i = 0; i < ret->address_count && !rd->failed; i++) {
		uint8_t family = rd_u8(rd);
		struct span bytes = rd_span(rd, sizeof(ret->addresses[i].bytes));
		if (bytes.len == 0 || (family != NET_IPV4 && family != NET_IPV6)) {
			rd->failed = true;
			return;
		}
		ret->addresses[i].family = family == NET_IPV4 ? NET_IPV4 : NET_IPV6;
		memcpy(ret->addresses[i].bytes, bytes.ptr, bytes.len);
	}
}

enum berm_code door_print_question(const struct door_question *question, struct str text,
				   uint8_t ret_bytes[DOOR_MESSAGE_MAX], size_t *ret_len, struct berm_err *err)
{
	const char *wrong = judge_question(question, text);
	if (wrong != NULL)
		return err_set(err, BERM_ERR_INVALID, "a question to the monitor with %s that cannot be", wrong);
	struct wr wr = wr_into(ret_bytes, DOOR_MESSAGE_MAX);
	wr_u16(&wr, DOOR_VERSION);
	wr_u16(&wr, question->kind);
	wr_u64(&wr, question->id);
	wr_u64(&wr, question->connection);
	print_task(&wr, &question->task);
	print_text(&wr, FIELD(question->host));
	print_text(&wr, FIELD(question->method));
	wr_u16(&wr, question->port);
	wr_u16(&wr, question->dns_type);
	wr_u8(&wr, question->by_proxy);
	wr_u8(&wr, question->tls);
	print_addresses(&wr, question);
	wr_u64(&wr, question->sent);
	wr_u64(&wr, question->received);
	print_text(&wr, text);
	return wr_end(&wr, ret_len, err);
}

static struct str parse_question(struct rd *rd, struct door_question *ret)
{
	ret->version = rd_u16(rd);
	ret->kind = rd_u16(rd);
	ret->id = rd_u64(rd);
	ret->connection = rd_u64(rd);
	parse_task(rd, &ret->task);
	parse_text(rd, ret->host, sizeof(ret->host));
	parse_text(rd, ret->method, sizeof(ret->method));
	ret->port = rd_u16(rd);
	ret->dns_type = rd_u16(rd);
	ret->by_proxy = rd_u8(rd);
	ret->tls = rd_u8(rd);
	parse_addresses(rd, ret);
	ret->sent = rd_u64(rd);
	ret->received = rd_u64(rd);
	struct span text = rd_block(rd, DOOR_TARGET_MAX);
	ret->text_len = (uint32_t)text.len;
	return text.len == 0 ? STR("") : (struct str){(const char *)text.ptr, text.len};
}

enum berm_code door_parse_question(struct span bytes, struct door_question *ret_question, struct str *ret_text,
				   struct berm_err *err)
{
	struct rd rd = rd_from(bytes);
	struct door_question question = {0};
	struct str text = parse_question(&rd, &question);
	TRY(rd_end(&rd, err));
	const char *wrong = question.version != DOOR_VERSION ? "version" : judge_question(&question, text);
	if (wrong != NULL)
		return err_set(err, BERM_ERR_PARSE, "a question of @egress with %s that cannot be", wrong);
	*ret_question = question;
	*ret_text = text;
	return BERM_OK;
}

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static const char *judge_answer(const struct door_answer *a, const struct door_ends *ends)
{
	if (a->kind < DOOR_ANSWER || a->kind > DOOR_ENDS || (a->kind == DOOR_ANSWER) != (a->id != 0))
		return "kind or number";
	if (a->verdict > DOOR_ALLOW || a->why > DOOR_BY_FAULT)
		return "verdict";
	if (!is_flag(a->http_rules) || !is_flag(a->all_requests) || !is_flag(a->close_denied))
		return "flags";
	if (!is_host(FIELD(a->upstream_host)) || (a->upstream_host[0] != '\0') != (a->upstream_port != 0))
		return "proxy";
	if (!is_ascii(FIELD(a->upstream_login), ' '))
		return "login";
	if (!is_plain(FIELD(a->rule)) || !is_plain(FIELD(a->grant)))
		return "text";
	return ends->present < 1U << DOOR_END_COUNT ? NULL : "ends";
}

/* Rules may stand in files with any text; it is shown to people only. */
static void make_plain(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = '?';
}

static void print_answer(struct wr *wr, const struct door_answer *a, const struct door_ends *ends)
{
	wr_u16(wr, DOOR_VERSION);
	wr_u16(wr, a->kind);
	wr_u64(wr, a->id);
	wr_u32(wr, a->generation);
	wr_u8(wr, a->verdict);
	wr_u8(wr, a->why);
	wr_u8(wr, a->http_rules);
	wr_u8(wr, a->all_requests);
	wr_u8(wr, a->close_denied);
	wr_u16(wr, a->allowed);
	wr_u16(wr, a->upstream_port);
	wr_u32(wr, a->wait_ms);
	print_text(wr, FIELD(a->upstream_host));
	print_text(wr, FIELD(a->upstream_login));
	print_text(wr, FIELD(a->rule));
	print_text(wr, FIELD(a->grant));
	wr_u16(wr, ends->present);
	wr_u16(wr, ends->proxy_port);
}

enum berm_code door_print_answer(const struct door_answer *answer, const struct door_ends *ends,
				 uint8_t ret_bytes[DOOR_ANSWER_MAX], size_t *ret_len, struct berm_err *err)
{
	static const struct door_ends none;
	struct door_answer plain = *answer;
	make_plain(plain.rule, sizeof(plain.rule));
	make_plain(plain.grant, sizeof(plain.grant));
	ends = ends == NULL ? &none : ends;
	const char *wrong = judge_answer(&plain, ends);
	if (wrong != NULL)
		return err_set(err, BERM_ERR_INVALID, "an answer to @egress with %s that cannot be", wrong);
	struct wr wr = wr_into(ret_bytes, DOOR_ANSWER_MAX);
	print_answer(&wr, &plain, ends);
	return wr_end(&wr, ret_len, err);
}

static void parse_answer(struct rd *rd, struct door_answer *ret, struct door_ends *ret_ends)
{
	ret->version = rd_u16(rd);
	ret->kind = rd_u16(rd);
	ret->id = rd_u64(rd);
	ret->generation = rd_u32(rd);
	ret->verdict = rd_u8(rd);
	ret->why = rd_u8(rd);
	ret->http_rules = rd_u8(rd);
	ret->all_requests = rd_u8(rd);
	ret->close_denied = rd_u8(rd);
	ret->allowed = rd_u16(rd);
	ret->upstream_port = rd_u16(rd);
	ret->wait_ms = rd_u32(rd);
	parse_text(rd, ret->upstream_host, sizeof(ret->upstream_host));
	parse_text(rd, ret->upstream_login, sizeof(ret->upstream_login));
	parse_text(rd, ret->rule, sizeof(ret->rule));
	parse_text(rd, ret->grant, sizeof(ret->grant));
	ret_ends->present = rd_u16(rd);
	ret_ends->proxy_port = rd_u16(rd);
}

enum berm_code door_parse_answer(struct span bytes, struct door_answer *ret_answer, struct door_ends *ret_ends,
				 struct berm_err *err)
{
	struct rd rd = rd_from(bytes);
	struct door_answer answer = {0};
	struct door_ends ends = {0};
	parse_answer(&rd, &answer, &ends);
	TRY(rd_end(&rd, err));
	const char *wrong = answer.version != DOOR_VERSION ? "version" : judge_answer(&answer, &ends);
	if (wrong == NULL && answer.kind != DOOR_ENDS && (ends.present != 0 || ends.proxy_port != 0))
		wrong = "ends";
	if (wrong != NULL)
		return err_set(err, BERM_ERR_PARSE, "an answer of the monitor with %s that cannot be", wrong);
	*ret_answer = answer;
	*ret_ends = ends;
	return BERM_OK;
}
