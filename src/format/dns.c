#include "format/dns.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/host.h"

#define HEADER_SIZE 12
#define LABEL_MAX 63
#define NAME_WIRE_MAX 255 /* RFC 1035 2.3.4: with lengths and root */
#define CLASS_IN 1
#define TTL_MAX 0x7fffffffU /* RFC 2181, 8 */

/* RFC 1035 4.1.1 */
#define FLAG_RESPONSE 0x8000U
#define FLAG_TRUNCATED 0x0200U
#define FLAG_RECURSION_DESIRED 0x0100U
#define FLAG_RECURSION_AVAILABLE 0x0080U
#define FLAG_CHECKING_DISABLED 0x0010U /* RFC 4035 3.2.2 */
#define EDNS_DNSSEC_OK 0x8000U	       /* RFC 6891 6.1.4 */
#define OPTION_ERROR 15		       /* RFC 8914, 2 */

/* ---- reading --------------------------------------------------------------------------------------------------- */

/* Over a message, in network order; a read past its end leaves a mark and gives 0. */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static const uint8_t *take_bytes(struct cursor *cursor, size_t len)
{
	if (cursor->bad || cursor->left < len) {
		cursor->bad = true;
		return NULL;
	}
	const uint8_t *at = cursor->at;
	cursor->at += len;
	cursor->left -= len;
	return at;
}

static unsigned take_u8(struct cursor *cursor)
{
	const uint8_t *at = take_bytes(cursor, 1);
	return at == NULL ? 0 : at[0];
}

static uint16_t take_u16(struct cursor *cursor)
{
	const uint8_t *at = take_bytes(cursor, 2);
	unsigned value = at == NULL ? 0 : (unsigned)at[0] << 8 | at[1];
	return (uint16_t)value;
}

/* Letters become small; what no host name has, becomes '?': a '.' inside a label as well, or it would look like two. */
static char canonical(uint8_t byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return (char)(byte - 'A' + 'a');
	bool plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
	return plain ? (char)byte : '?';
}

static void append_label(struct dns_query *query, const uint8_t *label, size_t len)
{
	if (query->name_len > 0)
		query->name[query->name_len++] = '.';
	for (size_t i = 0; i < len; i++)
		query->name[query->name_len++] = canonical(label[i]);
}

/* False: a label of more than 63 bytes, which is how a compressed name looks too, or a name of more than 255. */
static bool read_name(struct cursor *cursor, struct dns_query *query)
{
	size_t wire = 1, len;
	while ((len = take_u8(cursor)) > 0) {
		wire += 1 + len;
		const uint8_t *label = len > LABEL_MAX || wire > NAME_WIRE_MAX ? NULL : take_bytes(cursor, len);
		if (label == NULL)
			return false;
		append_label(query, label, len);
	}
	return !cursor->bad;
}

static bool read_question(struct cursor *cursor, struct dns_query *query)
{
	const uint8_t *start = cursor->at;
	struct host host = {0};
	if (!read_name(cursor, query))
		return false;
	query->type = take_u16(cursor);
	query->class = take_u16(cursor);
	if (cursor->bad)
		return false;
	query->question_len = (uint16_t)(cursor->at - start);
	memcpy(query->question, start, query->question_len);
	query->is_host =
		host_read((struct str){query->name, query->name_len}, false, &host, NULL) && host.kind == HOST_NAME;
	return true;
}

static uint16_t udp_size(uint16_t offered)
{
	return offered < DNS_UDP_MIN ? DNS_UDP_MIN : offered > DNS_UDP_MAX ? DNS_UDP_MAX : offered;
}

/* RFC 6891, 6.1.2. Options (cookies, client subnets, padding) are for others; they only have to be whole. */
static bool read_opt(struct cursor *cursor, struct dns_query *query)
{
	if (take_u8(cursor) != 0 || take_u16(cursor) != DNS_OPT)
		return false;
	uint16_t offered = take_u16(cursor);
	(void)take_u8(cursor);
	unsigned version = take_u8(cursor);
	unsigned flags = take_u16(cursor);
	size_t options_len = take_u16(cursor);
	const uint8_t *options = take_bytes(cursor, options_len);
	struct cursor rest = {options, options_len, options == NULL};
	while (!rest.bad && rest.left > 0) {
		(void)take_u16(&rest);
		(void)take_bytes(&rest, take_u16(&rest));
	}
	if (rest.bad)
		return false;
	query->has_edns = true;
	query->dnssec_ok = (flags & EDNS_DNSSEC_OK) != 0;
	query->udp_size = udp_size(offered);
	query->code = version > 0 ? DNS_BADVERS : query->code;
	return true;
}

/* RFC 6895, 3.1: 128 to 255 are questions and meta types, not data; of them ANY alone is about a name. */
static bool is_refused(const struct dns_query *query)
{
	bool meta = query->type == 0 || query->type == DNS_OPT || (query->type >= 128 && query->type < DNS_ANY);
	return query->class != CLASS_IN || meta;
}

static bool read_sections(struct cursor *cursor, struct dns_query *query)
{
	unsigned questions = take_u16(cursor), answers = take_u16(cursor);
	unsigned authorities = take_u16(cursor), additionals = take_u16(cursor);
	if (questions != 1 || answers != 0 || authorities != 0 || additionals > 1)
		return false;
	if (!read_question(cursor, query))
		return false;
	if (is_refused(query))
		query->code = DNS_REFUSED;
	if (additionals == 1 && !read_opt(cursor, query))
		return false;
	return cursor->left == 0;
}

enum berm_code dns_query_parse(struct span message, struct dns_query *ret_query, struct berm_err *err)
{
	struct cursor cursor = {message.ptr, message.len, false};
	if (message.len > DNS_QUERY_MAX)
		return err_set(err, BERM_ERR_LIMIT, "a DNS query of %zu bytes", message.len);
	if (message.len < HEADER_SIZE)
		return err_set(err, BERM_ERR_PARSE, "a DNS message of %zu bytes", message.len);
	struct dns_query query = {.id = take_u16(&cursor), .udp_size = DNS_UDP_MIN};
	unsigned flags = take_u16(&cursor);
	if ((flags & FLAG_RESPONSE) != 0)
		return err_set(err, BERM_ERR_PARSE, "a DNS response where a query is expected");
	query.opcode = flags >> 11 & 0xf;
	query.recursion_desired = (flags & FLAG_RECURSION_DESIRED) != 0;
	query.checking_disabled = (flags & FLAG_CHECKING_DISABLED) != 0;
	if (query.opcode != 0)
		query.code = DNS_NOTIMP;
	else if ((flags & FLAG_TRUNCATED) != 0 || !read_sections(&cursor, &query))
		query.code = DNS_FORMERR;
	*ret_query = query;
	return BERM_OK;
}

/* ---- writing --------------------------------------------------------------------------------------------------- */

/* Room is never short: DNS_RESPONSE_SIZE is more than the longest of everything. */
struct writer {
	uint8_t *bytes;
	size_t len;
};

static void put_u8(struct writer *writer, unsigned value)
{
	writer->bytes[writer->len++] = (uint8_t)value;
}

static void put_u16(struct writer *writer, unsigned value)
{
	put_u8(writer, value >> 8 & 0xff);
	put_u8(writer, value & 0xff);
}

static void put_u32(struct writer *writer, uint32_t value)
{
	put_u16(writer, value >> 16);
	put_u16(writer, value & 0xffff);
}

static void put_bytes(struct writer *writer, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(writer->bytes + writer->len, bytes, len);
	writer->len += len;
}

/* What is left out of a response that is too long, step by step. */
enum shape { WHOLE = 0, WITHOUT_TEXT, TRUNCATED };

struct response {
	const struct dns_query *query;
	const struct dns_answer *answer;
	enum dns_code code;
	enum shape shape;
	size_t address_count; /* of the family asked for */
	bool has_pointer;
};

static enum net_family wanted_family(const struct dns_query *query)
{
	return query->type == DNS_A ? NET_IPV4 : query->type == DNS_AAAA ? NET_IPV6 : NET_NONE;
}

static bool is_sent(const struct response *response, const struct net_address *address)
{
	return address->family != NET_NONE && address->family == wanted_family(response->query);
}

static size_t count_addresses(const struct response *response)
{
	size_t count = 0;
	if (response->code != DNS_NOERROR)
		return 0;
	for (size_t i = 0; i < response->answer->address_count && count < DNS_ADDRESSES_MAX; i++)
		count += is_sent(response, &response->answer->addresses[i]);
	return count;
}

/* Nothing of this name or type: how long that holds is told by a SOA (RFC 2308, 3). */
static bool has_soa(const struct response *response)
{
	bool negative = response->code == DNS_NXDOMAIN || response->code == DNS_NOERROR;
	bool empty = response->address_count == 0 && !response->has_pointer;
	return negative && empty && response->shape != TRUNCATED;
}

static void put_header(struct writer *writer, const struct response *response)
{
	const struct dns_query *query = response->query;
	unsigned flags = FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE | (unsigned)query->opcode << 11;
	flags |= (unsigned)response->code & 0xf;
	flags |= query->recursion_desired ? FLAG_RECURSION_DESIRED : 0;
	flags |= query->checking_disabled ? FLAG_CHECKING_DISABLED : 0;
	flags |= response->shape == TRUNCATED ? FLAG_TRUNCATED : 0;
	put_u16(writer, query->id);
	put_u16(writer, flags);
	put_u16(writer, query->question_len > 0);
	put_u16(writer, response->shape == TRUNCATED ? 0 : (unsigned)response->address_count + response->has_pointer);
	put_u16(writer, has_soa(response));
	put_u16(writer, query->has_edns);
}

static uint32_t ttl_of(const struct response *response)
{
	return response->answer->ttl < TTL_MAX ? response->answer->ttl : TTL_MAX;
}

static void put_record(struct writer *writer, const struct response *response, size_t size)
{
	put_u16(writer, 0xc000 | HEADER_SIZE); /* the name of the question */
	put_u16(writer, response->query->type);
	put_u16(writer, CLASS_IN);
	put_u32(writer, ttl_of(response));
	put_u16(writer, (unsigned)size);
}

static void put_addresses(struct writer *writer, const struct response *response)
{
	const struct net_address *address = response->answer->addresses;
	for (size_t left = response->address_count; left > 0; address++) {
		if (!is_sent(response, address))
			continue;
		put_record(writer, response, address_size(address));
		put_bytes(writer, address->bytes, address_size(address));
		left--;
	}
}

static void put_pointer(struct writer *writer, const struct response *response)
{
	struct str rest = str_from(response->answer->pointer), label;
	put_record(writer, response,
		   rest.len + 2); /* a length for each label and the end, where dots and nothing were */
	while (str_next(&rest, '.', &label)) {
		put_u8(writer, (unsigned)label.len);
		put_bytes(writer, label.ptr, label.len);
	}
	put_u8(writer, 0);
}

/* Of the root, as every name is below it; without a server or a mailbox, of which there are none. */
static void put_soa(struct writer *writer, const struct response *response)
{
	static const uint32_t serial_to_expire[] = {1, 3600, 600, 86400};
	put_u8(writer, 0);
	put_u16(writer, DNS_SOA);
	put_u16(writer, CLASS_IN);
	put_u32(writer, ttl_of(response));
	put_u16(writer, 2 + 5 * 4);
	put_u16(writer, 0);
	for (size_t i = 0; i < ARRAY_LEN(serial_to_expire); i++)
		put_u32(writer, serial_to_expire[i]);
	put_u32(writer, ttl_of(response));
}

static size_t reason_text_len(const struct response *response)
{
	const char *text = response->answer->reason_text;
	return text == NULL || response->shape != WHOLE ? 0 : strnlen(text, DNS_REASON_TEXT_MAX);
}

static void put_opt(struct writer *writer, const struct response *response)
{
	const struct dns_answer *answer = response->answer;
	size_t text_len = reason_text_len(response);
	bool has_reason = answer->reason != DNS_NO_REASON && response->shape != TRUNCATED;
	put_u8(writer, 0);
	put_u16(writer, DNS_OPT);
	put_u16(writer, DNS_UDP_MAX);
	put_u8(writer, (unsigned)response->code >> 4);
	put_u8(writer, 0);
	put_u16(writer, response->query->dnssec_ok ? EDNS_DNSSEC_OK : 0);
	put_u16(writer, has_reason ? 6 + (unsigned)text_len : 0);
	if (!has_reason)
		return;
	put_u16(writer, OPTION_ERROR);
	put_u16(writer, 2 + (unsigned)text_len);
	put_u16(writer, (unsigned)answer->reason);
	put_bytes(writer, answer->reason_text, text_len);
}

static size_t put_response(struct writer writer, const struct response *response)
{
	size_t start = writer.len;
	put_header(&writer, response);
	put_bytes(&writer, response->query->question, response->query->question_len);
	if (response->shape != TRUNCATED)
		put_addresses(&writer, response);
	if (response->has_pointer && response->shape != TRUNCATED)
		put_pointer(&writer, response);
	if (has_soa(response))
		put_soa(&writer, response);
	if (response->query->has_edns)
		put_opt(&writer, response);
	return writer.len - start;
}

size_t dns_respond(const struct dns_query *query, const struct dns_answer *answer, enum dns_transport transport,
		   uint8_t ret_bytes[DNS_RESPONSE_SIZE])
{
	size_t frame = transport == DNS_TCP ? DNS_FRAME_SIZE : 0;
	size_t max = transport == DNS_TCP ? DNS_RESPONSE_SIZE - DNS_FRAME_SIZE : query->udp_size;
	struct response response = {.query = query, .answer = answer};
	response.code = query->code != DNS_NOERROR ? query->code : answer->code;
	response.address_count = count_addresses(&response);
	response.has_pointer = response.code == DNS_NOERROR && query->type == DNS_PTR && answer->pointer != NULL;
	struct writer writer = {.len = frame};
	writer.bytes = ret_bytes;
	size_t len = put_response(writer, &response);
	while (len > max && response.shape != TRUNCATED) {
		response.shape++;
		len = put_response(writer, &response);
	}
	writer.len = 0;
	if (frame > 0)
		put_u16(&writer, (unsigned)len);
	return frame + len;
}

/* ---- framing, names of types ----------------------------------------------------------------------------------- */

enum berm_code dns_frame_next(struct span bytes, struct span *ret_message, size_t *ret_taken, struct berm_err *err)
{
	*ret_taken = 0;
	if (bytes.len < DNS_FRAME_SIZE)
		return BERM_OK;
	size_t len = (size_t)bytes.ptr[0] << 8 | bytes.ptr[1];
	if (len > DNS_QUERY_MAX)
		return err_set(err, BERM_ERR_LIMIT, "a DNS query of %zu bytes", len);
	if (len < HEADER_SIZE)
		return err_set(err, BERM_ERR_PARSE, "a DNS message of %zu bytes", len);
	if (bytes.len - DNS_FRAME_SIZE < len)
		return BERM_OK;
	*ret_message = (struct span){bytes.ptr + DNS_FRAME_SIZE, len};
	*ret_taken = DNS_FRAME_SIZE + len;
	return BERM_OK;
}

static const struct {
	uint16_t type;
	const char *text;
} type_texts[] = {
	{DNS_A, "A"},	    {DNS_NS, "NS"},	  {DNS_CNAME, "CNAME"}, {DNS_SOA, "SOA"},   {DNS_PTR, "PTR"},
	{DNS_MX, "MX"},	    {DNS_TXT, "TXT"},	  {DNS_AAAA, "AAAA"},	{DNS_SRV, "SRV"},   {DNS_OPT, "OPT"},
	{DNS_SVCB, "SVCB"}, {DNS_HTTPS, "HTTPS"}, {DNS_IXFR, "IXFR"},	{DNS_AXFR, "AXFR"}, {DNS_ANY, "ANY"},
};

const char *dns_type_text(uint16_t type, char ret_text[16])
{
	for (size_t i = 0; i < ARRAY_LEN(type_texts); i++)
		if (type_texts[i].type == type)
			return type_texts[i].text;
	(void)snprintf(ret_text, 16, "TYPE%u", (unsigned)type);
	return ret_text;
}
