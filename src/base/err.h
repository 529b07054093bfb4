/*
 * Filling struct berm_err, and the one macro with control flow. Whatever can fail returns MUST_USE enum berm_code and
 * takes struct berm_err *err last (NULL allowed). Out-parameters are untouched on failure.
 */
#ifndef BERM_BASE_ERR_H
#define BERM_BASE_ERR_H

#include "berm/err.h"

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))

#define TRY(expr)                                                                                                      \
	do {                                                                                                           \
		enum berm_code try_ = (expr);                                                                          \
		if (try_ != BERM_OK)                                                                                   \
			return try_;                                                                                   \
	} while (0)

/* Fills err (if not NULL) and returns code, so that a failure is one line. Control bytes in the text become '?'. */
enum berm_code err_set(struct berm_err *err, enum berm_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same for a failed system call: code BERM_ERR_SYS (NOMEM for ENOMEM), sys = errno, ": strerror" appended. */
enum berm_code err_sys(struct berm_err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts context in front of what err says ("load 'x': ...") and returns the code that stands there; BERM_ERR_SYS if err
 * is NULL, so a function whose caller tells codes apart must not wrap with a NULL err. */
enum berm_code err_wrap(struct berm_err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* None of the three ever returns BERM_OK. Compilers and analyzers are told, so that they do not follow a failure into
 * the code behind TRY, where out-parameters are set. */
#define ERR_NEVER_OK(call)                                                                                             \
	__extension__({                                                                                                \
		enum berm_code code_ = (call);                                                                         \
		if (code_ == BERM_OK)                                                                                  \
			__builtin_unreachable();                                                                       \
		code_;                                                                                                 \
	})
#define err_set(...) ERR_NEVER_OK(err_set(__VA_ARGS__))
#define err_sys(...) ERR_NEVER_OK(err_sys(__VA_ARGS__))
#define err_wrap(...) ERR_NEVER_OK(err_wrap(__VA_ARGS__))

#endif
