#include <string.h>

#include "format/git_config.h"
#include "format/git_keys.h"

enum {
	SUBSECTION_SHOWN_MAX = 60,
	EXCUSED_MAX = 128, /* keys, each at the cost of a look through what stands there */
};

/* A text of bounded size: what does not fit is cut. No stdio: it runs in a judge. */
struct reason {
	char *text;
	size_t len, size;
};

static struct reason reason_begin(char *text, size_t size)
{
	if (size > 0)
		text[0] = '\0';
	return (struct reason){.text = text, .size = size};
}

static void reason_put(struct reason *reason, struct str text)
{
	for (size_t i = 0; i < text.len && reason->len + 1 < reason->size; i++) {
		char c = text.ptr[i];
		reason->text[reason->len++] = (char)(c >= 0x20 && c < 0x7f ? c : '?');
	}
	if (reason->size > 0)
		reason->text[reason->len] = '\0';
}

static void reason_line(struct reason *reason, unsigned line)
{
	char digits[12];
	size_t at = sizeof digits;
	do
		digits[--at] = (char)('0' + line % 10);
	while ((line /= 10) > 0);
	reason_put(reason, STR(" (line "));
	reason_put(reason, (struct str){digits + at, sizeof digits - at});
	reason_put(reason, STR(") "));
}

/* An address may carry a password, so it is not shown. */
static void reason_subsection(struct reason *reason, struct str name)
{
	bool address = memchr(name.ptr, ':', name.len) != NULL || memchr(name.ptr, '@', name.len) != NULL;
	reason_put(reason, STR("."));
	reason_put(reason, address || name.len > SUBSECTION_SHOWN_MAX ? STR("*") : name);
}

struct judging {
	const char *target;
	struct span before;
	unsigned excused;
	struct reason *reason;
};

static bool same_entry(const struct git_config_entry *a, const struct git_config_entry *b)
{
	return a->has_subsection == b->has_subsection && a->has_value == b->has_value &&
	       str_eq(a->section, b->section) && str_eq(a->subsection, b->subsection) && str_eq(a->key, b->key) &&
	       str_eq(a->value, b->value);
}

static bool differs(void *ctx, const struct git_config_entry *entry)
{
	return !same_entry(ctx, entry);
}

/* What stands there already was not put there from inside: a configuration is changed as a whole, and the other keys must
 * not be in the way. */
static bool was_there_before(struct judging *judging, const struct git_config_entry *entry)
{
	struct git_config_entry wanted = *entry;
	struct git_config_fault fault;
	if (judging->before.len == 0 || ++judging->excused > EXCUSED_MAX)
		return false;
	return !git_config_parse(judging->before, differs, &wanted, &fault) && fault.what == NULL;
}

static bool judge_entry(void *ctx, const struct git_config_entry *entry)
{
	struct judging *judging = ctx;
	const char *objection = git_keys_objection(entry, judging->target);
	if (objection == NULL || was_there_before(judging, entry))
		return true;
	reason_put(judging->reason, entry->section);
	if (entry->has_subsection)
		reason_subsection(judging->reason, entry->subsection);
	reason_put(judging->reason, STR("."));
	reason_put(judging->reason, entry->key);
	reason_line(judging->reason, entry->line);
	reason_put(judging->reason, str_from(objection));
	return false;
}

static bool is_hex(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];
		if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
			return false;
	}
	return true;
}

/* Of what git writes for a branch or a symbolic reference. As configuration it has no section, and so says nothing. */
static bool is_reference(struct span content)
{
	static const char symbolic[] = "ref: refs/";
	if (content.len == 0 || content.ptr[content.len - 1] != '\n')
		return false;
	struct span line = {content.ptr, content.len - 1};
	if (memchr(line.ptr, '\n', line.len) != NULL)
		return false;
	if (line.len >= sizeof symbolic - 1 && memcmp(line.ptr, symbolic, sizeof symbolic - 1) == 0)
		return memchr(line.ptr, '\0', line.len) == NULL;
	return (line.len == 40 || line.len == 64) && is_hex(line);
}

bool git_config_judge_change(const char *target, struct span content, struct span before, char *reason,
			     size_t reason_size)
{
	struct reason text = reason_begin(reason, reason_size);
	struct judging judging = {.target = target, .before = before, .reason = &text};
	struct git_config_fault fault;
	if (is_reference(content) || git_config_parse(content, judge_entry, &judging, &fault))
		return true;
	if (fault.what == NULL)
		return false;
	reason_put(&text, STR("the content"));
	reason_line(&text, fault.line);
	reason_put(&text, str_from(fault.what));
	return false;
}

bool git_config_judge(const char *target, const uint8_t *content, size_t len, char *reason, size_t reason_size)
{
	return git_config_judge_change(target, (struct span){content, len}, (struct span){NULL, 0}, reason,
				       reason_size);
}
