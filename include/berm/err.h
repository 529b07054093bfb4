/*
 * Errors of libberm: one code for each different reaction of a caller, the cause as text. No heap, no globals: the
 * caller owns the struct, it may live on the stack, and every function takes NULL in its place.
 */
#ifndef BERM_ERR_H
#define BERM_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define BERM_API __attribute__((visibility("default")))
#define BERM_MUST_USE __attribute__((warn_unused_result))
#else
#define BERM_API
#define BERM_MUST_USE
#endif

enum berm_code {
	BERM_OK = 0,
	BERM_ERR_NOMEM,	      /* no memory: try again later */
	BERM_ERR_SYS,	      /* a system call failed, its errno is in sys */
	BERM_ERR_INVALID,     /* the caller passed something that cannot be: correct the call */
	BERM_ERR_PARSE,	      /* bytes do not follow their format: correct the input */
	BERM_ERR_LIMIT,	      /* larger than a stated maximum */
	BERM_ERR_UNSUPPORTED, /* this machine cannot enforce it: the text says what is missing */
	BERM_ERR_DENIED,      /* policy says no */
	BERM_ERR_NOTFOUND,    /* the named thing is not there */
	BERM_ERR_TIMEOUT,     /* a deadline passed */
	BERM_ERR_CLOSED,      /* the other side is gone, or there is nothing more */
};

struct berm_err {
	enum berm_code code;
	int sys;       /* errno, or 0 */
	char msg[240]; /* lower case, no full stop, subject in quotes, never a secret; always terminated */
};

/* A short constant text for a code, "out of memory" for example; never NULL. */
BERM_API const char *berm_code_text(enum berm_code code);

#ifdef __cplusplus
}
#endif
#endif
