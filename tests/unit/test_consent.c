#include "check.h"

#include "sources_rig.h"

#include "session/consent.h"

static const struct policy_attr private[] = {{ATTR_PRIVATE, "true"}, {ATTR_WHY, "\x1b[2Jx"}};
static const struct policy_line lines[] = {
	{.key = KEY_DENY, .line = 1, .text = "/x"},
	{.key = KEY_READ, .line = 2, .wanted = true, .text = "/opt/sdk"},
	{.key = KEY_NET_ALLOW, .line = 3, .wanted = true, .text = "a.example", .attrs = private, .attr_count = 2},
};

static struct policy_doc doc_of(const char *file, uint8_t first)
{
	return (struct policy_doc){
		.file = file, .lines = lines, .line_count = ARRAY_LEN(lines), .digest = {first, 0xab}};
}

static bool is_found(const struct place_rig *place, const struct policy_doc *doc)
{
	bool found = true;
	struct berm_err err;
	assert_int_equal(consent_find(in_place(place, "a/state"), doc, &found, &err), BERM_OK);
	return found;
}

static void test_a_consent_is_for_one_content_of_one_file(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	const struct policy_doc one = doc_of("/w/.berm.yaml", 1), other = doc_of("/w/.berm.yaml", 2);
	const struct policy_doc moved = doc_of("/v/.berm.yaml", 1), longer = doc_of("/w/.berm.yaml2", 1);
	assert_false(is_found(place, &one));
	assert_int_equal(consent_store(in_place(place, "a/state"), &one, &err), BERM_OK);
	assert_true(is_found(place, &one));
	assert_false(is_found(place, &other) || is_found(place, &moved) || is_found(place, &longer));
	assert_int_equal(consent_store(in_place(place, "a/state"), &other, &err), BERM_OK);
	assert_true(is_found(place, &one) && is_found(place, &other));
	bool found = true;
	assert_int_equal(consent_find(NULL, &one, &found, &err), BERM_OK);
	assert_false(found);
}

static void test_a_consent_is_kept_once_and_for_its_owner(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	struct stat st;
	const struct policy_doc one = doc_of("/w/.berm.yaml", 1);
	assert_int_equal(consent_store(in_place(place, "a/state"), &one, &err), BERM_OK);
	assert_int_equal(stat(in_place(place, "a/state/consents"), &st), 0);
	const off_t size = st.st_size;
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(consent_store(in_place(place, "a/state"), &one, &err), BERM_OK);
	assert_int_equal(stat(in_place(place, "a/state/consents"), &st), 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(stat(in_place(place, "a/state"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_old_consents_go(void **state)
{
	NOT_TORTURED();
	const struct place_rig *place = *state;
	struct berm_err err;
	struct policy_doc doc = doc_of("/w/.berm.yaml", 0);
	auto_free char *text = calloc(1, 200000);
	assert_non_null(text);
	size_t at = 0;
	for (unsigned i = 0; i < 1500; i++)
		at += (size_t)snprintf(text + at, 200000 - at, "%064x /old/%u\n", i, i);
	place_put(place, "a/state/consents", text);
	assert_int_equal(consent_store(in_place(place, "a/state"), &doc, &err), BERM_OK);
	assert_true(is_found(place, &doc));
	memset(doc.digest, 0, sizeof doc.digest);
	doc.file = "/old/0";
	assert_false(is_found(place, &doc));
	doc.file = "/old/1499";
	doc.digest[30] = 1499 / 256;
	doc.digest[31] = 1499 % 256;
	assert_true(is_found(place, &doc));
}

/* A path with a line break could be two consents. */
static void test_no_path_makes_two_consents(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	const struct policy_doc split = doc_of("/w/x\n0000 /y/.berm.yaml", 1), relative = doc_of(".berm.yaml", 1);
	assert_int_equal(consent_store(in_place(place, "a/state"), &split, &err), BERM_ERR_INVALID);
	assert_int_equal(consent_store(in_place(place, "a/state"), &relative, &err), BERM_ERR_INVALID);
	assert_false(is_found(place, &split));
}

static void test_consents_that_others_may_write_are_none(void **state)
{
	const struct place_rig *place = *state;
	struct berm_err err;
	bool found = true;
	const struct policy_doc one = doc_of("/w/.berm.yaml", 1);
	assert_int_equal(consent_store(in_place(place, "a/state"), &one, &err), BERM_OK);
	assert_int_equal(chmod(in_place(place, "a/state/consents"), 0602), 0);
	assert_int_equal(consent_find(in_place(place, "a/state"), &one, &found, &err), BERM_ERR_DENIED);
	assert_false(found);
	assert_int_equal(chmod(in_place(place, "a/state/consents"), 0600), 0);
	assert_int_equal(chmod(in_place(place, "a/state"), 0777), 0);
	assert_int_equal(consent_find(in_place(place, "a/state"), &one, &found, &err), BERM_ERR_DENIED);
	assert_int_equal(consent_store(in_place(place, "a/state"), &one, &err), BERM_ERR_DENIED);
}

static void test_hashes(void **state)
{
	(void)state;
	char hash[CONSENT_HASH_CHARS + 1];
	const struct policy_doc one = doc_of("/w/.berm.yaml", 1), other = doc_of("/w/.berm.yaml", 2);
	consent_hash(&one, hash);
	assert_int_equal(strlen(hash), CONSENT_HASH_CHARS);
	assert_int_equal(strncmp(hash, "01ab00", 6), 0);
	assert_true(consent_hash_is(&one, hash));
	assert_false(consent_hash_is(&other, hash) || consent_hash_is(&one, "") || consent_hash_is(&one, "01ab"));
	hash[3] = 'B';
	assert_true(consent_hash_is(&one, hash));
}

static void test_the_document_of_what_is_wanted(void **state)
{
	(void)state;
	struct berm_err err;
	__attribute__((cleanup(arena_done))) struct arena arena;
	arena_init(&arena, 1 << 16);
	const struct policy_doc one = doc_of("/w/.berm.yaml", 1), *wanted = NULL;
	struct policy_doc none = one;
	none.line_count = 1;
	assert_true(consent_is_needed(&one));
	assert_false(consent_is_needed(&none));
	assert_int_equal(consent_document(&arena, &one, &wanted, &err), BERM_OK);
	assert_int_equal(wanted->line_count, 2);
	assert_false(wanted->lines[0].wanted);
	assert_string_equal(wanted->lines[0].text, "/opt/sdk");
	assert_string_equal(wanted->file, "/w/.berm.yaml");
}

static void test_the_difference_that_a_consent_makes(void **state)
{
	(void)state;
	const struct policy_line has = {.key = KEY_READ, .text = "/opt/sdk"};
	const struct policy_line bare = {.key = KEY_NET_ALLOW, .text = "a.example"};
	struct policy_entry entries[] = {{.line = &has, .text = "/opt/sdk"}, {.line = &bare, .text = "a.example"}};
	const struct policy policy = {.entries = entries, .count = 2};
	const struct policy_doc one = doc_of("/w/.berm.yaml", 1);
	auto_buf struct buf out;
	buf_init(&out, 4096);
	assert_int_equal(consent_diff(&one, NULL, &out), 2);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data, "+ filesystem.read: /opt/sdk  (line 2)\n"
				      "+ network.allow: a.example {private: true, why: ?[2Jx}  (line 3)\n");
	buf_clear(&out);
	assert_int_equal(consent_diff(&one, &policy, &out), 1);
	assert_int_equal(strncmp(out.data, "  filesystem.read", 17), 0);
	entries[0].off = &entries[1];
	buf_clear(&out);
	assert_int_equal(consent_diff(&one, &policy, &out), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_place(test_a_consent_is_for_one_content_of_one_file),
		on_place(test_a_consent_is_kept_once_and_for_its_owner),
		on_place(test_old_consents_go),
		on_place(test_no_path_makes_two_consents),
		on_place(test_consents_that_others_may_write_are_none),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_the_document_of_what_is_wanted),
		cmocka_unit_test(test_the_difference_that_a_consent_makes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
