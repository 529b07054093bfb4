/* Target: berm_facts_load, berm_facts_print, facts_set_outer, facts_outer_holds. Input: facts as text. */
#include <stdlib.h>
#include <string.h>

#include "sandbox/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* What was printed is read again, and printed the same. */
static void check_print(const struct berm_facts *facts)
{
	struct berm_facts *again = NULL;
	char *text = berm_facts_print(facts);
	if (text == NULL)
		return;
	require(berm_facts_load(text, strlen(text), &again, NULL) == BERM_OK);
	char *text_again = berm_facts_print(again);
	require(text_again == NULL || strcmp(text, text_again) == 0);
	free(text);
	free(text_again);
	berm_facts_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct berm_facts *facts = NULL;
	struct berm_err err = {0};
	if (berm_facts_load((const char *)data, size, &facts, &err) != BERM_OK) {
		require(facts == NULL && err.code != BERM_OK && err.msg[0] != '\0');
		return 0;
	}
	for (size_t i = 0; i < facts->outer_count; i++)
		require(facts_outer_holds(facts, facts->outer[i].guarantee, facts->outer[i].line));
	check_print(facts);
	if (facts_set_outer(facts, (const char *)data, size, NULL) == BERM_OK)
		check_print(facts);
	berm_facts_free(facts);
	return 0;
}
