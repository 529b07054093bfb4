/* Target: heads and targets of HTTP/1. The first byte chooses what the rest is read as. What was accepted and written anew is
 * accepted again, means the same, and is written in the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "format/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http1_request request, again;
static struct http1_response response, response_again;

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Piece by piece the head is as long as at once. */
static void find_head(struct str text)
{
	struct http1_find whole = {.seen = 0}, pieces = {.seen = 0};
	size_t len = 0, at = 0, piece_len = 0;
	enum berm_code code = http1_find_head(&whole, text, &len, NULL), piece_code = BERM_OK;
	while (piece_code == BERM_OK && piece_len == 0 && at < text.len)
		piece_code = http1_find_head(&pieces, (struct str){text.ptr, ++at}, &piece_len, NULL);
	must(code == piece_code && len == piece_len);
}

static void read_request(struct str text)
{
	const struct http1_print how = {.keep_websocket = true};
	auto_buf struct buf first = {0}, second = {0};
	buf_init(&first, 1 << 18);
	buf_init(&second, 1 << 18);
	if (http1_read_request(text, &request, NULL) != BERM_OK ||
	    http1_print_request(&request, &how, &first, NULL) != BERM_OK)
		return;
	enum berm_code code = http1_read_request(buf_str(&first), &again, NULL);
	if (code == BERM_ERR_LIMIT) /* a Host more, a length written out */
		return;
	must(code == BERM_OK && str_eq(again.method, request.method));
	must(str_eq(again.raw_target, (struct str){request.url.target.text, request.url.target.len}));
	must(strcmp(again.url.authority.host.name, request.url.authority.host.name) == 0);
	must(request.url.scheme == URL_HTTPS || url_port(&again.url) == url_port(&request.url));
	must(again.head.framing.kind == request.head.framing.kind);
	must(again.head.framing.length == request.head.framing.length);
	if (request.url.scheme == URL_HTTPS)
		return;
	must(http1_print_request(&again, &how, &second, NULL) == BERM_OK && str_eq(buf_str(&first), buf_str(&second)));
}

static void read_response(struct str text, uint8_t flags)
{
	const struct http1_asked asked = {.head = flags & 1, .connect = flags & 2, .websocket = flags & 4};
	const struct http1_print how = {.close = false};
	auto_buf struct buf out = {0};
	buf_init(&out, 1 << 18);
	if (http1_read_response(text, &asked, &response, NULL) != BERM_OK ||
	    http1_print_response(&response, flags >> 3 & 1, &how, &out, NULL) != BERM_OK)
		return;
	enum berm_code code = http1_read_response(buf_str(&out), &asked, &response_again, NULL);
	must(code == BERM_OK || code == BERM_ERR_LIMIT);
	must(code != BERM_OK || response_again.status == response.status);
	must(code != BERM_OK || (flags & 8) == 0 || response_again.head.framing.kind == response.head.framing.kind);
}

static void read_url(struct str text)
{
	static struct url url, url_again;
	auto_buf struct buf out = {0};
	buf_init(&out, 1 << 16);
	if (url_parse(text, &url, NULL) != BERM_OK)
		return;
	buf_puts(&out, url.scheme == URL_HTTPS ? "https://" : "http://");
	url_authority_print(&url.authority, 0, &out);
	buf_put(&out, url.target.text, url.target.len);
	must(url_parse(buf_str(&out), &url_again, NULL) == BERM_OK);
	must(url_again.scheme == url.scheme && url_again.authority.port == url.authority.port);
	must(strcmp(url_again.authority.host.name, url.authority.host.name) == 0);
	must(strcmp(url_again.target.text, url.target.text) == 0 && url_again.target.path_len == url.target.path_len);
	must(strstr(url.target.text, "/../") == NULL || strchr(url.target.text, '?') < strstr(url.target.text, "/../"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 65536)
		return 0;
	/* A copy of just that size: reading past the end shows. */
	auto_free char *text = malloc(size);
	if (text == NULL)
		return 0;
	memcpy(text, data + 1, size - 1);
	const struct str rest = {text, size - 1};
	uint8_t choice = data[0] & 3;
	if (choice == 0)
		read_request(rest);
	else if (choice == 1)
		read_response(rest, data[0] >> 4);
	else if (choice == 2)
		read_url(rest);
	else
		find_head(rest);
	return 0;
}
