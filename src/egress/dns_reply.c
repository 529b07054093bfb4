#include "egress/dns_reply.h"

#include <string.h>

enum {
	HEADER = 12,
	NAME_MAX_BYTES = 255, /* RFC 1035 2.3.4 */
	LABEL_MAX = 63,
	POINTER = 0xc0,
	CLASS_IN = 1,
};

/* As in a message, without compression, letters in lower case. */
struct wire_name {
	uint8_t bytes[NAME_MAX_BYTES];
	size_t len;
};

/* Reads on from at; failed stays. */
struct reader {
	struct span message;
	size_t at;
	bool failed;
};

static uint8_t lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static struct span take_bytes(struct reader *reader, size_t len)
{
	if (reader->failed || len > reader->message.len - reader->at) {
		reader->failed = true;
		return (struct span){NULL, 0};
	}
	struct span bytes = {reader->message.ptr + reader->at, len};
	reader->at += len;
	return bytes;
}

static uint32_t take_number(struct reader *reader, size_t size)
{
	struct span bytes = take_bytes(reader, size);
	uint32_t number = 0;
	for (size_t i = 0; i < bytes.len; i++)
		number = number << 8 | bytes.ptr[i];
	return number;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool add_label(struct wire_name *name, struct span label)
{
	if (label.len >= sizeof(name->bytes) - name->len)
		return false;
	name->bytes[name->len++] = (uint8_t)label.len;
	for (size_t i = 0; i < label.len; i++)
		name->bytes[name->len++] = lower(label.ptr[i]);
	return true;
}

/* A pointer leads back, in front of the labels that led to it, so there is an end (RFC 1035 4.1.4). */
static void take_name(struct reader *reader, struct wire_name *ret)
{
	struct reader labels = *reader;
	size_t run = reader->at;
	bool jumped = false;
	ret->len = 0;
	for (;;) {
		uint32_t size = take_number(&labels, 1);
		if (size >= POINTER) {
			size_t to = (size & ~(uint32_t)POINTER) << 8 | take_number(&labels, 1);
			reader->at = jumped ? reader->at : labels.at;
			jumped = true;
			labels.failed |= to >= run;
			labels.at = run = to;
		} else if (size > LABEL_MAX || !add_label(ret, take_bytes(&labels, size))) {
			labels.failed = true;
		}
		reader->failed |= labels.failed;
		if (labels.failed || size == 0)
			break;
	}
	reader->at = jumped || reader->failed ? reader->at : labels.at;
}

static bool name_from_text(struct str text, struct wire_name *ret)
{
	struct str label;
	ret->len = 0;
	while (str_next(&text, '.', &label))
		if (label.len == 0 || label.len > LABEL_MAX ||
		    !add_label(ret, (struct span){(const uint8_t *)label.ptr, label.len}))
			return false;
	return ret->len > 0 && add_label(ret, (struct span){NULL, 0});
}

static bool name_equal(const struct wire_name *a, const struct wire_name *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* ---- records ----------------------------------------------------------------------------------------------------- */

static void keep_address(struct dns_reply *reply, struct span data)
{
	struct net_address address;
	if (reply->count == DNS_REPLY_ADDRESSES_MAX || !address_from_bytes(data, &address))
		return;
	for (size_t i = 0; i < reply->count; i++)
		if (address_equal(&reply->addresses[i], &address))
			return;
	reply->addresses[reply->count++] = address;
}

/* name: the one whose records count; after a CNAME, its target. */
static void take_record(struct reader *reader, enum dns_type type, struct wire_name *name, struct dns_reply *reply)
{
	struct wire_name owner;
	take_name(reader, &owner);
	uint32_t what = take_number(reader, 2), class = take_number(reader, 2), ttl = take_number(reader, 4);
	struct reader data = *reader;
	size_t size = take_number(reader, 2);
	data.at += 2;
	struct span bytes = take_bytes(reader, size);
	if (reader->failed || class != CLASS_IN || !name_equal(&owner, name))
		return;
	if (what == DNS_CNAME) {
		take_name(&data, name);
		reader->failed = data.failed || data.at != reader->at;
	} else if (what == type && size == (type == DNS_A ? 4 : 16)) {
		keep_address(reply, bytes);
	} else {
		return;
	}
	if (ttl < reply->ttl)
		reply->ttl = ttl;
}

enum berm_code dns_reply_read(struct span message, struct str name, enum dns_type type, struct dns_reply *ret_reply,
			      struct berm_err *err)
{
	struct reader reader = {.message = message, .at = 4};
	struct dns_reply reply = {.ttl = UINT32_MAX};
	struct wire_name wanted, asked;
	if (message.len < HEADER || !name_from_text(name, &wanted))
		return err_set(err, BERM_ERR_PARSE, "no reply to a question about a name");
	uint32_t questions = take_number(&reader, 2), records = take_number(&reader, 2);
	reader.at = HEADER;
	take_name(&reader, &asked);
	uint32_t asked_type = take_number(&reader, 2), class = take_number(&reader, 2);
	if (reader.failed || questions != 1 || asked_type != type || class != CLASS_IN || !name_equal(&asked, &wanted))
		return err_set(err, BERM_ERR_PARSE, "a reply to another question");
	for (; records > 0 && !reader.failed; records--)
		take_record(&reader, type, &wanted, &reply);
	if (reader.failed)
		return err_set(err, BERM_ERR_PARSE, "a reply that does not hold");
	*ret_reply = reply;
	return BERM_OK;
}
