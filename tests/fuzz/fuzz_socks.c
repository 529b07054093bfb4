/* Target: socks_feed. The first byte chooses whether a login is asked for and the length of the pieces; fed at once and in
 * pieces, the same comes out, and never more is taken than there is. */
#include <stdlib.h>
#include <string.h>

#include "format/socks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	enum socks_step step;
	size_t taken;
	struct socks socks;
};

/* Until a request, a refusal, or the end of the bytes. */
static struct outcome talk(bool ask_login, const uint8_t *data, size_t size, size_t piece)
{
	struct outcome outcome = {.step = SOCKS_MORE};
	socks_init(&outcome.socks, ask_login);
	while (outcome.step != SOCKS_REFUSED && outcome.step != SOCKS_CONNECT) {
		size_t left = size - outcome.taken, len = left < piece ? left : piece;
		struct span bytes = {data + outcome.taken, len};
		outcome.step = socks_feed(&outcome.socks, &bytes);
		if (bytes.len > len)
			abort();
		outcome.taken += len - bytes.len;
		if (outcome.step == SOCKS_LOGIN)
			outcome.step = socks_login(&outcome.socks, outcome.socks.user.len > 0);
		if (outcome.step == SOCKS_MORE && left == len)
			break;
	}
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	bool ask_login = (data[0] & 1) != 0;
	struct outcome whole = talk(ask_login, data + 1, size - 1, size);
	struct outcome pieces = talk(ask_login, data + 1, size - 1, 1 + data[0] / 2 % 7);
	struct span reply = socks_reply_bytes(&whole.socks), other = socks_reply_bytes(&pieces.socks);
	if (whole.step != pieces.step || whole.taken != pieces.taken)
		abort();
	if (whole.step == SOCKS_REFUSED &&
	    (whole.socks.why == NULL || reply.len != other.len || memcmp(reply.ptr, other.ptr, reply.len) != 0))
		abort();
	if (whole.step != SOCKS_CONNECT)
		return 0;
	if (!host_equal(&whole.socks.host, &pieces.socks.host) || whole.socks.port != pieces.socks.port)
		abort();
	if (whole.socks.port == 0 || socks_answer(&whole.socks, SOCKS_OK, NULL, 0) != SOCKS_REPLY)
		abort();
	return 0;
}
