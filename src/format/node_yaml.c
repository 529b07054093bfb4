#include <string.h>
#include <yaml.h>

#include "format/node_build.h"

/* libyaml gives the events; what it lets pass and this format does not know is told here. */

struct yaml_in {
	struct node_build *build;
	struct str text;
	bool started; /* the document */
	bool ended;
};

static void parser_done(yaml_parser_t *parser)
{
	yaml_parser_delete(parser);
}

static void event_done(yaml_event_t *event)
{
	yaml_event_delete(event);
}

#define auto_parser __attribute__((cleanup(parser_done)))
#define auto_event __attribute__((cleanup(event_done)))

static uint32_t line_of(const yaml_mark_t *mark)
{
	return (uint32_t)mark->line + 1;
}

static uint32_t column_of(const yaml_mark_t *mark)
{
	return (uint32_t)mark->column + 1;
}

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

/* What begins a text and means something else in YAML. */
static bool is_sign(char c)
{
	return c != '\0' && strchr("*&!%@`", c) != NULL;
}

/* libyaml counts characters. */
static size_t offset_of(const struct yaml_in *in, const yaml_mark_t *mark)
{
	size_t at = 0;
	for (size_t count = 0; at < in->text.len && count < mark->index; at++)
		count += at + 1 == in->text.len || ((uint8_t)in->text.ptr[at + 1] & 0xc0) != 0x80;
	return at;
}

/* A way out for what people write without knowing what it means: the text in quotes. */
static void hint_for(const struct yaml_in *in, size_t index)
{
	const char *at = in->text.ptr + index;
	size_t len = 0, left = index < in->text.len ? in->text.len - index : 0;
	while (len < left && strchr(" \t\r\n,]}\"", at[len]) == NULL)
		len++;
	if (left > 0 && *at == '\t')
		problem_hint(in->build->problems, "indent with spaces");
	else if (left > 0 && is_sign(*at))
		problem_hint(in->build->problems, "\"%.*s\"", (int)len, at);
}

/* libyaml's own words, if there are no better ones. */
static enum berm_code tell_syntax(const struct yaml_in *in, const yaml_parser_t *parser)
{
	const yaml_mark_t *at = &parser->problem_mark;
	uint32_t column = column_of(at);
	size_t index = offset_of(in, at);
	if (parser->error == YAML_MEMORY_ERROR)
		return node_build_no_memory(in->build);
	/* Behind the sign that made it an alias or an anchor. */
	bool behind = index > 0 && index <= in->text.len && column > 1 && is_sign(in->text.ptr[index - 1]);
	if (behind)
		index--;
	if (index < in->text.len && is_sign(in->text.ptr[index]))
		node_build_fault(in->build, line_of(at), column - behind, "not YAML: no text starts with '%c'",
				 in->text.ptr[index]);
	else
		node_build_fault(in->build, line_of(at), column, "not YAML: %s%s%s",
				 parser->problem != NULL ? parser->problem : "malformed",
				 parser->context != NULL ? " " : "", parser->context != NULL ? parser->context : "");
	hint_for(in, index);
	return BERM_ERR_PARSE;
}

static void tell(const struct yaml_in *in, const yaml_event_t *event, const char *what)
{
	node_build_fault(in->build, line_of(&event->start_mark), column_of(&event->start_mark), "%s", what);
}

static void tell_quotable(const struct yaml_in *in, const yaml_event_t *event, const char *what)
{
	const struct problems *problems = in->build->problems;
	tell(in, event, what);
	if (problems != NULL && !problems->more) /* many, in a long text, would be looked for for long */
		hint_for(in, offset_of(in, &event->start_mark));
}

static void check_decoration(const struct yaml_in *in, const yaml_event_t *event, const yaml_char_t *anchor,
			     const yaml_char_t *tag)
{
	if (tag != NULL)
		tell_quotable(in, event, "tags ('!') are not read");
	if (anchor != NULL)
		tell_quotable(in, event, "anchors ('&') are not read");
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

static enum berm_code take_document(struct yaml_in *in, const yaml_event_t *event)
{
	if (event->data.document_start.version_directive != NULL ||
	    event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
		tell(in, event, "directives ('%') are not read");
	if (in->started) {
		tell(in, event, "a second document: a file has one");
		return BERM_ERR_PARSE;
	}
	in->started = true;
	return BERM_OK;
}

static bool is_block(yaml_scalar_style_t style)
{
	return style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
}

/* A line that lost its dash or its quote would become the end of the text above. */
static void check_lines(const struct yaml_in *in, const yaml_event_t *event)
{
	if (!is_block(event->data.scalar.style) && event->start_mark.line != event->end_mark.line) {
		tell(in, event, "the text goes on in the next line");
		problem_hint(in->build->problems, "write it in one line, or as a block behind '|'");
	}
}

static enum berm_code take_key(struct yaml_in *in, const yaml_event_t *event, struct str text)
{
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && str_eq(text, STR("<<")))
		tell(in, event, "merge keys ('<<') are not read");
	return node_build_key(in->build, line_of(&event->start_mark), column_of(&event->start_mark), text);
}

static enum berm_code take_scalar(struct yaml_in *in, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	struct str text = {value, event->data.scalar.length};
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	check_decoration(in, event, event->data.scalar.anchor, event->data.scalar.tag);
	check_lines(in, event);
	if (memchr(text.ptr, '\0', text.len) != NULL)
		tell(in, event, "a NUL in a text");
	const char *copy = arena_text(in->build->arena, text);
	if (copy == NULL)
		return node_build_no_memory(in->build);
	text.ptr = copy;
	if (node_build_wants_key(in->build))
		return take_key(in, event, text);
	return node_build_scalar(in->build, plain ? node_plain_kind(text) : NODE_TEXT, line_of(&event->start_mark),
				 column_of(&event->start_mark), text, plain);
}

static enum berm_code take_open(struct yaml_in *in, const yaml_event_t *event, enum node_kind kind)
{
	const yaml_char_t *anchor =
		kind == NODE_MAP ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	const yaml_char_t *tag = kind == NODE_MAP ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	check_decoration(in, event, anchor, tag);
	if (node_build_wants_key(in->build)) {
		tell(in, event, "expected a key, found a list or map");
		return BERM_ERR_PARSE;
	}
	return node_build_open(in->build, kind, line_of(&event->start_mark), column_of(&event->start_mark));
}

/* Something stands in for the value, so that the rest is looked at as well. */
static enum berm_code take_alias(struct yaml_in *in, const yaml_event_t *event)
{
	tell_quotable(in, event, "aliases ('*') are not read");
	if (node_build_wants_key(in->build))
		return BERM_ERR_PARSE;
	return node_build_scalar(in->build, NODE_NULL, line_of(&event->start_mark), column_of(&event->start_mark),
				 STR(""), false);
}

static enum berm_code take(struct yaml_in *in, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return take_document(in, event);
	case YAML_SCALAR_EVENT:
		return take_scalar(in, event);
	case YAML_ALIAS_EVENT:
		return take_alias(in, event);
	case YAML_SEQUENCE_START_EVENT:
		return take_open(in, event, NODE_LIST);
	case YAML_MAPPING_START_EVENT:
		return take_open(in, event, NODE_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return node_build_close(in->build);
	case YAML_STREAM_END_EVENT:
		in->ended = true;
		return BERM_OK;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	default:
		return BERM_OK;
	}
}

static enum berm_code step(struct yaml_in *in, yaml_parser_t *parser)
{
	auto_event yaml_event_t event = {0};
	if (yaml_parser_parse(parser, &event) == 0)
		return tell_syntax(in, parser);
	return take(in, &event);
}

enum berm_code node_yaml_read(struct node_build *build, struct str text)
{
	struct yaml_in in = {.build = build, .text = text};
	auto_parser yaml_parser_t parser = {0};
	if (yaml_parser_initialize(&parser) == 0)
		return node_build_no_memory(build);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
	while (!in.ended)
		TRY(step(&in, &parser));
	return BERM_OK;
}
