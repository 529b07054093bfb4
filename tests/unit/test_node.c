#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/node.h"

/* ---- rig --------------------------------------------------------------------------------------------------------- */

enum { MAX = 1 << 20 };

static void start_value(struct buf *out, const struct node *node)
{
	if (node->key.ptr != NULL)
		buf_printf(out, "%s=", node->key.ptr);
}

/* {a=[n:1 t:x] } with the kind of each scalar in front. */
static void put_tree(const struct node *node, struct buf *out)
{
	static const char marks[] = {[NODE_NULL] = '0', [NODE_BOOL] = 'b', [NODE_NUMBER] = 'n', [NODE_TEXT] = 't'};
	start_value(out, node);
	if (node->kind != NODE_LIST && node->kind != NODE_MAP) {
		buf_printf(out, "%c:%s", marks[node->kind], node->text.ptr);
		return;
	}
	buf_putc(out, node->kind == NODE_MAP ? '{' : '[');
	size_t count = 0;
	for (const struct node *child = node->first; child != NULL; child = child->next) {
		if (count++ > 0)
			buf_putc(out, ' ');
		put_tree(child, out);
	}
	assert_int_equal(count, node->count);
	buf_putc(out, node->kind == NODE_MAP ? '}' : ']');
}

typedef enum berm_code (*parser)(struct arena *arena, struct str text, const char *file, const struct node **ret_root,
				 struct problems *problems, struct berm_err *err);

static void expect_tree(parser parse, const char *text, const char *expected)
{
	auto_arena struct arena arena;
	auto_buf struct buf out;
	struct problems problems = {0};
	struct berm_err err = {0};
	const struct node *root = NULL;
	arena_init(&arena, MAX);
	buf_init(&out, MAX);
	enum berm_code code = parse(&arena, str_from(text), "f", &root, &problems, &err);
	if (code != BERM_OK)
		fail_msg("%s: %s", text, err.msg);
	assert_int_equal(problems.count, 0);
	put_tree(root, &out);
	buf_putc(&out, '\0');
	assert_false(out.failed);
	assert_string_equal(out.data, expected);
}

static void expect_fault(parser parse, struct str text, const char *expected)
{
	auto_arena struct arena arena;
	auto_buf struct buf out;
	struct problems problems = {0};
	struct berm_err err = {0};
	const struct node *root = NULL;
	arena_init(&arena, MAX);
	buf_init(&out, MAX);
	enum berm_code code = parse(&arena, text, "f", &root, &problems, &err);
	if (code == BERM_OK)
		fail_msg("%s: is read", text.ptr);
	assert_int_equal(code, BERM_ERR_PARSE);
	assert_null(root);
	assert_true(problems.count > 0);
	assert_int_equal(err.code, BERM_ERR_PARSE);
	problems_print(&problems, &out);
	buf_putc(&out, '\0');
	assert_false(out.failed);
	assert_string_equal(out.data, expected);
	/* the first is what the error says; nobody needs to listen */
	struct berm_err deaf = {0};
	assert_int_equal(parse(&arena, text, "f", &root, NULL, &deaf), BERM_ERR_PARSE);
	assert_string_equal(deaf.msg, err.msg);
	assert_int_equal(strncmp(out.data, err.msg, strcspn(out.data, "\n")), 0);
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

struct tree_case {
	const char *text, *expected;
};

static const struct tree_case yaml_trees[] = {
	{"", "{}"},
	{"# nothing\n", "{}"},
	{"---\n...\n", "{}"},
	{"null", "0:null"},
	{"\xef\xbb\xbf"
	 "a: 1\n",
	 "{a=n:1}"},
	{"a: b\n", "{a=t:b}"},
	{"a: b", "{a=t:b}"},
	{"a:\n", "{a=0:}"},
	{"a: ''\n", "{a=t:}"},
	{"--- # c\na: b\n", "{a=t:b}"},
	/* JSON's scalars and no others */
	{"- true\n- false\n- null\n- 0\n- -1\n- 1.5\n- 1e3\n- 1.5E-3\n",
	 "[b:true b:false 0:null n:0 n:-1 n:1.5 n:1e3 n:1.5E-3]"},
	{"- yes\n- no\n- on\n- True\n- NULL\n- ~\n", "[t:yes t:no t:on t:True t:NULL t:~]"},
	{"- 1e\n- 0x1f\n- 0o7\n- 12:30\n- 01\n- .5\n- 1.\n- +1\n- -\n- 1_000\n- .inf\n",
	 "[t:1e t:0x1f t:0o7 t:12:30 t:01 t:.5 t:1. t:+1 [0:] t:1_000 t:.inf]"},
	{"- 'true'\n- \"1\"\n- ''\n", "[t:true t:1 t:]"},
	{"- 2001-01-01\n- =\n- 'it''s'\n", "[t:2001-01-01 t:= t:it's]"},
	{"a: {b: [c, d], e: {}}\nf:\n- g\n- - h\n  - i: j\n", "{a={b=[t:c t:d] e={}} f=[t:g [t:h {i=t:j}]]}"},
	{"a: |\n  one\n  two\nb: >\n  three\n  four\n", "{a=t:one\ntwo\n b=t:three four\n}"},
	{"a: \"\\x41\\u00e4\\t\"\n", "{a=t:A\xc3\xa4\t}"},
	{"'<<': x\n", "{<<=t:x}"},
	{"a: {}\nb: []\n", "{a={} b=[]}"},
	{"a: x # y\nb: x#y\n", "{a=t:x b=t:x#y}"},
	{"a:\tb\n", "{a=t:b}"},
	{"{a: 1}", "{a=n:1}"},
	{" {a: [b, c], # d\n \"e\": f,}\n", "{a=[t:b t:c] e=t:f}"},
};

static const struct tree_case json_trees[] = {
	{"{}", "{}"},
	{" \t\r\n[ ] \n", "[]"},
	{"{\"a\":1,\"b\":[true,false,null,-0.5e+7,\"x\"]}", "{a=n:1 b=[b:true b:false 0:null n:-0.5e+7 t:x]}"},
	{"{\n\t\"a\" : {\"b\" : {}}\n}\n", "{a={b={}}}"},
	{"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[t:\"\\/\b\f\n\r\t]"},
	{"[\"\\u0041\\u00e4\\u20ac\\ud83d\\uDE00\"]", "[t:A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80]"},
	{"[\"\xc3\xa4 # // /* \"]", "[t:\xc3\xa4 # // /* ]"},
	{"{\"\": \"\"}", "{=t:}"},
	{"[[],[[]],{}]", "[[] [[]] {}]"},
};

static const struct tree_case jsonc_trees[] = {
	{"", "{}"},
	{"// nothing\n", "{}"},
	{"/* a */ { // b\n \"x\": /**/ 1, /* * / */ \"y\": [2,], }", "{x=n:1 y=[n:2]}"},
	{"[\"// no\", \"/* no */\"] // end", "[t:// no t:/* no */]"},
	{"1", "n:1"},
};

static const struct tree_case toml_trees[] = {
	{"", "{}"},
	{"# nothing\r\n\n", "{}"},
	{"a = 1 # c\nb='x'\n c.d = true\nc.e = -1.5", "{a=n:1 b=t:x c={d=b:true e=n:-1.5}}"},
	{"a = [1, 2,\n # c\n 'x', ] # d\nb = []\nc = [[], [[]],]", "{a=[n:1 n:2 t:x] b=[] c=[[] [[]]]}"},
	{"a = {b = 1, 'c d'.e = [ ], \"f\" = {}}", "{a={b=n:1 c d={e=[]} f={}}}"},
	{"[a]\nb = 1\n[ c . d ] # e\nf = 2\n[a.g]\n[c]\nh = 3\n", "{a={b=n:1 g={}} c={d={f=n:2} h=n:3}}"},
	{"[[a]]\nb = 1\n[a.c]\nd = 2\n[[a]]\n[[a.e]]\n[[a.e]]\nf = 3", "{a=[{b=n:1 c={d=n:2}} {e=[{} {f=n:3}]}]}"},
	{"[a]\nb.c = 1\n[a.b.d]\n", "{a={b={c=n:1 d={}}}}"},
	{"a = \"\\b\\t\\n\\f\\r\\\"\\\\\\u00e4\\U0001F600\"\nb = 'c:\\x'",
	 "{a=t:\b\t\n\f\r\"\\\xc3\xa4\xf0\x9f\x98\x80 b=t:c:\\x}"},
	{"a = \"\"\"\none \\\n   two\\\"\"\"\"\"\nb = '''\n\\n'x''''\nc = \"\"\nd = \"\"\"\"\"\"",
	 "{a=t:one two\"\" b=t:\\n'x' c=t: d=t:}"},
	{"1.2 = 3\n-_ = 4", "{1={2=n:3} -_=n:4}"},
};

static const struct tree_case toml_faults[] = {
	{"a", "f:1:2: not TOML that is read here: '=' is expected behind the key\n"},
	{"a = ", "f:1:5: not TOML that is read here: a value is expected: a text in quotes, a plain number, true, "
		 "false, '[' or '{'\n"},
	{"a = b", "f:1:5: not TOML that is read here: a value is expected: a text in quotes, a plain number, true, "
		  "false, '[' or '{'\n"},
	{"a = null", "f:1:5: not TOML that is read here: a value is expected: a text in quotes, a plain number, true, "
		     "false, '[' or '{'\n"},
	{"a = 1979-05-27", "f:1:5: not TOML that is read here: a value is expected: a text in quotes, a plain number, "
			   "true, false, '[' or '{'\n"},
	{"a = 0x1f", "f:1:5: not TOML that is read here: a value is expected: a text in quotes, a plain number, true, "
		     "false, '[' or '{'\n"},
	{"a = 1 b = 2", "f:1:7: not TOML that is read here: something more on the line\n"},
	{"\na = 1\na = 2", "f:3:1: key 'a' is there twice\n"},
	{"[a]\n[b]\n[a]", "f:3:2: key 'a' is there already\n"},
	{"a = 1\n[a]", "f:2:2: key 'a' is there already\n"},
	{"a = 1\n[a.b]", "f:2:2: key 'a' is there already, as something that nothing can be added to\n"},
	{"a = []\n[[a]]", "f:2:3: key 'a' is there already\n"},
	{"[a]\n[[a]]", "f:2:3: key 'a' is there already\n"},
	{"[[a]]\n[a]", "f:2:2: key 'a' is there already\n"},
	{"a = {}\na.b = 1", "f:2:1: key 'a' is there already, as something that nothing can be added to\n"},
	{"a = {}\n[a.b]", "f:2:2: key 'a' is there already, as something that nothing can be added to\n"},
	{"[a]\nb.c = 1\n[a.b]", "f:3:4: key 'b' is there already\n"},
	{"[a.b]\nc = 1\n[a]\nb.d = 2", "f:4:1: key 'b' is there already, as something that nothing can be added to\n"},
	{"a = {b = 1,}", "f:1:12: not TOML that is read here: a key is expected\n"},
	{"a = {b = 1\n}", "f:1:11: not TOML that is read here: ',' or '}' is expected\n"},
	{"a = [1 2]", "f:1:8: not TOML that is read here: ',' or ']' is expected\n"},
	{"a = [1,\n,]", "f:2:1: not TOML that is read here: a value is expected: a text in quotes, a plain number, "
			"true, false, '[' or '{'\n"},
	{"a = [", "f:1:6: not TOML that is read here: a value is expected: a text in quotes, a plain number, true, "
		  "false, '[' or '{'\n"},
	{"a = \"x\ny\"", "f:1:6: not TOML that is read here: a text without an end\n"},
	{"a = \"\\", "f:1:6: not TOML that is read here: a text without an end\n"},
	{"a = \"\\q\"", "f:1:8: not TOML that is read here: an escape that there is not\n"},
	{"a = \"\\u12\"", "f:1:10: not TOML that is read here: an escape that there is not\n"},
	{"a = \"\\ud800\"", "f:1:12: not TOML that is read here: an escape of what is no character\n"},
	{"a = \"\\u0000\"", "f:1:12: not TOML that is read here: an escape of what is no character\n"},
	{"[a", "f:1:3: not TOML that is read here: ']' is expected\n"},
	{"[[a]", "f:1:4: not TOML that is read here: ']]' is expected\n"},
	{"[]", "f:1:2: not TOML that is read here: a key is expected\n"},
	{"= 1", "f:1:1: not TOML that is read here: a key is expected\n"},
	{"\"\"\"a\"\"\" = 1", "f:1:1: not TOML that is read here: a key of several lines\n"},
	{"a = \x01", "f:1:5: byte 0x01: a control character\n"},
};

static void test_toml_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(toml_trees); i++)
		expect_tree(node_parse_toml, toml_trees[i].text, toml_trees[i].expected);
}

static void test_toml_faults_have_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(toml_faults); i++)
		expect_fault(node_parse_toml, str_from(toml_faults[i].text), toml_faults[i].expected);
}

static void expect_toml_limit(const char *piece, size_t times)
{
	auto_arena struct arena arena;
	auto_buf struct buf text;
	const struct node *root = NULL;
	arena_init(&arena, NODE_MAX_MEMORY);
	buf_init(&text, NODE_MAX_BYTES);
	buf_puts(&text, "a = ");
	for (size_t i = 0; i < times; i++)
		buf_puts(&text, piece);
	assert_false(text.failed);
	assert_int_equal(node_parse_toml(&arena, buf_str(&text), "f", &root, NULL, NULL), BERM_ERR_LIMIT);
	assert_null(root);
}

static void test_toml_has_limits(void **state)
{
	(void)state;
	expect_toml_limit("[", NODE_MAX_DEPTH);
	expect_toml_limit("{a=", NODE_MAX_DEPTH);
	expect_toml_limit("[\n1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]\n[[b]]\na = ", 2000);
}

static void test_yaml_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yaml_trees); i++)
		expect_tree(node_parse, yaml_trees[i].text, yaml_trees[i].expected);
}

static void test_json_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(json_trees); i++) {
		expect_tree(node_parse, json_trees[i].text, json_trees[i].expected);
		expect_tree(node_parse_jsonc, json_trees[i].text, json_trees[i].expected);
	}
}

static void test_jsonc_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(jsonc_trees); i++)
		expect_tree(node_parse_jsonc, jsonc_trees[i].text, jsonc_trees[i].expected);
}

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

static const struct tree_case yaml_faults[] = {
	{"a: !!str b\n", "f:1:4: tags ('!') are not read\n  try: \"!!str\"\n"},
	{"a: !x {}\n", "f:1:4: tags ('!') are not read\n  try: \"!x\"\n"},
	{"a: &b c\n", "f:1:4: anchors ('&') are not read\n  try: \"&b\"\n"},
	{"a: &b [c]\nd: *b\n", "f:1:4: anchors ('&') are not read\n  try: \"&b\"\n"
			       "f:2:4: aliases ('*') are not read\n  try: \"*b\"\n"},
	{"- *b\n", "f:1:3: aliases ('*') are not read\n  try: \"*b\"\n"},
	{"- **/.env\n", "f:1:3: not YAML: no text starts with '*'\n  try: \"**/.env\"\n"},
	{"- \xc3\xa4\xf0\x9f\x98\x80\r\n- *.b]\n", "f:2:3: not YAML: no text starts with '*'\n  try: \"*.b\"\n"},
	{"- \xc3\xa4\n- !x\n", "f:2:3: tags ('!') are not read\n  try: \"!x\"\n"},
	{"- @b\n", "f:1:3: not YAML: no text starts with '@'\n  try: \"@b\"\n"},
	{"a:\n\tb: c\n",
	 "f:2:1: not YAML: found character that cannot start any token while scanning for the next token\n"
	 "  try: indent with spaces\n"},
	{"<<: {a: b}\n", "f:1:1: merge keys ('<<') are not read\n"},
	{"a: 1\nb: 2\na: 3\n", "f:3:1: key 'a' is there twice, first in line 1\n"},
	{"a: 1\nb: {c: 1, 'c': 2, c: 3}\n",
	 "f:2:11: key 'c' is there twice, first in line 2\nf:2:19: key 'c' is there twice, first in line 2\n"},
	{"a: 1\n---\nb: 2\n", "f:2:1: a second document: a file has one\n"},
	{"a: 1\n...\n---\n", "f:3:1: a second document: a file has one\n"},
	{"%YAML 1.2\n---\na: 1\n", "f:1:1: directives ('%') are not read\n"},
	{"%TAG ! x\n---\na: 1\n", "f:1:1: directives ('%') are not read\n"},
	{"- a\n  b\n",
	 "f:1:3: the text goes on in the next line\n  try: write it in one line, or as a block behind '|'\n"},
	{"- 'a\n  b'\n",
	 "f:1:3: the text goes on in the next line\n  try: write it in one line, or as a block behind '|'\n"},
	{"a: \"x\\0y\"\n", "f:1:4: a NUL in a text\n"},
	{"? [a]\n: b\n", "f:1:3: expected a key, found a list or map\n"},
	{"a: b: c\n", "f:1:5: not YAML: mapping values are not allowed in this context\n"},
	{"a: [b\n", "f:2:1: not YAML: did not find expected ',' or ']' while parsing a flow sequence\n"},
	{"a:\n  - b\n c: d\n", "f:3:2: not YAML: did not find expected key while parsing a block mapping\n"},
	{"a: 'b\n", "f:2:1: not YAML: found unexpected end of stream while scanning a quoted scalar\n"},
	{"a: \xff\n", "f:1:4: byte 0xff: not UTF-8\n"},
	{"\xc3\xa4: \xed\xa0\x80\n", "f:1:4: byte 0xed: not UTF-8\n"},
	{"a: 1\nb: \x01\n", "f:2:4: byte 0x01: a control character\n"},
	{"a: \x7f\n", "f:1:4: byte 0x7f: a control character\n"},
	{"a: \xc2\x85\n", "f:1:4: byte 0xc2: a control character\n"},
	{"a: b\xe2\x80\xa8"
	 "c\n",
	 "f:1:5: byte 0xe2: a line separator that programs read in different ways\n"},
	{"\xff\xfe"
	 "a\n",
	 "f:1:1: byte 0xff: not UTF-8\n"},
};

static const struct tree_case json_faults[] = {
	{"{", "f:1:2: not JSON: the text ends too early\n"},
	{"[1", "f:1:3: not JSON: the text ends too early\n"},
	{"{\"a\"", "f:1:5: not JSON: expected ':' behind the key\n"},
	{"{\"a\":", "f:1:6: not JSON: the text ends too early\n"},
	{"{} x", "f:1:4: not JSON: something behind the end\n"},
	{"[1,]", "f:1:4: not JSON: expected a value\n"},
	{"{\"a\":1,}", "f:1:8: not JSON: expected a key in '\"'\n"},
	{"{a: 1", "f:2:1: not YAML: did not find expected ',' or '}' while parsing a flow mapping\n"},
	{"{a: 1}}", "f:1:7: not YAML: did not find expected <document start>\n"},
	{"{a: 1, a: 2}", "f:1:8: key 'a' is there twice, first in line 1\n"},
	{"[\n  yes\n]", "f:2:3: not JSON: expected a value; texts stand in '\"'\n"},
	{"[01]", "f:1:2: not JSON: expected a value; texts stand in '\"'\n"},
	{"[1 2]", "f:1:4: not JSON: expected ',' or ']'\n"},
	{"{\"a\":1 \"b\":2}", "f:1:8: not JSON: expected ',' or '}'\n"},
	{"[}", "f:1:2: not JSON: expected a value\n"},
	{"[1}", "f:1:3: not JSON: expected ',' or ']'\n"},
	{"{]", "f:1:2: not YAML: did not find expected node content while parsing a flow node\n"},
	{"[\"a]", "f:1:2: not JSON: a text without an end\n"},
	{"[\"\\", "f:1:2: not JSON: a text without an end\n"},
	{"[\"a\\q\"]", "f:1:4: not JSON: an unknown escape in a text\n"},
	{"[\"\\u12\"]", "f:1:3: not JSON: '\\u' without four hex digits\n"},
	{"[\"\\u0000\"]", "f:1:3: not JSON: a NUL in a text\n"},
	{"[\"\\ud800\"]", "f:1:3: not JSON: half of a surrogate pair\n"},
	{"[\"\\ud800\\u0041\"]", "f:1:3: not JSON: half of a surrogate pair\n"},
	{"[\"\\udc00\"]", "f:1:3: not JSON: half of a surrogate pair\n"},
	{"[\"a\tb\"]", "f:1:4: not JSON: a line break or tab within a text: write it as '\\n' or '\\t'\n"},
	{"[\"a\nb\"]", "f:1:4: not JSON: a line break or tab within a text: write it as '\\n' or '\\t'\n"},
	{"{\"a\":1,\n\"\xc3\xa4\":2, \"a\":3}", "f:2:8: key 'a' is there twice, first in line 1\n"},
	{"[1] // c", "f:1:5: not JSON: something behind the end\n"},
	{"[//\n1]", "f:1:2: not JSON: expected a value\n"},
};

static const struct tree_case jsonc_faults[] = {
	{"[1 /* x", "f:1:4: not JSON: a comment without an end\n"},
	{"[1 /*/", "f:1:4: not JSON: a comment without an end\n"},
	{"[1 / 2]", "f:1:4: not JSON: a '/' that starts no comment\n"},
	{"[,]", "f:1:2: not JSON: expected a value\n"},
	{"[1,,]", "f:1:4: not JSON: expected a value\n"},
	{"a: b", "f:1:1: not JSON: expected a value; texts stand in '\"'\n"},
};

static void test_yaml_faults_have_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yaml_faults); i++)
		expect_fault(node_parse, str_from(yaml_faults[i].text), yaml_faults[i].expected);
	expect_fault(node_parse, (struct str){"a: \0", 4}, "f:1:4: byte 0x00: a control character\n");
}

static void test_json_faults_have_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(json_faults); i++)
		expect_fault(node_parse, str_from(json_faults[i].text), json_faults[i].expected);
	for (size_t i = 0; i < ARRAY_LEN(jsonc_faults); i++)
		expect_fault(node_parse_jsonc, str_from(jsonc_faults[i].text), jsonc_faults[i].expected);
}

/* ---- places, limits ---------------------------------------------------------------------------------------------- */

static void expect_place(const struct node *node, uint32_t key_line, uint32_t key_column, uint32_t line,
			 uint32_t column)
{
	assert_non_null(node);
	assert_int_equal(node->key_line, key_line);
	assert_int_equal(node->key_column, key_column);
	assert_int_equal(node->line, line);
	assert_int_equal(node->column, column);
}

static void test_nodes_know_their_place(void **state)
{
	(void)state;
	static const char *const texts[] = {"\xc3\xa4: \"\xc3\xb6\"\nb:\n  - {c: 1}\n",
					    "{\"\xc3\xa4\": 2,\n\"b\": [\n {\"c\": 1}]}"};
	auto_arena struct arena arena;
	const struct node *root = NULL;
	arena_init(&arena, MAX);
	assert_int_equal(node_parse(&arena, str_from(texts[0]), "f", &root, NULL, NULL), BERM_OK);
	expect_place(root, 0, 0, 1, 1);
	expect_place(node_find(root, "\xc3\xa4"), 1, 1, 1, 4);
	expect_place(node_find(root, "b"), 2, 1, 3, 3);
	expect_place(node_find(node_find(root, "b")->first, "c"), 3, 6, 3, 9);
	assert_int_equal(node_parse(&arena, str_from(texts[1]), "f", &root, NULL, NULL), BERM_OK);
	expect_place(node_find(root, "\xc3\xa4"), 1, 2, 1, 7);
	expect_place(node_find(root, "b"), 2, 1, 2, 6);
	expect_place(node_find(node_find(root, "b")->first, "c"), 3, 3, 3, 8);
}

static void test_find_misses_politely(void **state)
{
	(void)state;
	auto_arena struct arena arena;
	const struct node *root = NULL;
	arena_init(&arena, MAX);
	assert_int_equal(node_parse(&arena, STR("{\"a\": [1]}"), "f", &root, NULL, NULL), BERM_OK);
	assert_null(node_find(root, "b"));
	assert_null(node_find(NULL, "a"));
	assert_null(node_find(node_find(root, "a"), "a"));
	for (enum node_kind kind = NODE_NULL; kind <= NODE_MAP; kind++)
		assert_non_null(node_kind_text(kind));
}

static void expect_limit(const struct buf *text, const char *message)
{
	auto_arena struct arena arena;
	struct problems problems = {0};
	struct berm_err err = {0};
	const struct node *root = NULL;
	arena_init(&arena, NODE_MAX_MEMORY);
	assert_false(text->failed);
	assert_int_equal(node_parse(&arena, buf_str(text), "f", &root, &problems, &err), BERM_ERR_LIMIT);
	assert_string_equal(err.msg, message);
	assert_int_equal(problems.count, 1);
}

static void repeat(struct buf *text, const char *piece, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_puts(text, piece);
}

static void test_limits(void **state)
{
	(void)state;
	auto_buf struct buf text;
	buf_init(&text, 8U << 20);
	repeat(&text, "[", NODE_MAX_DEPTH + 1);
	expect_limit(&text, "f:1:33: too many maps and lists within each other, at most 32");
	buf_clear(&text);
	repeat(&text, "- ", NODE_MAX_DEPTH + 1);
	expect_limit(&text, "f:1:65: too many maps and lists within each other, at most 32");
	buf_clear(&text);
	repeat(&text, "# 34567\n", NODE_MAX_BYTES / 8 + 1);
	expect_limit(&text, "f:0:0: too many bytes, at most 4194304");
}

static void test_many_nodes(void **state)
{
	(void)state;
	NOT_TORTURED();
	auto_buf struct buf text;
	buf_init(&text, 8U << 20);
	repeat(&text, "- a\n", NODE_MAX_NODES);
	expect_limit(&text, "f:200000:3: too many values, at most 200000");
	buf_clear(&text);
	buf_puts(&text, "[");
	repeat(&text, "1,", NODE_MAX_NODES);
	expect_limit(&text, "f:1:400000: too many values, at most 200000");
}

static void test_depth_that_fits(void **state)
{
	(void)state;
	auto_buf struct buf text;
	buf_init(&text, 4096);
	repeat(&text, "[", NODE_MAX_DEPTH);
	repeat(&text, "]", NODE_MAX_DEPTH);
	auto_arena struct arena arena;
	const struct node *root = NULL;
	arena_init(&arena, MAX);
	assert_false(text.failed);
	assert_int_equal(node_parse(&arena, buf_str(&text), "f", &root, NULL, NULL), BERM_OK);
}

static void test_twins_in_large_maps(void **state)
{
	(void)state;
	auto_buf struct buf text;
	buf_init(&text, 1 << 16);
	for (int i = 0; i < 60; i++)
		buf_printf(&text, "k%d: 1\n", i);
	buf_puts(&text, "k7: 2\n");
	assert_false(text.failed);
	expect_fault(node_parse, buf_str(&text), "f:61:1: key 'k7' is there twice, first in line 8\n");
}

static void test_memory_is_bounded(void **state)
{
	(void)state;
	auto_arena struct arena arena;
	const struct node *root = NULL;
	struct berm_err err = {0};
	arena_init(&arena, 100);
	assert_int_equal(node_parse(&arena, STR("[1, 2, 3]"), "f", &root, NULL, &err), BERM_ERR_NOMEM);
	assert_int_equal(node_parse(&arena, STR("a: [1, 2, 3]"), "f", &root, NULL, &err), BERM_ERR_NOMEM);
	assert_null(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_toml_is_read),
		cmocka_unit_test(test_toml_faults_have_their_place),
		cmocka_unit_test(test_toml_has_limits),
		cmocka_unit_test(test_yaml_is_read),
		cmocka_unit_test(test_json_is_read),
		cmocka_unit_test(test_jsonc_is_read),
		cmocka_unit_test(test_yaml_faults_have_their_place),
		cmocka_unit_test(test_json_faults_have_their_place),
		cmocka_unit_test(test_nodes_know_their_place),
		cmocka_unit_test(test_find_misses_politely),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_many_nodes),
		cmocka_unit_test(test_depth_that_fits),
		cmocka_unit_test(test_twins_in_large_maps),
		cmocka_unit_test(test_memory_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
