/*
 * http and https addresses as a filter has to read them: what is refused is refused before anything is sent, and what is
 * accepted has one form, which is judged and sent. RFC 3986 with its normal form (6.2.2), RFC 9110 4.2. Pure, no heap.
 *
 * Authority: HOST[:PORT], the host as format/host.h has it, IPv6 in brackets. Refused: user and password, an empty port,
 * port 0 or with zeros in front, %-escapes.
 *
 * Target: "/path[?query]". Once, and never twice:
 *   - escapes of unreserved characters are decoded, other escapes get upper case; "%25" stays
 *   - repeated slashes become one; "." and ".." are taken out, written or escaped ("%2e"); above "/" is refused
 *   - what RFC 3986 does not have in a path or a query ('"', '<', '[', '{', '|', bytes above 127, ...) becomes an escape
 *   - "%2F" stays, is no slash, and is told (encoded_slash): some servers take it for one, some clients need it ("/@a%2Fb")
 * Refused in the path: control characters, '\', ';' (parameters of a segment: servers differ in what they name), each of
 * them escaped as well; bytes that are not UTF-8 (so no overlong form); a "." or ".." beside a "%2F"; '.', '/' or '\' escaped twice
 * ("%252e"). Refused everywhere:
 * '#', spaces and control characters as such, '%' without two hexadecimal digits. A query may have any byte escaped.
 */
#ifndef BERM_FORMAT_URL_H
#define BERM_FORMAT_URL_H

#include "base/buf.h"
#include "format/host.h"

enum { URL_TARGET_MAX = 8192 }; /* path and query in their one form, with their NUL */

struct url_authority {
	struct host host;
	uint16_t port; /* 0: none is named */
};

struct url_target {
	size_t len, path_len; /* path_len == len: no query; else text[path_len] is '?' */
	bool encoded_slash;   /* the path has a "%2F" */
	char text[URL_TARGET_MAX];
};

enum url_scheme { URL_HTTP = 0, URL_HTTPS };

/* Some 9 KiB: not for a stack that is small. */
struct url {
	enum url_scheme scheme;
	struct url_authority authority;
	struct url_target target;
};

/* Of the three readers: errors are PARSE and LIMIT; what *ret holds after an error means nothing. */
MUST_USE enum berm_code url_authority_parse(struct str text, struct url_authority *ret, struct berm_err *err);
/* text: as in a request line, from the first '/'. */
MUST_USE enum berm_code url_target_parse(struct str text, struct url_target *ret, struct berm_err *err);
/* "http://..." and "https://..." only; a missing path is "/". */
MUST_USE enum berm_code url_parse(struct str text, struct url *ret, struct berm_err *err);

uint16_t url_default_port(enum url_scheme scheme);
/* The port that is named, else the scheme's. */
uint16_t url_port(const struct url *url);
/* Borrowed, without the '?'. */
struct str url_path(const struct url_target *target);
struct str url_query(const struct url_target *target);
/* "host", "host:8080", "[::1]:8080"; the port is left out where it is default_port or 0. */
void url_authority_print(const struct url_authority *authority, uint16_t default_port, struct buf *out);

#endif
