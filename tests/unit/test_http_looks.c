#include "check.h"

#include "unit/http_checks.h"

static const struct {
	const char *first;
	int looks;
} looks[] = {
	{"GET / HTTP/1.1\r\n", 1},
	{"\r\n\r\n GET / HTTP/1.1\r\n", 1},
	{"get / http/1.0\r\n", 1},
	{"PRI * HTTP/2.0\r\n", 1},
	{"G\tT\vHTTP/9", 1},
	{"GET /\r\n", 1},
	{"GET / HTTP", -1},
	{"GET", -1},
	{"\r\n", -1},
	{"", -1},
	{"GET key\r\n", 0}, /* Redis has lines as well */
	{"PING\r\n", 0},
	{"EHLO example.org\r\n", 0},
	{"SSH-2.0-OpenSSH_9.2 x\r\n", 0},
	{"\x16\x03\x01", 0},
	{"*1\r\n$4\r\nPING\r\n", 0},
};

static void test_what_looks_like_http(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		assert_int_equal(http_flow_looks(str_from(looks[i].first)), looks[i].looks);
	assert_int_equal(http_flow_looks((struct str){"\0\0\0\x08", 4}), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_looks_like_http),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
