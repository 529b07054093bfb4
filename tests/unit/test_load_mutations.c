/*
 * Real policies with mistakes in them, thousands, always the same ones. Nothing crashes or leaks, what loads can be written
 * and read back, and a deny does not get lost by a slip of the finger: either the file has an error, or as many lines deny
 * as before and all but the one that was hit say what they said. (Two slips are meant: a '#' makes a comment, and a whole
 * line that is gone is gone.)
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "doc_listing.h"
#include "policy/builtin.h"
#include "policy/load.h"
#include "policy/policy_text.h"
#include "text_lines.h"

enum { MAX = 1 << 20, MUTATIONS = 2000, SLIPS = 6000 };

/* ---- rig --------------------------------------------------------------------------------------------------------- */

static uint64_t seed;
static enum policy_doc_kind kind; /* of the policy at hand: some keys are for one kind alone */

/* xorshift64*: the same in every run. */
static uint64_t draw(uint64_t below)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dU % below;
}

static char strange_byte(void)
{
	static const char bytes[] = " \t\n:-[]{},\"'|>!&*%@`~?\\/.$x1\x01\x7f\xc3\xa9\xff";
	return bytes[draw(sizeof bytes)]; /* NUL included */
}

static const struct policy_doc *load(struct arena *arena, const struct buf *text)
{
	struct problems problems = {0};
	const struct policy_doc *doc = NULL;
	enum berm_code code = policy_load(arena, (struct policy_from){kind, "p"}, buf_str(text), &doc, &problems, NULL);
	if ((code == BERM_OK) != (problems.count == 0) || (code == BERM_OK) != (doc != NULL))
		fail_msg("code %d, %zu problems: %s", (int)code, problems.count, text->data);
	return doc;
}

/* Without the byte, or with another, or with one more in front. */
static void change_byte(struct buf *text, size_t at)
{
	uint64_t how = draw(3);
	char byte = strange_byte();
	auto_buf struct buf changed;
	buf_init(&changed, MAX);
	buf_put(&changed, text->data, at);
	if (how > 0)
		buf_putc(&changed, byte);
	size_t rest = how == 2 ? at : at + 1;
	buf_put(&changed, text->data + rest, text->len - rest);
	assert_false(changed.failed);
	buf_clear(text);
	buf_put_str(text, buf_str(&changed));
	assert_false(text->failed);
}

/* A line twice, or elsewhere, or gone. */
static void change_line(struct buf *text)
{
	uint64_t how = draw(3);
	size_t at = line_start(text, (uint32_t)draw(60) + 1), to = line_start(text, (uint32_t)draw(60) + 1);
	size_t len = line_length(text, at);
	auto_buf struct buf line, changed;
	buf_init(&line, MAX);
	buf_init(&changed, MAX);
	buf_put(&line, text->data + at, len);
	for (size_t i = 0; i <= text->len; i++) {
		if (i == to && how < 2)
			buf_put_str(&changed, buf_str(&line));
		if (i < text->len && (how == 0 || i < at || i >= at + len))
			buf_putc(&changed, text->data[i]);
	}
	assert_false(line.failed || changed.failed);
	buf_clear(text);
	buf_put_str(text, buf_str(&changed));
	assert_false(text->failed);
}

/* One of the policies that are shipped. */
static void write_policy(struct buf *text)
{
	size_t all = builtin_group_count + builtin_profile_count, index = (size_t)draw(all);
	const struct policy_doc *doc =
		index < builtin_group_count ? &builtin_groups[index] : &builtin_profiles[index - builtin_group_count];
	kind = doc->kind;
	buf_clear(text);
	policy_text_put(doc, false, text);
	assert_int_equal(buf_check(text, NULL), BERM_OK);
}

/* ---- any mistake ------------------------------------------------------------------------------------------------- */

static void mutate_and_load(struct buf *text)
{
	auto_arena struct arena arena;
	auto_buf struct buf first, second;
	arena_init(&arena, NODE_MAX_MEMORY);
	buf_init(&first, MAX);
	buf_init(&second, MAX);
	for (uint64_t times = draw(4) + 1; times > 0 && text->len > 0; times--) {
		if (draw(4) == 0)
			change_line(text);
		else
			change_byte(text, (size_t)draw(text->len));
	}
	if (text->len > 0 && draw(8) == 0)
		text->len = (size_t)draw(text->len);
	const struct policy_doc *doc = load(&arena, text);
	if (doc == NULL)
		return;
	policy_text_put(doc, false, &first);
	assert_int_equal(buf_check(&first, NULL), BERM_OK);
	const struct policy_doc *again = load(&arena, &first);
	assert_non_null(again);
	policy_text_put(again, false, &second);
	assert_int_equal(buf_check(&second, NULL), BERM_OK);
	assert_true(str_eq(buf_str(&first), buf_str(&second)));
}

static void test_mutated_files(void **state)
{
	(void)state;
	NOT_TORTURED();
	auto_buf struct buf text;
	buf_init(&text, MAX);
	seed = 4;
	for (int i = 0; i < MUTATIONS; i++) {
		write_policy(&text);
		mutate_and_load(&text);
	}
}

/* ---- a slip in a line that denies -------------------------------------------------------------------------------- */

static bool narrows(const struct policy_line *line)
{
	return line->key == KEY_DENY || line->key == KEY_PROTECT || line->key == KEY_NET_DENY;
}

static size_t count_narrowing(const struct policy_doc *doc)
{
	size_t count = 0;
	for (uint32_t i = 0; i < doc->line_count; i++)
		count += narrows(&doc->lines[i]);
	return count;
}

static const struct policy_line *narrowing(const struct policy_doc *doc, size_t index)
{
	uint32_t i = 0;
	while (!narrows(&doc->lines[i]) || index-- > 0)
		i++;
	return &doc->lines[i];
}

static bool has_line(const struct policy_doc *doc, const struct policy_line *line)
{
	auto_buf struct buf wanted;
	buf_init(&wanted, MAX);
	doc_listing_line(line, &wanted);
	for (uint32_t i = 0; i < doc->line_count; i++) {
		auto_buf struct buf found;
		buf_init(&found, MAX);
		doc_listing_line(&doc->lines[i], &found);
		if (str_eq(buf_str(&wanted), buf_str(&found)))
			return true;
	}
	return false;
}

static void expect_kept(const struct policy_doc *before, const struct policy_doc *after, const struct buf *text)
{
	size_t lost = 0, count = count_narrowing(before);
	for (size_t i = 0; i < count; i++)
		lost += !has_line(after, narrowing(before, i));
	if (count_narrowing(after) != count || lost > 1)
		fail_msg("%zu lines deny, not %zu; %zu are others now:\n%s", count_narrowing(after), count, lost,
			 text->data);
}

/* A byte of the line, or of the line with the key above it. */
static size_t place_of_slip(const struct buf *text, const struct policy_doc *doc)
{
	const struct policy_line *line = narrowing(doc, (size_t)draw(count_narrowing(doc)));
	bool above = draw(5) == 0 && line->line > 1;
	size_t start = line_start(text, above ? line->line - 1 : line->line);
	return start + (size_t)draw(line_length(text, start));
}

static size_t taken, refused; /* files with a slip */

static bool slip_and_load(struct buf *text)
{
	auto_arena struct arena arena;
	arena_init(&arena, NODE_MAX_MEMORY);
	const struct policy_doc *before = load(&arena, text);
	assert_non_null(before);
	if (count_narrowing(before) == 0)
		return false;
	change_byte(text, place_of_slip(text, before));
	const struct policy_doc *after = load(&arena, text);
	*(after != NULL ? &taken : &refused) += 1;
	if (after != NULL)
		expect_kept(before, after, text);
	return true;
}

static void test_no_deny_gets_lost_by_a_slip(void **state)
{
	(void)state;
	NOT_TORTURED();
	auto_buf struct buf text;
	buf_init(&text, MAX);
	seed = 5;
	for (int done = 0; done < SLIPS;) {
		write_policy(&text);
		done += slip_and_load(&text);
	}
	assert_true(taken > SLIPS / 10 && refused > SLIPS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutated_files),
		cmocka_unit_test(test_no_deny_gets_lost_by_a_slip),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
