#include "check.h"

#include <string.h>

#include "base/own.h"
#include "session/distro.h"

struct distro_case {
	const char *text, *words;
};

static void test_words_of_a_distribution(void **state)
{
	(void)state;
	static const struct distro_case cases[] = {
		{"NAME=\"Debian GNU/Linux\"\nID=debian\n", "debian"},
		{"ID=ubuntu\nID_LIKE=debian\n", "ubuntu debian"},
		{"ID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9\"\nID=\"almalinux\"", "almalinux rhel centos fedora"},
		{"ID='arch'\n", "arch"},
		/* none */
		{"", ""},
		{"ID=\n", ""},
		{"VERSION_ID=9\nBUILD_ID=x\n", ""},
		{"ID_LIKE=debian\n", ""},
		{"ID=$(reboot)\n", ""},
		{"ID=Debian\n", ""},
		{"ID=a/b\nID_LIKE=debian\n", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char words[64];
		distro_parse(str_from(cases[i].text), words, sizeof words);
		assert_string_equal(words, cases[i].words);
	}
}

static void test_what_does_not_fit_is_none(void **state)
{
	(void)state;
	char words[7];
	distro_parse(STR("ID=debian\n"), words, sizeof words);
	assert_string_equal(words, "debian");
	distro_parse(STR("ID=debian\nID_LIKE=x\n"), words, sizeof words);
	assert_string_equal(words, "");
}

static void test_this_machine(void **state)
{
	(void)state;
	char words[256];
	memset(words, 'x', sizeof words);
	distro_find(words, sizeof words);
	assert_true(strlen(words) < sizeof words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_a_distribution),
		cmocka_unit_test(test_what_does_not_fit_is_none),
		cmocka_unit_test(test_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
