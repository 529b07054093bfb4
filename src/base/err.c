#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const code_texts[] = {
	[BERM_OK] = "success",
	[BERM_ERR_NOMEM] = "out of memory",
	[BERM_ERR_SYS] = "system call failed",
	[BERM_ERR_INVALID] = "invalid argument",
	[BERM_ERR_PARSE] = "malformed input",
	[BERM_ERR_LIMIT] = "limit exceeded",
	[BERM_ERR_UNSUPPORTED] = "not supported on this machine",
	[BERM_ERR_DENIED] = "denied by policy",
	[BERM_ERR_NOTFOUND] = "not found",
	[BERM_ERR_TIMEOUT] = "timed out",
	[BERM_ERR_CLOSED] = "closed",
};

const char *berm_code_text(enum berm_code code)
{
	size_t index = (size_t)code;
	if (index >= sizeof(code_texts) / sizeof(code_texts[0]))
		return "unknown error";
	return code_texts[index];
}

/* Messages hold names that came from outside: nothing in them may move a terminal's cursor. */
static void blank_controls(char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

enum berm_code(err_set)(struct berm_err *err, enum berm_code code, const char *format, ...)
{
	if (code == BERM_OK) /* a failure must not turn into success on its way up */
		code = BERM_ERR_SYS;
	if (err == NULL)
		return code;
	err->code = code;
	err->sys = 0;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(err->msg, sizeof(err->msg), format, args);
	va_end(args);
	blank_controls(err->msg);
	return code;
}

enum berm_code(err_sys)(struct berm_err *err, const char *format, ...)
{
	int sys = errno;
	enum berm_code code = sys == ENOMEM ? BERM_ERR_NOMEM : BERM_ERR_SYS;
	if (err == NULL)
		return code;
	char what[sizeof(err->msg)];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	const char *why = strerrordesc_np(sys);
	(void)err_set(err, code, "%s: %s", what, why != NULL ? why : "unknown errno");
	err->sys = sys;
	errno = sys;
	return code;
}

enum berm_code(err_wrap)(struct berm_err *err, const char *format, ...)
{
	if (err == NULL)
		return BERM_ERR_SYS;
	char context[sizeof(err->msg)];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(context, sizeof(context), format, args);
	va_end(args);
	struct berm_err cause = *err;
	(void)err_set(err, cause.code, "%s: %s", context, cause.msg);
	err->sys = cause.sys;
	return err->code;
}
