#include <inttypes.h>
#include <stdio.h>

#include "base/own.h"
#include "format/http1.h"

static void put_field(struct buf *out, struct str name, struct str value)
{
	buf_put_str(out, name);
	buf_puts(out, ": ");
	buf_put_str(out, value);
	buf_puts(out, "\r\n");
}

static bool is_framing(struct str name)
{
	return str_eq_nocase(name, STR("Host")) || str_eq_nocase(name, STR("Content-Length")) ||
	       str_eq_nocase(name, STR("Transfer-Encoding")) || str_eq_nocase(name, STR("Connection"));
}

static bool is_value(struct str value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.ptr[i];
		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return false;
	}
	return true;
}

static enum berm_code check_added(const struct http1_print *how, struct berm_err *err)
{
	for (size_t i = 0; i < how->add_count; i++)
		if (!http1_is_token(how->add[i].name) || is_framing(how->add[i].name) || !is_value(how->add[i].value))
			return err_set(err, BERM_ERR_INVALID, "a field that cannot be added");
	return BERM_OK;
}

static bool is_replaced(const struct http1_print *how, struct str name)
{
	for (size_t i = 0; i < how->add_count; i++)
		if (str_eq_nocase(how->add[i].name, name))
			return true;
	return false;
}

/* What is between the first line with its Host, and the framing. */
static void put_fields(const struct http1_head *head, const struct http1_print *how, struct buf *out)
{
	for (size_t i = 0; i < head->field_count; i++) {
		const struct http1_field *field = &head->fields[i];
		if (!is_framing(field->name) && !is_replaced(how, field->name) && !http1_is_hop_field(head, field))
			put_field(out, field->name, field->value);
	}
	for (size_t i = 0; i < how->add_count; i++)
		put_field(out, how->add[i].name, how->add[i].value);
}

/* Framing, Connection, and the empty line. */
static enum berm_code put_end(const struct http1_framing *framing, bool close, bool websocket, struct buf *out,
			      struct berm_err *err)
{
	if (framing->kind == HTTP1_BODY_CHUNKED)
		buf_puts(out, "Transfer-Encoding: chunked\r\n");
	else if (framing->length_told)
		buf_printf(out, "Content-Length: %" PRIu64 "\r\n", framing->length);
	if (websocket)
		buf_puts(out, "Connection: upgrade\r\nUpgrade: websocket\r\n");
	else if (close)
		buf_puts(out, "Connection: close\r\n");
	buf_puts(out, "\r\n");
	return buf_check(out, err);
}

static void put_target(const struct http1_request *r, const struct http1_print *how, struct buf *out)
{
	static const char *const schemes[] = {[URL_HTTP] = "http://", [URL_HTTPS] = "https://"};
	if (how->absolute) {
		buf_puts(out, schemes[r->url.scheme]);
		url_authority_print(&r->url.authority, url_default_port(r->url.scheme), out);
	}
	if (!how->absolute || r->form != HTTP1_ASTERISK) /* RFC 9112 3.2.4 */
		buf_put(out, r->url.target.text, r->url.target.len);
}

enum berm_code http1_print_request(const struct http1_request *request, const struct http1_print *how, struct buf *out,
				   struct berm_err *err)
{
	const struct url_authority *authority = &request->url.authority;
	bool websocket = how->keep_websocket && request->head.upgrade == HTTP1_UPGRADE_WEBSOCKET;
	if (request->form == HTTP1_AUTHORITY || authority->host.kind == HOST_NONE)
		return err_set(err, BERM_ERR_INVALID, "a request that cannot be forwarded");
	TRY(check_added(how, err));
	buf_put_str(out, request->method);
	buf_putc(out, ' ');
	put_target(request, how, out);
	buf_puts(out, " HTTP/1.1\r\nHost: ");
	url_authority_print(authority, url_default_port(request->url.scheme), out);
	buf_puts(out, "\r\n");
	put_fields(&request->head, how, out);
	return put_end(&request->head.framing, how->close, websocket, out, err);
}

struct http1_framing http1_response_framing(const struct http1_response *response, uint8_t client_minor)
{
	struct http1_framing framing = response->head.framing;
	if (framing.kind == HTTP1_BODY_CHUNKED && client_minor == 0)
		framing.kind = HTTP1_BODY_CLOSE;
	return framing;
}

enum berm_code http1_print_response(const struct http1_response *response, uint8_t client_minor,
				    const struct http1_print *how, struct buf *out, struct berm_err *err)
{
	const struct http1_framing framing = http1_response_framing(response, client_minor);
	bool websocket = response->head.upgrade == HTTP1_UPGRADE_WEBSOCKET;
	bool close = how->close || client_minor == 0 || framing.kind == HTTP1_BODY_CLOSE;
	bool last = response->status >= 200 && framing.kind != HTTP1_BODY_TUNNEL;
	TRY(check_added(how, err));
	buf_printf(out, "HTTP/1.1 %u ", (unsigned)response->status);
	buf_put_str(out, response->reason);
	buf_puts(out, "\r\n");
	put_fields(&response->head, how, out);
	return put_end(&framing, close && last, websocket, out, err);
}

size_t http1_print_chunk_head(char ret[static HTTP1_CHUNK_HEAD_MAX], size_t len)
{
	int printed = snprintf(ret, HTTP1_CHUNK_HEAD_MAX, "%zx\r\n", len);
	return printed > 0 ? (size_t)printed : 0;
}
