/* Target: the first bytes of a stream that may be TLS. More bytes never change an answer that was given, a name that is told is
 * one that a policy may have, and what is told lies in its bounds. */
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "format/host.h"
#include "format/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check(const struct tls_hello *hello, size_t size)
{
	struct str protocol = {"", 0};
	struct host host;
	size_t sum = 0;
	must(hello->size > 0 && hello->size <= size && hello->size <= TLS_HELLO_MAX && hello->alpn_len <= TLS_ALPN_MAX);
	must(hello->name[0] == '\0' || host_read(str_from(hello->name), false, &host, NULL));
	must(hello->min_version >= 0x0301 && hello->min_version <= hello->max_version && hello->max_version <= 0x0304);
	for (size_t at = 0; tls_hello_alpn(hello, &at, &protocol);) {
		must(protocol.len > 0 && tls_hello_offers(hello, protocol));
		sum += 1 + protocol.len;
	}
	must(sum == hello->alpn_len);
}

/* The answer for the first len bytes, which stand alone in memory: reading past them shows. */
static enum tls_hello_status read_first(const uint8_t *data, size_t len, struct tls_hello *ret)
{
	auto_free uint8_t *copy = malloc(len > 0 ? len : 1);
	if (copy == NULL)
		return TLS_HELLO_NEED_MORE;
	memcpy(copy, data, len);
	return tls_hello_read((struct span){copy, len}, ret, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_hello hello = {.size = 0}, early = {.size = 0};
	if (size == 0 || size > 65536)
		return 0;
	enum tls_hello_status status = read_first(data, size, &hello);
	if (status == TLS_HELLO_OK)
		check(&hello, size);
	for (size_t step = 1, len = 0; len < size; len += step, step += step) {
		enum tls_hello_status before = read_first(data, len, &early);
		must(before == TLS_HELLO_NEED_MORE || before == status);
		must(before != TLS_HELLO_OK || memcmp(&early, &hello, sizeof hello) == 0);
	}
	return 0;
}
