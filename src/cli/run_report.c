#include "cli/run_report.h"

#include <string.h>

#include "base/own.h"
#include "cli/commands.h"
#include "cli/denial_text.h"
#include "ui/text.h"

/* It is to be one short screen. */
enum { SHOWN_DENIALS = 5, SHOWN_LINES = 8, GRANT_MAX = 2048, LINE_MAX_BYTES = 16 * 1024 };

int run_report_status(const struct berm_status *status, bool fail_on_deny)
{
	if (status->wall_limit)
		return EXIT_TIME_LIMIT;
	if (!status->exited)
		return EXIT_SIGNALLED + status->signal;
	if (status->exit_code == 0 && status->denied > 0 && fail_on_deny)
		return EXIT_SOME_DENIED;
	return status->exit_code;
}

int run_report_failure(enum berm_code code)
{
	if (code == BERM_ERR_NOTFOUND)
		return EXIT_NOT_FOUND;
	return code == BERM_ERR_DENIED ? EXIT_NOT_EXECUTABLE : EXIT_REFUSED;
}

static void put_head(uint64_t denied, size_t lines, struct buf *out)
{
	buf_printf(out, "%llu denied", (unsigned long long)denied);
	if (lines == 1)
		buf_puts(out, "; \"berm learn\" would add this line");
	else if (lines > 1)
		buf_printf(out, "; \"berm learn\" would add these %zu lines", lines);
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* Of one object, by one program and one line, with one way out: then it is one thing to a reader. */
static bool same_group(const struct event *a, const struct event *b)
{
	return a->kind == b->kind && same_text(a->object.path, b->object.path) && same_text(a->task.exe, b->task.exe) &&
	       same_text(a->by.rule, b->by.rule) && same_text(a->by.text, b->by.text) &&
	       same_text(a->by.at, b->by.at) && same_text(a->grant, b->grant);
}

static bool is_told_before(const struct event_list *list, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (same_group(&list->items[i], &list->items[index]))
			return true;
	return false;
}

static size_t count_groups(const struct event_list *list)
{
	size_t count = 0;
	for (size_t i = 0; i < list->count; i++)
		count += !is_told_before(list, i);
	return count;
}

/* Was this tried on it before, after the first? */
static bool is_op_told(const struct event_list *list, size_t first, size_t index)
{
	const struct event *event = &list->items[index];
	for (size_t i = first; i < index; i++)
		if (same_group(&list->items[i], event) && same_text(list->items[i].op, event->op))
			return true;
	return false;
}

/* "write, meta": what else was tried. Returns how often all of it was. */
static uint64_t put_others(const struct event_list *list, size_t index, struct buf *out)
{
	uint64_t times = list->items[index].count;
	for (size_t i = index + 1; i < list->count; i++) {
		if (!same_group(&list->items[i], &list->items[index]))
			continue;
		times += list->items[i].count;
		if (is_op_told(list, index, i))
			continue;
		text_put_safe(out, str_from(list->items[i].op));
		buf_puts(out, ", ");
	}
	return times;
}

/* "meta, write '/w/.envrc' by sh, 3 times: shell start files (groups/shell-startup.yaml:7:5); try: -w /w" */
static void put_group(const struct event_list *list, size_t index, struct buf *out)
{
	const struct event *event = &list->items[index];
	auto_buf struct buf grant;
	buf_init(&grant, GRANT_MAX);
	uint64_t times = put_others(list, index, out);
	denial_text_put_what(event, out);
	if (times > 1)
		buf_printf(out, ", %llu times", (unsigned long long)times);
	buf_puts(out, ": ");
	denial_text_put_why(event, out);
	denial_text_put_grant(event, &grant);
	if (grant.len > 0)
		buf_printf(out, "; try: %s", grant.data);
}

static void put_lines(const struct learn *learn, struct buf *out)
{
	for (size_t i = 0; i < learn->lines.len && i < SHOWN_LINES; i++) {
		auto_buf struct buf line;
		buf_init(&line, LINE_MAX_BYTES);
		offers_put_line(vec_at(&learn->lines, i), &line);
		buf_puts(out, "\n    + ");
		text_put_safe(out, buf_str(&line));
	}
	if (learn->lines.len > SHOWN_LINES)
		buf_printf(out, "\n    + and %zu more", learn->lines.len - SHOWN_LINES);
}

static void put_groups(const struct offers *offers, size_t groups, struct buf *out)
{
	const struct event_list *list = &offers->denials;
	size_t shown = 0;
	for (size_t i = 0; i < list->count && shown < SHOWN_DENIALS; i++) {
		if (is_told_before(list, i))
			continue;
		buf_puts(out, "\n    ");
		put_group(list, i, out);
		shown++;
	}
	if (groups > shown)
		buf_printf(out, "\n    and %zu more%s", groups - shown, offers->dropped ? ", and others" : "");
}

void run_report_denials(const struct run_result *result, struct buf *out)
{
	const struct offers *offers = result->offers;
	if (result->status.denied == 0)
		return;
	put_head(result->status.denied, offers != NULL ? offers->learn.lines.len : 0, out);
	if (offers == NULL)
		return;
	size_t groups = count_groups(&offers->denials);
	put_lines(&offers->learn, out);
	if (groups != 1 || offers->learn.lines.len > 0) {
		put_groups(offers, groups, out);
		return;
	}
	buf_puts(out, ": ");
	put_group(&offers->denials, 0, out);
}
