/* Answers of programs and other terminals: bytes from outside. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "session/approval_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct approval_answer answer = {.verdict = BERM_VERDICT_DENY, .scope = APPROVAL_SCOPES};
	struct berm_err err;
	enum berm_code code = approval_text_parse((struct str){(const char *)data, size}, &answer, &err);
	if (code != BERM_OK && (answer.verdict != BERM_VERDICT_DENY || answer.scope != APPROVAL_SCOPES))
		__builtin_trap();
	if (code == BERM_OK && (size == 0 || memchr(data, '"', size) == NULL || answer.for_ms < 0 ||
				(answer.for_ms > 0 && answer.scope != APPROVAL_SESSION)))
		__builtin_trap();
	return 0;
}
