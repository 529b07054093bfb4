#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/vec.h"
#include "format/nearest.h"

enum { MAX_USES = 8192, MAX_NAME = 32 };

struct parse {
	const struct option_set *set;
	const char *const *next; /* the word to look at next */
	void *target;
	struct vec uses, operands;
	bool help;
	struct option_hint *hint;
};

const struct option_row *options_row(const struct option_set *set, size_t index)
{
	if (index < set->count)
		return &set->rows[index];
	index -= set->count;
	for (size_t i = 0; set->policy != NULL && i < set->policy->count; i++) {
		const struct option_row *row = &set->policy->rows[i];
		if ((row->line != NULL || row->policy) && index-- == 0)
			return row;
	}
	return NULL;
}

static const struct option_row *find_letter(const struct option_set *set, char letter)
{
	const struct option_row *row;
	for (size_t i = 0; letter != '\0' && (row = options_row(set, i)) != NULL; i++) {
		if (row->letter == letter)
			return row;
	}
	return NULL;
}

static const struct option_row *find_name(const struct option_set *set, struct str name)
{
	const struct option_row *row;
	for (size_t i = 0; (row = options_row(set, i)) != NULL; i++) {
		if (str_eq(str_from(row->name), name))
			return row;
	}
	return NULL;
}

static enum berm_code unknown_name(struct parse *parse, struct str name, struct berm_err *err)
{
	char word[NEAREST_MAX_LEN + 1];
	(void)snprintf(word, sizeof(word), "%.*s", (int)(name.len < MAX_NAME ? name.len : MAX_NAME), name.ptr);
	struct nearest nearest;
	nearest_init(&nearest, word);
	const struct option_row *row;
	for (size_t i = 0; (row = options_row(parse->set, i)) != NULL; i++)
		nearest_offer(&nearest, row->name);
	if (nearest.best != NULL)
		(void)snprintf(parse->hint->text, sizeof(parse->hint->text), "--%s", nearest.best);
	return err_set(err, BERM_ERR_INVALID, "unknown option '--%s'", word);
}

static enum berm_code wants_value(struct parse *parse, const struct option_row *row, struct berm_err *err)
{
	(void)snprintf(parse->hint->text, sizeof(parse->hint->text), "--%s=%s", row->name, row->argument);
	return err_set(err, BERM_ERR_INVALID, "no value for option '--%s'", row->name);
}

static enum berm_code apply(struct parse *parse, const struct option_row *row, const char *value, struct berm_err *err)
{
	bool set = true;
	switch (row->kind) {
	case OPTION_FLAG:
		memcpy((char *)parse->target + row->offset, &set, sizeof(set));
		return BERM_OK;
	case OPTION_TEXT:
		memcpy((char *)parse->target + row->offset, &value, sizeof(value));
		return BERM_OK;
	case OPTION_USE:
		return vec_push(&parse->uses, &(struct option_use){row, value}, err);
	case OPTION_HELP:
	default:
		parse->help = true;
		return BERM_OK;
	}
}

/* The value of an option that stands in a word of its own. A word that looks like an option is none: "--read --quiet"
 * is a slip, and "--read=--quiet" says it on purpose. */
static enum berm_code next_value(struct parse *parse, const struct option_row *row, const char **ret_value,
				 struct berm_err *err)
{
	const char *value = *parse->next;
	if (value == NULL || strncmp(value, "--", 2) == 0)
		return wants_value(parse, row, err);
	parse->next++;
	*ret_value = value;
	return BERM_OK;
}

static enum berm_code parse_long(struct parse *parse, const char *word, struct berm_err *err)
{
	const char *equals = strchr(word, '=');
	struct str name = equals != NULL ? (struct str){word, (size_t)(equals - word)} : str_from(word);
	const struct option_row *row = find_name(parse->set, name);
	if (row == NULL)
		return unknown_name(parse, name, err);
	if (row->argument == NULL && equals != NULL)
		return err_set(err, BERM_ERR_INVALID, "option '--%s' takes no value", row->name);
	const char *value = equals != NULL ? equals + 1 : NULL;
	if (row->argument != NULL && value == NULL)
		TRY(next_value(parse, row, &value, err));
	return apply(parse, row, value, err);
}

/* A word of letters: flags, and at its end perhaps an option with its value. */
static enum berm_code parse_letters(struct parse *parse, const char *letters, struct berm_err *err)
{
	for (const char *at = letters; *at != '\0' && !parse->help; at++) {
		const struct option_row *row = find_letter(parse->set, *at);
		if (row == NULL)
			return err_set(err, BERM_ERR_INVALID, "unknown option '-%c'", *at);
		if (row->argument == NULL) {
			TRY(apply(parse, row, NULL, err));
			continue;
		}
		const char *value = at + 1;
		if (*value == '\0')
			TRY(next_value(parse, row, &value, err));
		return apply(parse, row, value, err);
	}
	return BERM_OK;
}

static enum berm_code parse_words(struct parse *parse, struct berm_err *err)
{
	while (!parse->help && *parse->next != NULL) {
		const char *word = *parse->next;
		bool operand = word[0] != '-' || word[1] == '\0';
		if (operand && !parse->set->anywhere)
			return BERM_OK;
		parse->next++;
		if (operand)
			TRY(vec_push(&parse->operands, &word, err));
		if (operand)
			continue;
		if (strcmp(word, "--") == 0)
			return BERM_OK;
		if (word[1] == '-')
			TRY(parse_long(parse, word + 2, err));
		else
			TRY(parse_letters(parse, word + 1, err));
	}
	return BERM_OK;
}

/* All operands in one array: those between options, those behind them, and the NULL. */
static enum berm_code gather_operands(struct parse *parse, struct berm_err *err)
{
	for (; *parse->next != NULL; parse->next++)
		TRY(vec_push(&parse->operands, parse->next, err));
	return vec_push(&parse->operands, parse->next, err);
}

enum berm_code options_parse(const struct option_set *set, const char *const *argv, void *target,
			     struct options *ret_options, struct option_hint *ret_hint, struct berm_err *err)
{
	struct parse parse = {.set = set, .next = argv, .target = target, .hint = ret_hint};
	ret_hint->text[0] = '\0';
	vec_init(&parse.uses, sizeof(struct option_use), MAX_USES);
	vec_init(&parse.operands, sizeof(const char *), MAX_USES);
	enum berm_code code = parse_words(&parse, err);
	if (code == BERM_OK && set->anywhere)
		code = gather_operands(&parse, err);
	if (code != BERM_OK) {
		vec_done(&parse.uses);
		vec_done(&parse.operands);
		return code;
	}
	*ret_options = (struct options){.use_count = parse.uses.len, .rest = parse.next, .help = parse.help};
	ret_options->uses = vec_take(&parse.uses);
	ret_options->operands = vec_take(&parse.operands);
	if (ret_options->operands != NULL)
		ret_options->rest = ret_options->operands;
	return BERM_OK;
}

void options_done(struct options *options)
{
	free(options->uses);
	free(options->operands);
	*options = (struct options){0};
}
