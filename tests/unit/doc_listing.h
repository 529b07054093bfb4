/* A policy document as text for tests: a line each, "filesystem.deny ~/.ssh {except ~/.ssh/known_hosts, why keys}"; "wants"
 * stands in front of what is wanted. */
#ifndef BERM_TESTS_DOC_LISTING_H
#define BERM_TESTS_DOC_LISTING_H

#include "base/buf.h"
#include "policy/doc.h"

static inline void doc_listing_line(const struct policy_line *line, struct buf *out)
{
	buf_printf(out, "%s%s %s", line->wanted ? "wants " : "", policy_keys[line->key].path, line->text);
	for (uint32_t i = 0; i < line->attr_count; i++)
		buf_printf(out, "%s%s %s", i == 0 ? " {" : ", ", policy_attrs[line->attrs[i].key].name,
			   line->attrs[i].text);
	buf_puts(out, line->attr_count > 0 ? "}\n" : "\n");
}

static inline void doc_listing(const struct policy_doc *doc, struct buf *out)
{
	if (doc->name != NULL)
		buf_printf(out, "name %s\n", doc->name);
	if (doc->about != NULL)
		buf_printf(out, "about %s\n", doc->about);
	if (doc->required)
		buf_puts(out, "required\n");
	for (uint32_t i = 0; i < doc->line_count; i++)
		doc_listing_line(&doc->lines[i], out);
}

#endif
