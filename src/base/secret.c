#include "base/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

struct secret {
	size_t mapped; /* whole pages, this struct included */
	size_t len;
	uint8_t bytes[];
};

static enum berm_code allocate(size_t len, struct secret **ret_secret, struct berm_err *err)
{
	if (len == 0)
		return err_set(err, BERM_ERR_INVALID, "empty secret");
	if (len > SECRET_MAX_BYTES)
		return err_set(err, BERM_ERR_LIMIT, "secret is longer than %d bytes", SECRET_MAX_BYTES);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t mapped = (sizeof(struct secret) + len + page - 1) / page * page;
	struct secret *secret = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (secret == MAP_FAILED)
		return err_sys(err, "map memory for a secret");
	if (mlock(secret, mapped) != 0 || madvise(secret, mapped, MADV_DONTDUMP) != 0) {
		enum berm_code code = err_sys(err, "lock memory for a secret");
		(void)munmap(secret, mapped);
		return code;
	}
	secret->mapped = mapped;
	secret->len = len;
	*ret_secret = secret;
	return BERM_OK;
}

enum berm_code secret_new(struct span bytes, struct secret **ret_secret, struct berm_err *err)
{
	struct secret *secret;
	TRY(allocate(bytes.len, &secret, err));
	memcpy(secret->bytes, bytes.ptr, bytes.len);
	*ret_secret = secret;
	return BERM_OK;
}

enum berm_code secret_random(size_t len, struct secret **ret_secret, struct berm_err *err)
{
	struct secret *secret;
	TRY(allocate(len, &secret, err));
	size_t done = 0;
	while (done < len) {
		ssize_t n = getrandom(secret->bytes + done, len - done, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			enum berm_code code = err_sys(err, "read random bytes");
			secret_free(secret);
			return code;
		}
		done += (size_t)n;
	}
	*ret_secret = secret;
	return BERM_OK;
}

void secret_free(struct secret *secret)
{
	if (secret == NULL)
		return;
	size_t mapped = secret->mapped;
	secret_wipe(secret, mapped);
	(void)munmap(secret, mapped);
}

bool secret_equal(const struct secret *secret, struct span bytes)
{
	if (secret->len != bytes.len)
		return false;
	volatile uint8_t different = 0;
	for (size_t i = 0; i < bytes.len; i++)
		different |= secret->bytes[i] ^ bytes.ptr[i];
	return different == 0;
}

size_t secret_len(const struct secret *secret)
{
	return secret->len;
}

struct span secret_expose(const struct secret *secret)
{
	return (struct span){secret->bytes, secret->len};
}

void secret_wipe(void *bytes, size_t len)
{
	if (len > 0)
		explicit_bzero(bytes, len);
}
