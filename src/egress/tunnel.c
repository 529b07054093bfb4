#include "egress/tunnel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_MAX = 4096 };

enum berm_code tunnel_print(const char *host, uint16_t port, const char *login, struct buf *out, struct berm_err *err)
{
	bool ipv6 = strchr(host, ':') != NULL;
	const char *open = ipv6 ? "[" : "", *close = ipv6 ? "]" : "";
	buf_printf(out, "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n", open, host, close, port, open, host, close,
		   port);
	if (login[0] != '\0')
		buf_printf(out, "Proxy-Authorization: %s\r\n", login);
	buf_puts(out, "\r\n");
	return buf_check(out, err);
}

void tunnel_cancel(struct tunnel *tunnel)
{
	loop_remove(&tunnel->source);
	buf_done(&tunnel->bytes);
}

static void finish(struct tunnel *tunnel, enum tunnel_outcome outcome)
{
	tunnel_cancel(tunnel);
	tunnel->done(tunnel, outcome);
}

/* ---- the answer ---------------------------------------------------------------------------------------------------- */

static enum tunnel_outcome judge_answer(struct str head)
{
	static const struct http1_asked asked = {.connect = true};
	struct http1_response response;
	if (http1_read_response(head, &asked, &response, NULL) != BERM_OK)
		return TUNNEL_FAULT;
	return response.head.framing.kind == HTTP1_BODY_TUNNEL ? TUNNEL_DONE : TUNNEL_REFUSED;
}

/* Looks without taking, then takes the head alone. */
static void read_answer(struct tunnel *tunnel, bool ended)
{
	char bytes[ANSWER_MAX];
	struct http1_find find = {0};
	size_t len = 0;
	ssize_t n = recv(tunnel->source.fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || http1_find_head(&find, (struct str){bytes, (size_t)n}, &len, NULL) != BERM_OK ||
	    (len == 0 && (ended || (size_t)n == sizeof(bytes)))) {
		finish(tunnel, TUNNEL_FAULT);
		return;
	}
	if (len == 0)
		return;
	if (recv(tunnel->source.fd, bytes, len, MSG_DONTWAIT) != (ssize_t)len)
		finish(tunnel, TUNNEL_FAULT);
	else
		finish(tunnel, judge_answer((struct str){bytes, len}));
}

/* False: it failed, or is not yet whole. */
static bool send_request(struct tunnel *tunnel)
{
	struct buf *bytes = &tunnel->bytes;
	ssize_t n = send(tunnel->source.fd, bytes->data, bytes->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* A few hundred bytes on a new connection: what does not fit at once never will. */
	if (n != (ssize_t)bytes->len) {
		finish(tunnel, TUNNEL_FAULT);
		return false;
	}
	buf_done(bytes);
	tunnel->sent = true;
	return true;
}

static void tunnel_ready(struct loop_source *source, uint32_t events)
{
	struct tunnel *tunnel = (struct tunnel *)(void *)source; /* its first member */
	if (tunnel->sent || send_request(tunnel))
		read_answer(tunnel, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

/* Edges, since what was looked at stays. */
enum berm_code tunnel_start(struct tunnel *tunnel, struct egress_loop *loop, int fd, struct str request,
			    tunnel_done done, struct berm_err *err)
{
	*tunnel = (struct tunnel){.done = done};
	buf_init(&tunnel->bytes, request.len + 1);
	buf_put_str(&tunnel->bytes, request);
	enum berm_code code = buf_check(&tunnel->bytes, err);
	if (code == BERM_OK)
		code = loop_add(loop, &tunnel->source, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | (uint32_t)EPOLLET,
				tunnel_ready, err);
	if (code != BERM_OK)
		buf_done(&tunnel->bytes);
	return code;
}
