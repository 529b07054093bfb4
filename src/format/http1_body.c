#include "base/own.h"
#include "format/http1.h"

/* Where in a chunked body the next byte stands (RFC 9112 7.1). */
enum {
	AT_SIZE = 0,
	AT_NAME, /* of an extension (7.1.1), without the spaces that RFC 9112 wants nobody to send */
	IN_NAME,
	AT_VALUE,
	IN_VALUE,
	IN_QUOTES,
	IN_ESCAPE,
	BEHIND_QUOTES,
	AT_SIZE_LF,
	IN_DATA,
	AT_DATA_CR,
	AT_DATA_LF,
	AT_TRAILER,
	IN_TRAILER_NAME,
	IN_TRAILER_VALUE,
	AT_TRAILER_LF,
	AT_END_LF,
};

enum { SIZE_DIGITS = 16 };

static enum berm_code malformed(struct berm_err *err)
{
	return err_set(err, BERM_ERR_PARSE, "a chunked body is malformed");
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_text(uint8_t c)
{
	return c == '\t' || (c >= ' ' && c != 0x7f);
}

/* Goes on to the next state if this is the byte that has to be there. */
static enum berm_code expect(struct http1_body *body, uint8_t c, char byte, uint8_t next, struct berm_err *err)
{
	if (c != (uint8_t)byte)
		return malformed(err);
	body->state = next;
	return BERM_OK;
}

static enum berm_code at_size(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	int value = hex_value(c);
	if (value >= 0) {
		if (body->digits == SIZE_DIGITS || body->left > (uint64_t)INT64_MAX >> 4)
			return err_set(err, BERM_ERR_LIMIT, "a chunk is too large");
		body->left = body->left << 4 | (uint64_t)value;
		body->digits++;
		return BERM_OK;
	}
	if (body->digits == 0 || (c != ';' && c != '\r'))
		return malformed(err);
	body->state = c == ';' ? AT_NAME : AT_SIZE_LF;
	return BERM_OK;
}

static bool is_name_byte(uint8_t c)
{
	const char text[] = {(char)c};
	return http1_is_token((struct str){text, 1});
}

static enum berm_code count_extension(struct http1_body *body, struct berm_err *err)
{
	if (++body->line > HTTP1_CHUNK_LINE_MAX || ++body->extensions > HTTP1_EXTENSIONS_MAX)
		return err_set(err, BERM_ERR_LIMIT, "extensions of a chunk are too long");
	return BERM_OK;
}

/* What may stand behind a name or a value. */
static enum berm_code end_extension(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	return c == ';' ? expect(body, c, ';', AT_NAME, err) : expect(body, c, '\r', AT_SIZE_LF, err);
}

static enum berm_code at_name(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	TRY(count_extension(body, err));
	body->state = IN_NAME;
	return is_name_byte(c) ? BERM_OK : malformed(err);
}

static enum berm_code in_name(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	TRY(count_extension(body, err));
	if (is_name_byte(c))
		return BERM_OK;
	return c == '=' ? expect(body, c, '=', AT_VALUE, err) : end_extension(body, c, err);
}

static enum berm_code at_value(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	TRY(count_extension(body, err));
	body->state = c == '"' ? IN_QUOTES : IN_VALUE;
	return c == '"' || is_name_byte(c) ? BERM_OK : malformed(err);
}

static enum berm_code in_value(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	TRY(count_extension(body, err));
	return is_name_byte(c) ? BERM_OK : end_extension(body, c, err);
}

static enum berm_code in_quotes(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	TRY(count_extension(body, err));
	if (c == '"')
		body->state = BEHIND_QUOTES;
	else if (c == '\\')
		body->state = IN_ESCAPE;
	return is_text(c) ? BERM_OK : malformed(err);
}

static enum berm_code in_escape(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	TRY(count_extension(body, err));
	body->state = IN_QUOTES;
	return is_text(c) ? BERM_OK : malformed(err);
}

static enum berm_code behind_quotes(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	TRY(count_extension(body, err));
	return end_extension(body, c, err);
}

static enum berm_code at_size_lf(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	body->digits = 0;
	body->line = 0;
	return expect(body, c, '\n', body->left > 0 ? IN_DATA : AT_TRAILER, err);
}

static enum berm_code at_data_cr(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	return expect(body, c, '\r', AT_DATA_LF, err);
}

static enum berm_code at_data_lf(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	return expect(body, c, '\n', AT_SIZE, err);
}

static enum berm_code count_trailer(struct http1_body *body, struct berm_err *err)
{
	if (++body->trailers > HTTP1_TRAILERS_MAX)
		return err_set(err, BERM_ERR_LIMIT, "trailers are longer than %d bytes", HTTP1_TRAILERS_MAX);
	return BERM_OK;
}

/* The name of a trailer as far as it has come: which of these does it still spell? (RFC 9110 6.5.1) */
static const char *const no_trailers[] = {"content-length", "transfer-encoding", "host"};

static void spell(struct http1_body *body, uint8_t c)
{
	char lower = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	for (size_t i = 0; i < ARRAY_LEN(no_trailers); i++)
		if (str_from(no_trailers[i]).len <= body->spelled || no_trailers[i][body->spelled] != lower)
			body->spells &= (uint8_t) ~(1U << i);
	body->spelled++;
}

static bool is_no_trailer(const struct http1_body *body)
{
	for (size_t i = 0; i < ARRAY_LEN(no_trailers); i++)
		if ((body->spells & 1U << i) != 0 && str_from(no_trailers[i]).len == body->spelled)
			return true;
	return false;
}

static enum berm_code at_trailer(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	TRY(count_trailer(body, err));
	if (!is_name_byte(c))
		return expect(body, c, '\r', AT_END_LF, err);
	body->state = IN_TRAILER_NAME;
	body->spelled = 0;
	body->spells = (1U << ARRAY_LEN(no_trailers)) - 1;
	spell(body, c);
	return BERM_OK;
}

static enum berm_code in_trailer_name(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	TRY(count_trailer(body, err));
	if (is_name_byte(c))
		spell(body, c);
	else if (is_no_trailer(body))
		return malformed(err);
	return is_name_byte(c) ? BERM_OK : expect(body, c, ':', IN_TRAILER_VALUE, err);
}

static enum berm_code in_trailer_value(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	TRY(count_trailer(body, err));
	return is_text(c) ? BERM_OK : expect(body, c, '\r', AT_TRAILER_LF, err);
}

static enum berm_code at_trailer_lf(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	return expect(body, c, '\n', AT_TRAILER, err);
}

static enum berm_code at_end_lf(struct http1_body *body, uint8_t c, struct berm_err *err)
{
	body->done = c == '\n';
	return body->done ? BERM_OK : malformed(err);
}

/* IN_DATA takes no single bytes. */
static enum berm_code (*const take_byte[])(struct http1_body *body, uint8_t c, struct berm_err *err) = {
	[AT_SIZE] = at_size,
	[AT_NAME] = at_name,
	[IN_NAME] = in_name,
	[AT_VALUE] = at_value,
	[IN_VALUE] = in_value,
	[IN_QUOTES] = in_quotes,
	[IN_ESCAPE] = in_escape,
	[BEHIND_QUOTES] = behind_quotes,
	[AT_SIZE_LF] = at_size_lf,
	[AT_DATA_CR] = at_data_cr,
	[AT_DATA_LF] = at_data_lf,
	[AT_TRAILER] = at_trailer,
	[IN_TRAILER_NAME] = in_trailer_name,
	[IN_TRAILER_VALUE] = in_trailer_value,
	[AT_TRAILER_LF] = at_trailer_lf,
	[AT_END_LF] = at_end_lf,
};

void http1_body_start(struct http1_body *body, const struct http1_framing *framing)
{
	*body = (struct http1_body){.kind = framing->kind, .state = AT_SIZE};
	if (framing->kind == HTTP1_BODY_LENGTH)
		body->left = framing->length;
	body->done = framing->kind == HTTP1_BODY_NONE || framing->kind == HTTP1_BODY_TUNNEL ||
		     (framing->kind == HTTP1_BODY_LENGTH && body->left == 0);
}

/* The run of payload at the front of bytes. */
static struct span take_data(struct http1_body *body, struct span bytes)
{
	if (body->kind != HTTP1_BODY_CLOSE) {
		if (bytes.len > body->left)
			bytes.len = (size_t)body->left;
		body->left -= bytes.len;
	}
	return bytes;
}

static enum berm_code step_chunked(struct http1_body *body, struct span bytes, struct http1_piece *ret,
				   struct berm_err *err)
{
	size_t used = 0;
	while (used < bytes.len && body->state != IN_DATA && !body->done) {
		TRY(take_byte[body->state](body, bytes.ptr[used], err));
		used++;
	}
	struct span data = {bytes.ptr + used, 0};
	if (body->state == IN_DATA) {
		data = take_data(body, (struct span){bytes.ptr + used, bytes.len - used});
		body->state = body->left == 0 ? AT_DATA_CR : IN_DATA;
	}
	*ret = (struct http1_piece){.used = used + data.len, .data = data, .done = body->done};
	return BERM_OK;
}

enum berm_code http1_body_step(struct http1_body *body, struct span bytes, struct http1_piece *ret,
			       struct berm_err *err)
{
	struct span data = {bytes.ptr, 0};
	if (body->kind == HTTP1_BODY_CHUNKED && !body->done)
		return step_chunked(body, bytes, ret, err);
	if (!body->done)
		data = take_data(body, bytes);
	body->done |= body->kind == HTTP1_BODY_LENGTH && body->left == 0;
	*ret = (struct http1_piece){.used = data.len, .data = data, .done = body->done};
	return BERM_OK;
}

enum berm_code http1_body_end(const struct http1_body *body, struct berm_err *err)
{
	if (!body->done && body->kind != HTTP1_BODY_CLOSE)
		return err_set(err, BERM_ERR_PARSE, "a body was cut off");
	return BERM_OK;
}
