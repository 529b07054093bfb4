/*
 * The first message of a TLS client (ClientHello, RFC 8446 4.1.2), read from the first bytes of a stream for a filter that
 * does not decrypt: which server is named, and what hides a name. Nothing else of TLS is here. Strict, bounded, no heap.
 *
 * A hello may lie in several records; at most TLS_HELLO_MAX bytes and TLS_HELLO_RECORDS records are looked at. Refused (BAD): another
 * message or a record that is no handshake, an empty record, versions of records that do not begin with 3, lengths that do
 * not agree, extensions twice, a server name that is not one name as format/host.h has it (so no address), or has a dot at the
 * end), a list of protocols that is empty or has an empty one, SSL 2 hellos (RFC 6176), bytes behind the message in its
 * last record. Missing extensions are no mistake: TLS 1.0 to 1.2 hellos may have none.
 *
 * ECH (extension 0xfe0d): clients put a real one where a DNS answer (HTTPS record) told them a key, else many put bytes at
 * random there (GREASE); without the server's key nobody can tell the two apart, that is their purpose. So `ech` says only
 * that the true name may be another than `name`. A filter which answers DNS itself and leaves the keys out makes honest
 * clients send GREASE only; a hostile one can have the key from elsewhere, and then `name` is the front of another server
 * at the same address. It cannot be cut out either: the handshake is signed over it. Rule of the caller: refuse, or accept
 * with that known.
 *
 * A server may ask for a second hello (HelloRetryRequest). The name in it has to be the same (RFC 8446 4.1.2), but whether a
 * server minds is its own affair: a filter that must be sure reads that one as well, it is in clear text.
 */
#ifndef BERM_FORMAT_TLS_HELLO_H
#define BERM_FORMAT_TLS_HELLO_H

#include "base/str.h"

enum {
	TLS_HELLO_MAX = 17408, /* bytes of the stream: 16 KiB and what the records need */
	TLS_HELLO_RECORDS = 32,
	TLS_NAME_MAX = 254, /* with its NUL */
	TLS_ALPN_MAX = 256, /* bytes of all names, as they are on the wire */
};

enum tls_hello_status {
	TLS_HELLO_BAD = 0, /* TLS, but not such that it may pass */
	TLS_HELLO_NEED_MORE,
	TLS_HELLO_NOT_TLS,
	TLS_HELLO_OK,
};

enum tls_ech {
	TLS_ECH_NONE = 0,
	TLS_ECH_OUTER, /* real or GREASE */
	TLS_ECH_INNER, /* only a server behind another may see this one: refuse */
};

struct tls_hello {
	size_t size;		 /* bytes of the stream that the hello has, with its records */
	char name[TLS_NAME_MAX]; /* in lower case; "": no server is named */
	enum tls_ech ech;
	bool esni;	      /* the older drafts' extension 0xffce */
	bool early_data;      /* the client sends data at once, before any answer */
	uint16_t min_version; /* of those that it offers, without GREASE: 0x0301 to 0x0304 */
	uint16_t max_version;
	size_t alpn_len;	    /* 0: no protocol is named */
	uint8_t alpn[TLS_ALPN_MAX]; /* a length byte and a name each */
};

/* bytes: the stream from its first byte. NEED_MORE: call again with more; the work for one call is bounded, however the
 * bytes come. NOT_TLS is told by the first three bytes. *ret is set with OK alone; err tells what is BAD. */
MUST_USE enum tls_hello_status tls_hello_read(struct span bytes, struct tls_hello *ret, struct berm_err *err);
/* Takes the next protocol off: false when there is none. *at: 0 at first. */
bool tls_hello_alpn(const struct tls_hello *hello, size_t *at, struct str *ret_protocol);
/* Is the protocol among those named? */
bool tls_hello_offers(const struct tls_hello *hello, struct str protocol);

#endif
