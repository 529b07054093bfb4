#include "check.h"

#include <string.h>

#include "base/own.h"
#include "format/url.h"

struct row {
	const char *text, *expected; /* NULL: refused */
};

static void has_authority(const char *text, const char *expected)
{
	struct url_authority got = {.port = 0};
	auto_buf struct buf out = {0};
	struct berm_err err = {.code = BERM_OK};
	enum berm_code code = url_authority_parse(str_from(text), &got, &err);
	if (expected == NULL) {
		assert_int_equal(code, BERM_ERR_PARSE);
		assert_true(err.msg[0] != '\0');
		return;
	}
	assert_int_equal(code, BERM_OK);
	buf_init(&out, 512);
	url_authority_print(&got, 0, &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data, expected);
}

static void test_authorities(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"example.org", "example.org"},
		{"EXAMPLE.Org:8080", "example.org:8080"},
		{"a_b.x-y.z", "a_b.x-y.z"},
		{"localhost:1", "localhost:1"},
		{"xn--bcher-kva.example:65535", "xn--bcher-kva.example:65535"},
		{"10.0.0.255", "10.0.0.255"},
		{"[::1]", "[::1]"},
		{"[::]:80", "[::]:80"},
		{"[2001:DB8:0:0:1:0:0:1]:443", "[2001:db8::1:0:0:1]:443"},
		{"[2001:db8:0:1:1:1:1:1]", "[2001:db8:0:1:1:1:1:1]"},
		{"[1:0:0:2:0:0:0:3]", "[1:0:0:2::3]"},
		{"[1::]", "[1::]"},
		{"[::ffff:1.2.3.4]", "1.2.3.4"},
		{"[::ffff:0102:0304]", "1.2.3.4"},
		{"[64:ff9b::1.2.3.4]", "[64:ff9b::102:304]"},
		{"", NULL},
		{":80", NULL},
		{"example.org:", NULL},
		{"example.org:0", NULL},
		{"example.org:65536", NULL},
		{"example.org:000080", NULL},
		{"example.org:8o", NULL},
		{"example.org:80:80", NULL},
		{"Example.org.", "example.org"},
		{"example.org..", NULL},
		{"example.org:080", NULL},
		{".example.org", NULL},
		{"a..b", NULL},
		{"-a.org", NULL},
		{"a-.org", NULL},
		{"a b.org", NULL},
		{"a%41.org", NULL},
		{"a/b", NULL},
		{"a@b", NULL},
		{"a\\b", NULL},
		{"b\xc3\xbc.org", NULL},
		{"127.1", NULL},
		{"127.0.0.1.", NULL},
		{"1.2.3.4.5", NULL},
		{"1.2.3.256", NULL},
		{"01.2.3.4", NULL},
		{"2130706433", NULL},
		{"0x7f.0.0.1", NULL},
		{"0x7f000001", NULL},
		{"a.0x", NULL},
		{"a.1", NULL},
		{"::1", NULL},
		{"[::1", NULL},
		{"[]", NULL},
		{"[::1]80", NULL},
		{"[::1]:", NULL},
		{"[fe80::1%eth0]", NULL},
		{"[1.2.3.4]", NULL},
		{"[:::]", NULL},
		{"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		has_authority(rows[i].text, rows[i].expected);
}

static void has_target(const char *text, const char *expected)
{
	static struct url_target got, again;
	enum berm_code code = url_target_parse(str_from(text), &got, NULL);
	if (expected == NULL) {
		assert_int_equal(code, BERM_ERR_PARSE);
		return;
	}
	assert_int_equal(code, BERM_OK);
	assert_string_equal(got.text, expected);
	assert_int_equal(got.len, strlen(expected));
	/* The one form is the form of itself. */
	assert_int_equal(url_target_parse((struct str){got.text, got.len}, &again, NULL), BERM_OK);
	assert_string_equal(again.text, expected);
	assert_int_equal(again.path_len, got.path_len);
}

static void test_paths(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"/", "/"},
		{"/a/b.c~d_e-f", "/a/b.c~d_e-f"},
		{"/!$&'()*+,=:@", "/!$&'()*+,=:@"},
		{"/%7euser/%41%2e%2D", "/~user/A.-"},
		{"/a%3ab%3fc%23d", "/a%3Ab%3Fc%23d"},
		{"/a%20b", "/a%20b"},
		{"/a%2fb", "/a%2Fb"},
		{"/100%25", "/100%25"},
		{"/%2541", "/%2541"},
		{"//a///b/", "/a/b/"},
		{"/a/./b/../c", "/a/c"},
		{"/a/%2e/b/%2E%2e/c", "/a/c"},
		{"/a/b/..", "/a/"},
		{"/a/.", "/a/"},
		{"/a/..", "/"},
		{"/a//../b", "/b"},
		{"/...", "/..."},
		{"/a/.b/..c", "/a/.b/..c"},
		{"/a%2f.b", "/a%2F.b"},
		{"/a[0]{b}|c^\"<>`", "/a%5B0%5D%7Bb%7D%7Cc%5E%22%3C%3E%60"},
		{"/b\xc3\xbc", "/b%C3%BC"},
		{"/b%c3%bc%e2%82%ac", "/b%C3%BC%E2%82%AC"},
		{"/\xf0\x9f\x98\x80%f0%9f%98%80", "/%F0%9F%98%80%F0%9F%98%80"},
		{"", NULL},
		{"a", NULL},
		{"/..", NULL},
		{"/%2e%2e/a", NULL},
		{"/a/../../b", NULL},
		{"/a%2f..", NULL},
		{"/..%2fa", NULL},
		{"/a%2f%2e%2e%2fb", NULL},
		{"/a%2f./b", NULL},
		{"/a%00", NULL},
		{"/a%0a", NULL},
		{"/a%1fb", NULL},
		{"/a%7f", NULL},
		{"/a\\b", NULL},
		{"/a%5cb", NULL},
		{"/a;b", NULL},
		{"/a/..;/b", NULL},
		{"/a%3bb", NULL},
		{"/a b", NULL},
		{"/a\tb", NULL},
		{"/a\x7f", NULL},
		{"/a#b", NULL},
		{"/a%", NULL},
		{"/a%4", NULL},
		{"/a%4g", NULL},
		{"/a%%41", NULL},
		{"/%c0%af", NULL},
		{"/%c0%ae%c0%ae/", NULL},
		{"/%e0%80%af", NULL},
		{"/%ed%a0%80", NULL},
		{"/%ff", NULL},
		{"/%c3", NULL},
		{"/%c3/%bc", NULL},
		{"/%252e%252e/a", NULL},
		{"/a%252Fb", NULL},
		{"/a%255cb", NULL},
		{"/a%25%32%65", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		has_target(rows[i].text, rows[i].expected);
}

static void test_queries(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{"/?", "/?"},
		{"/a?b=c&d=%7e%41", "/a?b=c&d=~A"},
		{"/a?../b//c/./d?;:@", "/a?../b//c/./d?;:@"},
		{"/a?x=%00%0d%0a%ff%2f%5c", "/a?x=%00%0D%0A%FF%2F%5C"},
		{"/a?q=\"[x]\\\xe4|", "/a?q=%22%5Bx%5D%5C%E4%7C"},
		{"/a?a+b%2bc", "/a?a+b%2Bc"},
		{"/../?a", NULL},
		{"/a?b#c", NULL},
		{"/a?b c", NULL},
		{"/a?100%", NULL},
		{"/a?%zz", NULL},
		{"?a", NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		has_target(rows[i].text, rows[i].expected);
}

static void test_parts(void **state)
{
	(void)state;
	static struct url_target target;
	assert_int_equal(url_target_parse(STR("/a%2Fb?c?d"), &target, NULL), BERM_OK);
	assert_true(target.encoded_slash);
	assert_true(str_eq(url_path(&target), STR("/a%2Fb")));
	assert_true(str_eq(url_query(&target), STR("c?d")));
	assert_int_equal(url_target_parse(STR("/a?b=%2F"), &target, NULL), BERM_OK);
	assert_false(target.encoded_slash);
	assert_int_equal(url_target_parse(STR("/a"), &target, NULL), BERM_OK);
	assert_int_equal(url_query(&target).len, 0);
	assert_int_equal(url_target_parse((struct str){"/a\0b", 4}, &target, NULL), BERM_ERR_PARSE);
}

static void test_targets_have_a_length(void **state)
{
	(void)state;
	static struct url_target target;
	static char text[URL_TARGET_MAX + 1];
	memset(text, 'a', sizeof text);
	text[0] = '/';
	assert_int_equal(url_target_parse((struct str){text, URL_TARGET_MAX - 1}, &target, NULL), BERM_OK);
	assert_int_equal(target.len, URL_TARGET_MAX - 1);
	assert_int_equal(url_target_parse((struct str){text, URL_TARGET_MAX}, &target, NULL), BERM_ERR_LIMIT);
	text[URL_TARGET_MAX - 2] = '"'; /* becomes three bytes */
	assert_int_equal(url_target_parse((struct str){text, URL_TARGET_MAX - 1}, &target, NULL), BERM_ERR_LIMIT);
}

static void has_url(const char *text, enum url_scheme scheme, uint16_t port, const char *host, const char *target)
{
	static struct url url;
	assert_int_equal(url_parse(str_from(text), &url, NULL), BERM_OK);
	assert_int_equal(url.scheme, scheme);
	assert_int_equal(url_port(&url), port);
	assert_string_equal(url.authority.host.name, host);
	assert_string_equal(url.target.text, target);
}

static void test_addresses(void **state)
{
	(void)state;
	static const char *const refused[] = {
		"",
		"example.org",
		"ftp://example.org/",
		"http:/example.org/",
		"http://",
		"http:///a",
		"http://user@example.org/",
		"http://user:word@example.org/",
		"http://example.org\\@evil.example/",
		"http://example.org/#a",
		"http://example.org#a",
		"http://example.org?a#b",
		"http://example.org:80a/",
		" http://example.org/",
		"http://exa mple.org/",
		"http://example.org/..",
		"httpx://example.org/",
	};
	static struct url url;
	has_url("http://example.org", URL_HTTP, 80, "example.org", "/");
	has_url("HTTPS://Example.ORG/a/../b?c", URL_HTTPS, 443, "example.org", "/b?c");
	has_url("https://example.org?a=b@c", URL_HTTPS, 443, "example.org", "/?a=b@c");
	has_url("http://[::1]:8080/@a", URL_HTTP, 8080, "::1", "/@a");
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_int_equal(url_parse(str_from(refused[i]), &url, NULL), BERM_ERR_PARSE);
}

static void test_default_ports_are_not_written(void **state)
{
	(void)state;
	struct url_authority authority = {.port = 0};
	auto_buf struct buf out = {0};
	buf_init(&out, 512);
	assert_int_equal(url_authority_parse(STR("a.b:80"), &authority, NULL), BERM_OK);
	url_authority_print(&authority, url_default_port(URL_HTTP), &out);
	buf_putc(&out, ' ');
	url_authority_print(&authority, url_default_port(URL_HTTPS), &out);
	assert_int_equal(buf_check(&out, NULL), BERM_OK);
	assert_string_equal(out.data, "a.b a.b:80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_authorities),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_targets_have_a_length),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_default_ports_are_not_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
