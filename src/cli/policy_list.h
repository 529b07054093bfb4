/*
 * A merged policy as a table for people or as JSON: every line, with the layer and the place it comes from, and those
 * that are taken away with who does it. Text in, text out.
 */
#ifndef BERM_CLI_POLICY_LIST_H
#define BERM_CLI_POLICY_LIST_H

#include "cli/say.h"
#include "format/json_out.h"
#include "policy/policy.h"

/* The value with its attributes, "~/.config (except ~/.config/git)", and what a variable stands for. */
void policy_list_value(const struct policy_entry *entry, struct buf *out);
/* A table of the lines in force; origin: with where each comes from, and with those that are off. */
MUST_USE enum berm_code policy_list_text(const struct policy *policy, bool origin, const struct say_screen *screen,
					 struct buf *out, struct berm_err *err);
/* The member "policy", an array of all lines. */
void policy_list_json(const struct policy *policy, struct json_out *json);
/* A document as it is written, line for line, without what others add. */
MUST_USE enum berm_code policy_list_document(const struct policy_doc *doc, const struct say_screen *screen,
					     struct buf *out, struct berm_err *err);
void policy_list_document_json(const struct policy_doc *doc, struct json_out *json);

#endif
