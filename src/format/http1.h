/*
 * HTTP/1.0 and 1.1 messages for a filter that forwards (RFC 9110, 9112). Whatever two programs could read in two ways is
 * refused, and nothing is passed on as it came: a head is read into a struct and written anew from it, so that the form
 * that is judged is the form that is sent. Pure, no heap but the caller's output buffer.
 *
 *   bytes -> http1_find_head -> http1_read_request -> (the policy judges) -> http1_print_request -> upstream
 *                                    \-> http1_body_start, http1_body_step -> payload -> http1_print_chunk_head ...
 *
 * Refused in a head (RFC 9112 2.2, 3, 5, 6; RFC 9110 5.5, 7.2): lines that do not end with CRLF, a CR or NUL anywhere else,
 * control characters, empty lines and spaces in front, folded lines, spaces in or behind a field name, names that are no
 * token; versions but 1.0 and 1.1 (so HTTP/0.9 and the preface of HTTP/2); methods with anything but 'A' to 'Z' and '-';
 * Transfer-Encoding and Content-Length together, more than one of either, lengths that are not digits, a tab beside either, any coding but
 * "chunked", Transfer-Encoding in 1.0; Host twice, missing in 1.1, or another than the target's; Connection that lists Host,
 * Content-Length or Transfer-Encoding; names that are one of the last two with '_' for '-'; more than HTTP1_FIELDS_MAX fields
 * or HTTP1_HEAD_MAX bytes. Targets: see format/url.h.
 *
 * HTTP/1.0 messages never keep their connection. A "101" is only for a websocket that was asked for.
 */
#ifndef BERM_FORMAT_HTTP1_H
#define BERM_FORMAT_HTTP1_H

#include "format/url.h"

enum {
	HTTP1_HEAD_MAX = 32768, /* from the first byte to the empty line */
	HTTP1_FIELDS_MAX = 100,
	HTTP1_METHOD_MAX = 24,
};

/* ---- heads ------------------------------------------------------------------------------------------------------- */

/* Zero it before the first byte of a head. */
struct http1_find {
	size_t seen; /* bytes that were looked at */
	char last;   /* the byte in front of them */
	bool empty;  /* the line so far has no byte */
};

/* How long is the head that bytes begins with? bytes: all that came since the head began; each byte is looked at once, over
 * all calls. *ret_len: its length with the empty line, 0: more is needed. What cannot become a head is refused at once.
 * Errors: PARSE, LIMIT. */
MUST_USE enum berm_code http1_find_head(struct http1_find *find, struct str bytes, size_t *ret_len,
					struct berm_err *err);

/* Both borrowed from the head that was read; no spaces around a value. */
struct http1_field {
	struct str name, value;
};

enum http1_body_kind {
	HTTP1_BODY_NONE = 0,
	HTTP1_BODY_LENGTH,
	HTTP1_BODY_CHUNKED,
	HTTP1_BODY_CLOSE,  /* a response that ends with its connection */
	HTTP1_BODY_TUNNEL, /* what follows is no HTTP: CONNECT or a websocket was accepted */
};

struct http1_framing {
	enum http1_body_kind kind;
	uint64_t length; /* LENGTH; of a response that has no body (HEAD, 304): as told, if told */
	bool length_told;
};

enum http1_upgrade {
	HTTP1_UPGRADE_NONE = 0,
	HTTP1_UPGRADE_WEBSOCKET, /* GET, 1.1, no body, "Upgrade: websocket" alone */
	HTTP1_UPGRADE_OTHER,	 /* h2c for example; never passed on */
};

/* What both kinds of message have. Fields are in the order of the head, all of them. */
struct http1_head {
	uint8_t minor; /* HTTP/1.minor */
	bool close;    /* the connection ends behind this message */
	enum http1_upgrade upgrade;
	struct http1_framing framing;
	size_t field_count;
	struct http1_field fields[HTTP1_FIELDS_MAX];
};

enum http1_form {
	HTTP1_ORIGIN = 0, /* "/path?query" */
	HTTP1_ABSOLUTE,	  /* "http://host/path": sent to a proxy */
	HTTP1_AUTHORITY,  /* "host:port", with CONNECT and nothing else */
	HTTP1_ASTERISK,	  /* "*", with OPTIONS and nothing else */
};

/* Some 13 KiB; one for a thread is enough, since it is used up before the next head is read. */
struct http1_request {
	struct http1_head head;
	struct str method, raw_target; /* borrowed */
	enum http1_form form;
	bool has_host; /* false only in HTTP/1.0: url.authority is empty then, and the caller sets it before printing */
	bool expect_continue; /* "Expect: 100-continue", RFC 9110 10.1.1 */
	bool overrides; /* a field by which some servers take another method or path: X-HTTP-Method-Override, ... */
	/* Scheme: of an absolute form, else URL_HTTP, which the caller changes inside TLS. Authority: of the target, else of
	 * Host. Port 0: the scheme's (url_port); CONNECT always names one. Target: "*" of an asterisk form; empty of CONNECT. */
	struct url url;
};

struct http1_response {
	struct http1_head head;
	uint16_t status;   /* 100 to 599 */
	struct str reason; /* borrowed; may be empty */
};

/* What a response answers: how long it is depends on that (RFC 9112 6.3). */
struct http1_asked {
	bool head;	/* HEAD */
	bool connect;	/* CONNECT */
	bool websocket; /* the request was printed with keep_websocket */
};

/* head: exactly what http1_find_head measured. The struct borrows from it. Errors: PARSE, LIMIT, UNSUPPORTED (a version or
 * a coding); what *ret holds after an error means nothing. */
MUST_USE enum berm_code http1_read_request(struct str head, struct http1_request *ret, struct berm_err *err);
MUST_USE enum berm_code http1_read_response(struct str head, const struct http1_asked *asked,
					    struct http1_response *ret, struct berm_err *err);
/* The status with which a request is answered that ended with this error: 400, 431, 501. */
uint16_t http1_status_of(enum berm_code code);
/* Letters, digits and the signs that a name of a field may have (RFC 9110 5.6.2); not empty. */
bool http1_is_token(struct str text);
/* The first field of that name, in any case; NULL: there is none. */
const struct http1_field *http1_find_field(const struct http1_head *head, struct str name);
/* Has the field (each of that name) this word in its list? Both in any case. */
bool http1_lists(const struct http1_head *head, struct str name, struct str word);
/* Is it for one connection only (RFC 9110 7.6.1): Connection and what it lists, Keep-Alive, Proxy-*, TE, Trailer, Upgrade,
 * Transfer-Encoding, HTTP2-Settings? */
bool http1_is_hop_field(const struct http1_head *head, const struct http1_field *field);

/* ---- heads, written ---------------------------------------------------------------------------------------------- */

struct http1_print {
	bool absolute;	     /* the next one is a proxy: "http://host/path" */
	bool close;	     /* "Connection: close" */
	bool keep_websocket; /* a websocket's Upgrade is passed on; no other ever is */
	/* Put behind the other fields; a field of the head with such a name is left out. Not Host, not framing. */
	const struct http1_field *add;
	size_t add_count;
};

/* As HTTP/1.1: the method, the one form of the target, one Host, one framing field, fields that are not for one connection.
 * Errors: INVALID (CONNECT, no host, a field to add that cannot be), LIMIT, NOMEM. */
MUST_USE enum berm_code http1_print_request(const struct http1_request *request, const struct http1_print *how,
					    struct buf *out, struct berm_err *err);
/* The framing that a response gets on its way to a client of HTTP/1.client_minor: CHUNKED becomes CLOSE for 1.0. */
struct http1_framing http1_response_framing(const struct http1_response *response, uint8_t client_minor);
/* The same with that framing; "Connection: close" also where it is needed for that. */
MUST_USE enum berm_code http1_print_response(const struct http1_response *response, uint8_t client_minor,
					     const struct http1_print *how, struct buf *out, struct berm_err *err);

/* ---- bodies ------------------------------------------------------------------------------------------------------ */

enum {
	HTTP1_CHUNK_LINE_MAX = 1024,  /* a size and its extensions */
	HTTP1_EXTENSIONS_MAX = 16384, /* extensions of a body, all together */
	HTTP1_TRAILERS_MAX = 8192,    /* bytes of trailer fields */
	HTTP1_CHUNK_HEAD_MAX = 20,
};

/* Filled by http1_body_start; the rest is the module's. */
struct http1_body {
	enum http1_body_kind kind;
	bool done;
	uint64_t left; /* of the body (LENGTH) or the chunk */
	uint8_t state, digits, spells;
	uint32_t spelled, line, extensions, trailers;
};

struct http1_piece {
	size_t used;	  /* bytes of the input that were taken; the payload is among them */
	struct span data; /* payload, borrowed from the input; may be empty */
	bool done;	  /* the body ends here; the next byte belongs to the next message */
};

void http1_body_start(struct http1_body *body, const struct http1_framing *framing);
/* Takes from the front of bytes up to the end of one run of payload. Until done, call again with what is left of the input;
 * used == 0 and not done: nothing of what is there can be taken, more is needed. Extensions (without spaces) and trailers are looked at and
 * left out. TUNNEL is done at once. Errors: PARSE, LIMIT; the connection is of no further use then. */
MUST_USE enum berm_code http1_body_step(struct http1_body *body, struct span bytes, struct http1_piece *ret,
					struct berm_err *err);
/* The connection ended: was the body whole? PARSE: it was cut off, and must not be passed on as if it were whole. */
MUST_USE enum berm_code http1_body_end(const struct http1_body *body, struct berm_err *err);
/* "1f\r\n" in front of len > 0 bytes of payload; "\r\n" stands behind them, and "0\r\n\r\n" behind the last. */
size_t http1_print_chunk_head(char ret[static HTTP1_CHUNK_HEAD_MAX], size_t len);

#endif
