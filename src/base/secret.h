/*
 * Bytes that must not get out: on pages of their own that are never swapped out and never in a core file, wiped before
 * they are given back, compared in constant time. The struct is opaque and nothing prints it; secret_expose is called
 * only in the files that tools/lint lists.
 */
#ifndef BERM_BASE_SECRET_H
#define BERM_BASE_SECRET_H

#include "base/str.h"

#define SECRET_MAX_BYTES 65536

struct secret;

/* Copies bytes; the caller wipes its own copy. Errors: INVALID (none), LIMIT (more than SECRET_MAX_BYTES), SYS (the
 * memory cannot be locked). */
MUST_USE enum berm_code secret_new(struct span bytes, struct secret **ret_secret, struct berm_err *err);
/* len random bytes of the kernel's. */
MUST_USE enum berm_code secret_random(size_t len, struct secret **ret_secret, struct berm_err *err);
/* Wipes and releases; takes NULL. */
void secret_free(struct secret *secret);
/* Takes a time that depends on the lengths alone. */
bool secret_equal(const struct secret *secret, struct span bytes);
size_t secret_len(const struct secret *secret);
/* The bytes themselves, borrowed. */
struct span secret_expose(const struct secret *secret);
/* Overwrites memory in a way that the compiler keeps. */
void secret_wipe(void *bytes, size_t len);

#endif
