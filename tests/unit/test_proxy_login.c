#include "check.h"

#include <stdio.h>

#include "unit/http_checks.h"

static const struct {
	const char *field;
	bool fits;
} logins[] = {
	{"Proxy-Authorization: Bearer secret\r\n", true},
	{"proxy-authorization: basic dTpzZWNyZXQ=\r\n", true}, /* u:secret */
	{"Proxy-Authorization: Basic c2VjcmV0Og==\r\n", true}, /* secret: */
	{"Proxy-Authorization: Basic  c2VjcmV0Og\r\n", true},
	{"", false},
	{"Authorization: Bearer secret\r\n", false},
	{"Proxy-Authorization: Bearer secre\r\n", false},
	{"Proxy-Authorization: Bearer secret2\r\n", false},
	{"Proxy-Authorization: secret\r\n", false},
	{"Proxy-Authorization: Basic c2VjcmV0OnU=\r\n", false}, /* secret:u */
	{"Proxy-Authorization: Basic c2VjcmV0\r\n", false},	/* secret */
	{"Proxy-Authorization: Basic c2!jcmV0Og==\r\n", false},
};

static void test_a_token_is_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(logins); i++) {
		auto_rig int end = 0;
		char request[256];
		begin(true, false);
		rig.egress.token = "secret";
		(void)snprintf(request, sizeof(request), TO("example.org") "%s\r\n", logins[i].field);
		rig_say(rig.client, str_from(request));
		rig_turn();
		assert_int_equal(rig.asked, logins[i].fits ? 1 : 0);
		if (logins[i].fits)
			assert_null(strstr(rig_hear(rig.upstream, &end).ptr, "Proxy-"));
		else
			expect_status("HTTP/1.1 407 Proxy Authentication Required\r\n",
				      "\r\nProxy-Authenticate: Basic realm=\"berm\"\r\n", 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_token_is_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
