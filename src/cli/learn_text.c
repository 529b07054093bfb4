#include "cli/learn_text.h"

#include <string.h>

#include "format/json_out.h"
#include "policy/question.h"
#include "ui/colour.h"
#include "ui/text.h"

enum { SHOWN_EVENTS = 3, MAX_LINE = 16 * 1024, INDENT = 4 };

/* "read /home/u/x  (cat)" */
static void put_event(const struct learn_event *event, struct buf *out)
{
	const char *program = event->program != NULL ? event->program : "";
	const char *slash = strrchr(program, '/');
	buf_printf(out, "%s ", question_op_word(event->op));
	text_put_safe(out, str_from(event->object));
	if (program[0] == '\0')
		return;
	buf_puts(out, "  (");
	text_put_safe(out, str_from(slash != NULL ? slash + 1 : program));
	buf_putc(out, ')');
}

static void put_line(const struct learn_line *line, const struct learn_events *events, const struct say_screen *screen,
		     struct buf *out)
{
	const struct learn_event *items = events->items.items;
	size_t shown = line->event_count < SHOWN_EVENTS ? line->event_count : SHOWN_EVENTS;
	colour_start(out, screen->colour, COLOUR_GOOD);
	buf_printf(out, "+ %s: ", policy_keys[line->key].path);
	text_put_safe(out, str_from(line->text));
	buf_puts(out, line->file ? "  (this alone, not what is below)" : "");
	colour_stop(out, screen->colour, COLOUR_GOOD);
	buf_putc(out, '\n');
	if (line->why[0] != '\0')
		buf_printf(out, "    %s:\n", line->why);
	for (size_t i = 0; i < shown; i++) {
		text_put_spaces(out, INDENT);
		put_event(&items[line->events[i]], out);
		buf_putc(out, '\n');
	}
	if (shown < line->event_count)
		buf_printf(out, "    and %zu more\n", line->event_count - shown);
}

static bool said_before(const struct learn *learn, const struct learn_events *events, size_t index)
{
	const struct learn_skipped *skipped = learn->skipped.items;
	const struct learn_event *items = events->items.items;
	const struct learn_event *event = &items[skipped[index].event];
	for (size_t i = 0; i < index; i++) {
		const struct learn_event *other = &items[skipped[i].event];
		if (other->op == event->op && strcmp(other->object, event->object) == 0)
			return true;
	}
	return false;
}

static bool has_network(const struct learn *learn)
{
	const struct learn_line *lines = learn->lines.items;
	for (size_t i = 0; i < learn->lines.len; i++)
		if (lines[i].key == KEY_NET_ALLOW)
			return true;
	return false;
}

void learn_text_put(const struct learn *learn, const struct learn_events *events, const struct say_screen *screen,
		    struct buf *out)
{
	const struct learn_line *lines = learn->lines.items;
	const struct learn_skipped *skipped = learn->skipped.items;
	const struct learn_event *items = events->items.items;
	for (size_t i = 0; i < learn->lines.len; i++)
		put_line(&lines[i], events, screen, out);
	if (has_network(learn))
		buf_puts(out, "This version filters no network: what is allowed here counts from the one that does.\n");
	if (learn->skipped.len > 0)
		buf_puts(out, "not proposed:\n");
	for (size_t i = 0; i < learn->skipped.len; i++) {
		if (said_before(learn, events, i))
			continue;
		text_put_spaces(out, INDENT);
		put_event(&items[skipped[i].event], out);
		buf_puts(out, ": ");
		text_put_safe(out, str_from(skipped[i].why));
		buf_putc(out, '\n');
	}
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void put_event_json(const struct learn_event *event, struct json_out *json)
{
	json_text(json, "op", str_from(question_op_word(event->op)));
	json_text(json, "object", str_from(event->object));
	if (event->program != NULL && event->program[0] != '\0')
		json_text(json, "program", str_from(event->program));
	json_u64(json, "seq", event->seq);
	json_u64(json, "count", event->count);
}

static void put_line_json(const struct learn_line *line, const struct learn_event *items, struct json_out *json)
{
	json_object(json, NULL);
	json_text(json, "line", str_from(policy_keys[line->key].path));
	json_text(json, "value", str_from(line->text));
	if (line->file)
		json_text(json, "extent", STR("file"));
	if (line->why[0] != '\0')
		json_text(json, "why", str_from(line->why));
	json_array(json, "events");
	for (size_t i = 0; i < line->event_count; i++) {
		json_object(json, NULL);
		put_event_json(&items[line->events[i]], json);
		json_object_end(json);
	}
	json_array_end(json);
	json_object_end(json);
}

void learn_text_json(const struct learn *learn, const struct learn_events *events, struct buf *out)
{
	const struct learn_line *lines = learn->lines.items;
	const struct learn_skipped *skipped = learn->skipped.items;
	const struct learn_event *items = events->items.items;
	struct json_out json;
	json_init(&json, out);
	json_object(&json, NULL);
	json_array(&json, "lines");
	for (size_t i = 0; i < learn->lines.len; i++)
		put_line_json(&lines[i], items, &json);
	json_array_end(&json);
	json_array(&json, "not_proposed");
	for (size_t i = 0; i < learn->skipped.len; i++) {
		json_object(&json, NULL);
		put_event_json(&items[skipped[i].event], &json);
		json_text(&json, "why", str_from(skipped[i].why));
		json_object_end(&json);
	}
	json_array_end(&json);
	json_object_end(&json);
	buf_putc(out, '\n');
}
