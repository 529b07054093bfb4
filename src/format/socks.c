#include "format/socks.h"

#include <string.h>

#define VERSION 5
#define VERSION_4 4
#define LOGIN_VERSION 1 /* RFC 1929 */
#define METHOD_NONE 0
#define METHOD_LOGIN 2
#define METHOD_NO_OTHER 0xff
#define COMMAND_CONNECT 1
#define SOCKS4_REJECTED 91

enum address_type { TYPE_IPV4 = 1, TYPE_NAME = 3, TYPE_IPV6 = 4 };

void socks_init(struct socks *socks, bool ask_login)
{
	*socks = (struct socks){.ask_login = ask_login};
}

static void set_reply(struct socks *socks, const uint8_t *bytes, size_t len)
{
	memcpy(socks->reply, bytes, len);
	socks->reply_len = (uint8_t)len;
}

static enum socks_step reply_with(struct socks *socks, enum socks_state next)
{
	socks->state = next;
	socks->message_len = 0;
	return SOCKS_REPLY;
}

static enum socks_step refuse(struct socks *socks, const char *why)
{
	explicit_bzero(socks->message, sizeof(socks->message));
	socks->message_len = 0;
	socks->state = SOCKS_AT_END;
	socks->why = why;
	return SOCKS_REFUSED;
}

/* RFC 1928, 6. */
static void set_answer(struct socks *socks, enum socks_code code, const struct net_address *bound, uint16_t port)
{
	static const struct net_address nowhere = {.family = NET_IPV4};
	const struct net_address *address = bound == NULL || address_size(bound) == 0 ? &nowhere : bound;
	size_t size = address_size(address);
	uint8_t bytes[SOCKS_REPLY_MAX] = {VERSION, (uint8_t)code, 0, size == 4 ? TYPE_IPV4 : TYPE_IPV6};
	memcpy(bytes + 4, address->bytes, size);
	bytes[4 + size] = (uint8_t)(port >> 8);
	bytes[5 + size] = (uint8_t)(port & 0xff);
	set_reply(socks, bytes, 6 + size);
}

static enum socks_step refuse_request(struct socks *socks, enum socks_code code, const char *why)
{
	set_answer(socks, code, NULL, 0);
	return refuse(socks, why);
}

/* ---- the three messages ---------------------------------------------------------------------------------------- */

/* How long the message is, as far as its bytes so far tell. */
static size_t start_size(const uint8_t *message, size_t len)
{
	if (len < 1 || message[0] != VERSION)
		return 1;
	return len < 2 ? 2 : 2 + (size_t)message[1];
}

static size_t login_size(const uint8_t *message, size_t len)
{
	if (len < 1 || message[0] != LOGIN_VERSION)
		return 1;
	size_t user_end = len < 2 ? 2 : 2 + (size_t)message[1];
	return len < 2 ? 2 : len <= user_end ? user_end + 1 : user_end + 1 + message[user_end];
}

static size_t request_size(const uint8_t *message, size_t len)
{
	if (len < 4)
		return 4;
	if (message[0] != VERSION || message[1] != COMMAND_CONNECT || message[2] != 0)
		return 4;
	if (message[3] == TYPE_NAME)
		return len < 5 ? 5 : 7 + (size_t)message[4];
	return message[3] == TYPE_IPV4 ? 10 : message[3] == TYPE_IPV6 ? 22 : 4;
}

/* RFC 1928, 3. */
static enum socks_step end_start(struct socks *socks)
{
	static const uint8_t socks4[] = {0, SOCKS4_REJECTED, 0, 0, 0, 0, 0, 0};
	uint8_t method = socks->ask_login ? METHOD_LOGIN : METHOD_NONE;
	if (socks->message[0] == VERSION_4) {
		set_reply(socks, socks4, sizeof(socks4));
		return refuse(socks, "SOCKS 4 is not spoken here");
	}
	if (socks->message[0] != VERSION)
		return refuse(socks, "not a SOCKS client");
	if (memchr(socks->message + 2, method, socks->message[1]) == NULL) {
		set_reply(socks, (const uint8_t[]){VERSION, METHOD_NO_OTHER}, 2);
		return refuse(socks, socks->ask_login ? "the client does not log in" : "the client wants to log in");
	}
	set_reply(socks, (const uint8_t[]){VERSION, method}, 2);
	return reply_with(socks, socks->ask_login ? SOCKS_AT_LOGIN : SOCKS_AT_REQUEST);
}

static enum socks_step end_login(struct socks *socks)
{
	const uint8_t *message = socks->message;
	if (message[0] != LOGIN_VERSION)
		return refuse(socks, "not a login of RFC 1929");
	socks->user = (struct span){message + 2, message[1]};
	socks->password = (struct span){message + 3 + message[1], message[2 + message[1]]};
	socks->state = SOCKS_AT_VERDICT;
	return SOCKS_LOGIN;
}

static bool read_host(struct socks *socks, const char **ret_why)
{
	const uint8_t *message = socks->message;
	struct net_address address;
	char text[ADDRESS_TEXT_SIZE];
	if (message[3] == TYPE_NAME)
		return host_read((struct str){(const char *)message + 5, message[4]}, false, &socks->host, ret_why);
	size_t size = message[3] == TYPE_IPV4 ? 4 : 16;
	if (!address_from_bytes((struct span){message + 4, size}, &address))
		return false;
	return host_read((struct str){text, address_print(&address, text)}, false, &socks->host, ret_why);
}

/* RFC 1928, 4. */
static enum socks_step end_request(struct socks *socks)
{
	const uint8_t *message = socks->message;
	size_t len = socks->message_len;
	const char *why = NULL;
	if (message[0] != VERSION || message[2] != 0)
		return refuse_request(socks, SOCKS_FAILURE, "not a request of RFC 1928");
	if (message[1] != COMMAND_CONNECT)
		return refuse_request(socks, SOCKS_BAD_COMMAND, "only CONNECT is served");
	if (message[3] != TYPE_NAME && message[3] != TYPE_IPV4 && message[3] != TYPE_IPV6)
		return refuse_request(socks, SOCKS_BAD_ADDRESS, "neither a name nor an address");
	if (!read_host(socks, &why))
		return refuse_request(socks, SOCKS_BAD_ADDRESS, why);
	socks->port = (uint16_t)(message[len - 2] << 8 | message[len - 1]);
	if (socks->port == 0)
		return refuse_request(socks, SOCKS_FAILURE, "port 0");
	socks->state = SOCKS_AT_ANSWER;
	return SOCKS_CONNECT;
}

/* ---- the conversation ------------------------------------------------------------------------------------------ */

static const struct phase {
	size_t (*size)(const uint8_t *message, size_t len);
	enum socks_step (*end)(struct socks *socks);
} phases[] = {
	[SOCKS_AT_START] = {start_size, end_start},
	[SOCKS_AT_LOGIN] = {login_size, end_login},
	[SOCKS_AT_REQUEST] = {request_size, end_request},
	[SOCKS_AT_END] = {NULL, NULL},
};

enum socks_step socks_feed(struct socks *socks, struct span *bytes)
{
	const struct phase *phase = &phases[socks->state];
	socks->reply_len = 0;
	if (socks->state == SOCKS_AT_END)
		return SOCKS_REFUSED;
	if (phase->size == NULL)
		return SOCKS_MORE;
	size_t want;
	while ((want = phase->size(socks->message, socks->message_len)) > socks->message_len) {
		size_t missing = want - socks->message_len, piece = missing < bytes->len ? missing : bytes->len;
		if (piece == 0)
			return SOCKS_MORE;
		memcpy(socks->message + socks->message_len, bytes->ptr, piece);
		socks->message_len = (uint16_t)(socks->message_len + piece);
		*bytes = (struct span){bytes->ptr + piece, bytes->len - piece};
	}
	return phase->end(socks);
}

enum socks_step socks_login(struct socks *socks, bool accepted)
{
	socks->reply_len = 0;
	if (socks->state != SOCKS_AT_VERDICT)
		return refuse(socks, "no login to answer");
	explicit_bzero(socks->message, sizeof(socks->message));
	socks->user = socks->password = (struct span){0};
	set_reply(socks, (const uint8_t[]){LOGIN_VERSION, accepted ? 0 : 1}, 2);
	return accepted ? reply_with(socks, SOCKS_AT_REQUEST) : refuse(socks, "the login is wrong");
}

enum socks_step socks_answer(struct socks *socks, enum socks_code code, const struct net_address *bound, uint16_t port)
{
	socks->reply_len = 0;
	if (socks->state != SOCKS_AT_ANSWER)
		return refuse(socks, "no request to answer");
	set_answer(socks, code, bound, port);
	return code == SOCKS_OK ? reply_with(socks, SOCKS_AT_END) : refuse(socks, "the request is refused");
}

struct span socks_reply_bytes(const struct socks *socks)
{
	return (struct span){socks->reply, socks->reply_len};
}
