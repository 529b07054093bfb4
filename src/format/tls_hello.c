#include "format/tls_hello.h"

#include <string.h>

#include "format/host.h"

/* RFC 8446 4 and 5.1, RFC 6066 3, RFC 7301 3.1, RFC 8701 */
enum {
	RECORD_HANDSHAKE = 22,
	RECORD_HEAD = 5,
	RECORD_MAX = 16384,
	MESSAGE_HELLO = 1,
	MESSAGE_HEAD = 4,
	MAJOR = 3,
	TLS_1_0 = 0x0301,
	TLS_1_2 = 0x0303,
	TLS_1_3 = 0x0304,
	RANDOM_SIZE = 32,
	SESSION_MAX = 32,
	NAME_IS_HOST = 0,
	EXTENSIONS_MAX = 64,
};

/* ---- records ----------------------------------------------------------------------------------------------------- */

/* A stream of records, as far as it has come. */
struct records {
	struct span bytes;
	size_t at;	/* end of the records that were walked */
	size_t count;	/* of them */
	size_t message; /* bytes of the message in them */
	uint8_t head[MESSAGE_HEAD];
};

static enum tls_hello_status bad(struct berm_err *err, const char *why)
{
	(void)err_set(err, BERM_ERR_PARSE, "tls hello: %s", why);
	return TLS_HELLO_BAD;
}

static size_t u16_at(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* By the first bytes; OK: it is TLS as far as can be seen. */
static enum tls_hello_status look_at_start(struct span bytes, struct berm_err *err)
{
	if (bytes.len < 3)
		return bytes.len == 0 || bytes.ptr[0] == RECORD_HANDSHAKE || bytes.ptr[0] >= 0x80 ? TLS_HELLO_NEED_MORE
												  : TLS_HELLO_NOT_TLS;
	if (bytes.ptr[0] == RECORD_HANDSHAKE)
		return bytes.ptr[1] == MAJOR ? TLS_HELLO_OK : bad(err, "version of a record");
	/* SSL 2: a length with the first bit set, message 1, version 2 or 3.x (RFC 5246 E.2) */
	if (bytes.ptr[0] < 0x80 || bytes.ptr[2] != MESSAGE_HELLO)
		return TLS_HELLO_NOT_TLS;
	if (bytes.len < 5)
		return TLS_HELLO_NEED_MORE;
	bool version = bytes.ptr[3] == MAJOR || (bytes.ptr[3] == 0 && bytes.ptr[4] == 2);
	return version ? bad(err, "SSL 2") : TLS_HELLO_NOT_TLS;
}

/* Keeps the first bytes of the message. */
static void keep_head(struct records *r, const uint8_t *fragment, size_t len)
{
	for (size_t i = 0; i < len && r->message + i < MESSAGE_HEAD; i++)
		r->head[r->message + i] = fragment[i];
}

/* One record; OK: it is whole. */
static enum tls_hello_status walk_record(struct records *r, struct berm_err *err)
{
	size_t left = r->bytes.len - r->at;
	const uint8_t *record = r->bytes.ptr + r->at;
	if (r->count == TLS_HELLO_RECORDS)
		return bad(err, "too many records");
	if (left > 0 && record[0] != RECORD_HANDSHAKE)
		return bad(err, "a record that is no handshake");
	if (left > 1 && record[1] != MAJOR)
		return bad(err, "version of a record");
	if (left < RECORD_HEAD)
		return TLS_HELLO_NEED_MORE;
	size_t len = u16_at(record + 3);
	if (len == 0 || len > RECORD_MAX || r->at + RECORD_HEAD + len > TLS_HELLO_MAX)
		return bad(err, "length of a record");
	size_t there = left - RECORD_HEAD < len ? left - RECORD_HEAD : len;
	keep_head(r, record + RECORD_HEAD, there);
	if (r->message == 0 && there > 0 && r->head[0] != MESSAGE_HELLO)
		return bad(err, "another message");
	if (there < len)
		return TLS_HELLO_NEED_MORE;
	r->at += RECORD_HEAD + len;
	r->message += len;
	r->count++;
	return TLS_HELLO_OK;
}

/* OK: the message is whole, and nothing stands behind it in its last record. */
static enum tls_hello_status walk_records(struct records *r, size_t *ret_len, struct berm_err *err)
{
	for (;;) {
		enum tls_hello_status status = walk_record(r, err);
		if (status != TLS_HELLO_OK)
			return status;
		if (r->message < MESSAGE_HEAD)
			continue;
		size_t len = (size_t)r->head[1] << 16 | u16_at(r->head + 2);
		if (len > TLS_HELLO_MAX)
			return bad(err, "too long");
		if (r->message > MESSAGE_HEAD + len)
			return bad(err, "bytes behind the message");
		*ret_len = len;
		if (r->message == MESSAGE_HEAD + len)
			return TLS_HELLO_OK;
	}
}

/* ---- the message ------------------------------------------------------------------------------------------------- */

/* Reads the message across its records, all of which are there. What is read past left is 0, and a mistake. */
struct reader {
	const uint8_t *at;
	size_t record; /* bytes left of the record */
	size_t left;   /* of the part that is being read */
	bool failed;
};

static uint8_t read_u8(struct reader *r)
{
	if (r->failed || r->left == 0) {
		r->failed = true;
		return 0;
	}
	if (r->record == 0) {
		r->record = u16_at(r->at + 3);
		r->at += RECORD_HEAD;
	}
	r->record--;
	r->left--;
	return *r->at++;
}

static uint16_t read_u16(struct reader *r)
{
	unsigned high = read_u8(r);
	return (uint16_t)(high << 8 | read_u8(r));
}

static void skip(struct reader *r, size_t len)
{
	if (len > r->left)
		r->failed = true;
	for (size_t i = 0; i < len && !r->failed; i++)
		(void)read_u8(r);
}

/* Reading is held to a part of len bytes; what is left outside it comes back with leave. */
static size_t enter(struct reader *r, size_t len)
{
	size_t outside = r->left - len;
	r->failed |= len > r->left;
	r->left = r->failed ? 0 : len;
	return r->failed ? 0 : outside;
}

/* The part has to be used up. */
static void leave(struct reader *r, size_t outside)
{
	r->failed |= r->left > 0;
	r->left = outside;
}

static bool is_grease(uint16_t value)
{
	return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

/* RFC 6066 3: no address, no dot at the end. */
static bool take_name(const char *text, size_t len, struct tls_hello *ret)
{
	struct host host;
	if (len == 0 || text[len - 1] == '.' || !host_read((struct str){text, len}, false, &host, NULL) ||
	    host.kind != HOST_NAME)
		return false;
	memcpy(ret->name, host.name, sizeof host.name);
	return true;
}

/* One name of type host_name, and no other. */
static void read_name(struct reader *r, struct tls_hello *ret)
{
	char text[TLS_NAME_MAX];
	size_t outside = enter(r, read_u16(r));
	r->failed |= read_u8(r) != NAME_IS_HOST;
	size_t len = read_u16(r);
	r->failed |= len != r->left || len >= sizeof text;
	for (size_t i = 0; i < len && !r->failed; i++)
		text[i] = (char)read_u8(r);
	r->failed = r->failed || !take_name(text, len, ret);
	leave(r, outside);
}

static void read_alpn(struct reader *r, struct tls_hello *ret)
{
	size_t outside = enter(r, read_u16(r));
	r->failed |= r->left == 0 || r->left > sizeof ret->alpn;
	while (r->left > 0 && !r->failed) {
		uint8_t len = read_u8(r);
		r->failed |= len == 0 || len > r->left;
		ret->alpn[ret->alpn_len++] = len;
		for (size_t i = 0; i < len && !r->failed; i++)
			ret->alpn[ret->alpn_len++] = read_u8(r);
	}
	leave(r, outside);
}

static void read_versions(struct reader *r, struct tls_hello *ret)
{
	size_t outside = enter(r, read_u8(r));
	ret->min_version = UINT16_MAX;
	ret->max_version = 0;
	r->failed |= r->left == 0;
	while (r->left > 0 && !r->failed) {
		uint16_t version = read_u16(r);
		if (is_grease(version) || version < TLS_1_0 || version > TLS_1_3)
			continue;
		ret->min_version = version < ret->min_version ? version : ret->min_version;
		ret->max_version = version > ret->max_version ? version : ret->max_version;
	}
	r->failed |= ret->max_version == 0;
	leave(r, outside);
}

static void read_ech(struct reader *r, struct tls_hello *ret)
{
	uint8_t type = read_u8(r);
	r->failed |= type > 1;
	ret->ech = type == 0 ? TLS_ECH_OUTER : TLS_ECH_INNER;
	skip(r, r->left);
}

static void read_esni(struct reader *r, struct tls_hello *ret)
{
	ret->esni = true;
	skip(r, r->left);
}

static void read_early(struct reader *r, struct tls_hello *ret)
{
	(void)r; /* it is empty */
	ret->early_data = true;
}

static const struct {
	uint16_t type;
	void (*read)(struct reader *r, struct tls_hello *ret);
} known[] = {
	{0, read_name}, {16, read_alpn}, {42, read_early}, {43, read_versions}, {0xfe0d, read_ech}, {0xffce, read_esni},
};

static void read_extension(struct reader *r, uint16_t type, struct tls_hello *ret)
{
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (known[i].type == type) {
			known[i].read(r, ret);
			return;
		}
	}
	skip(r, r->left);
}

static bool is_among(const uint16_t *types, size_t count, uint16_t type)
{
	for (size_t i = 0; i < count; i++)
		if (types[i] == type)
			return true;
	return false;
}

static void read_extensions(struct reader *r, struct tls_hello *ret)
{
	uint16_t types[EXTENSIONS_MAX];
	size_t count = 0;
	r->failed |= read_u16(r) != r->left;
	while (r->left > 0 && !r->failed) {
		uint16_t type = read_u16(r);
		size_t outside = enter(r, read_u16(r));
		r->failed |= count == EXTENSIONS_MAX || is_among(types, count, type);
		if (r->failed)
			return;
		types[count++] = type;
		read_extension(r, type, ret);
		leave(r, outside);
	}
}

/* RFC 8446 4.1.2; RFC 5246 7.4.1.2 */
static void read_message(struct reader *r, struct tls_hello *ret)
{
	uint16_t version = read_u16(r);
	r->failed |= version < TLS_1_0 || version >> 8 != MAJOR;
	ret->min_version = TLS_1_0;
	ret->max_version = version < TLS_1_2 ? version : TLS_1_2;
	skip(r, RANDOM_SIZE);
	uint8_t session = read_u8(r);
	r->failed |= session > SESSION_MAX;
	skip(r, session);
	uint16_t ciphers = read_u16(r);
	r->failed |= ciphers == 0 || ciphers % 2 != 0;
	skip(r, ciphers);
	uint8_t methods = read_u8(r);
	r->failed |= methods == 0;
	skip(r, methods);
	if (r->left > 0 && !r->failed)
		read_extensions(r, ret);
}

enum tls_hello_status tls_hello_read(struct span bytes, struct tls_hello *ret, struct berm_err *err)
{
	struct records records = {.bytes = bytes};
	struct tls_hello hello = {.size = 0};
	size_t len = 0;
	enum tls_hello_status status = look_at_start(bytes, err);
	if (status == TLS_HELLO_OK)
		status = walk_records(&records, &len, err);
	if (status != TLS_HELLO_OK)
		return status;
	struct reader reader = {.at = bytes.ptr, .record = 0, .left = MESSAGE_HEAD + len};
	skip(&reader, MESSAGE_HEAD);
	read_message(&reader, &hello);
	if (reader.failed || reader.left > 0)
		return bad(err, "lengths, a server name or a list that cannot be");
	hello.size = records.at;
	*ret = hello;
	return TLS_HELLO_OK;
}

/* ---- what it offers ---------------------------------------------------------------------------------------------- */

bool tls_hello_alpn(const struct tls_hello *hello, size_t *at, struct str *ret_protocol)
{
	if (*at >= hello->alpn_len)
		return false;
	size_t len = hello->alpn[*at];
	*ret_protocol = (struct str){(const char *)hello->alpn + *at + 1, len};
	*at += 1 + len;
	return true;
}

bool tls_hello_offers(const struct tls_hello *hello, struct str protocol)
{
	struct str offered = {"", 0};
	for (size_t at = 0; tls_hello_alpn(hello, &at, &offered);)
		if (str_eq(offered, protocol))
			return true;
	return false;
}
