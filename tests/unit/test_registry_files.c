#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "format/registry_files.h"

struct told {
	char text[2048];
	size_t len;
	int stop_after;
};

/* "main URL;" for each. */
static bool add(void *context, enum registry_role role, struct str url)
{
	static const char *const words[] = {"main", "sums", "extra"};
	struct told *told = context;
	told->len += (size_t)snprintf(told->text + told->len, sizeof told->text - told->len, "%s %.*s;", words[role],
				      (int)url.len, url.ptr);
	return told->stop_after == 0 || --told->stop_after > 0;
}

static struct str variable(void *context, struct str name)
{
	(void)context;
	return str_eq(name, STR("HOST")) ? STR("npm.corp.example") : STR("");
}

static void tells(registry_reader reader, const char *text, const char *expected)
{
	struct told told = {.len = 0};
	const struct registry_sink sink = {&told, add, variable};
	assert_true(reader(str_from(text), &sink));
	assert_string_equal(told.text, expected);
}

static void refuses(registry_reader reader, const char *text)
{
	struct told told = {.len = 0};
	const struct registry_sink sink = {&told, add, variable};
	assert_false(reader(str_from(text), &sink));
}

/* ---- npm, yarn --------------------------------------------------------------------------------------------------- */

static void test_npmrc(void **state)
{
	(void)state;
	tells(registry_read_npmrc, "", "");
	tells(registry_read_npmrc,
	      "; comment\n# another\nregistry = https://npm.corp.example/\naudit=false\n"
	      "//npm.corp.example/:_authToken=abc\n@team:registry=\"https://team.corp.example:8443/npm/\"\r\n",
	      "main https://npm.corp.example/;extra https://team.corp.example:8443/npm/;");
	tells(registry_read_npmrc, "registry=https://${HOST}/${NONE?}x\n", "main https://npm.corp.example/x;");
	tells(registry_read_npmrc, "registry\nregistry=\nregistryx=https://a.example\n", "");
	tells(registry_read_npmrc, "registry=${HOST\n", "main ${HOST;");
}

static void test_what_is_too_long_is_refused(void **state)
{
	(void)state;
	char text[2048] = "registry=https://";
	memset(text + strlen(text), 'a', 1500);
	refuses(registry_read_npmrc, text);
}

static void test_yarnrc(void **state)
{
	(void)state;
	tells(registry_read_yarnrc, "# yarn 1\nregistry \"https://yarn.corp.example\"\nlastUpdateCheck 1\n",
	      "main https://yarn.corp.example;");
	tells(registry_read_yarnrc,
	      "nodeLinker: node-modules\nnpmRegistryServer: \"https://yarn.corp.example\"\nnpmScopes:\n  team:\n"
	      "    npmRegistryServer: 'https://team.corp.example'\n    npmAuthToken: abc\n",
	      "main https://yarn.corp.example;extra https://team.corp.example;");
	tells(registry_read_yarnrc, "npmRegistries:\n  registry: x\n", "");
}

/* ---- pip, uv ----------------------------------------------------------------------------------------------------- */

static void test_pip_conf(void **state)
{
	(void)state;
	tells(registry_read_pip_conf,
	      "[global]\ntimeout = 60\nindex-url = https://u:p@pip.corp.example/simple\nextra_index_url =\n"
	      "    https://one.corp.example/simple\n\n    # not this\n    https://two.corp.example/simple\n"
	      "trusted-host = three.corp.example\n[freeze]\nindex-url = https://not.this.example\n"
	      "[install]\nfind-links: /opt/wheels https://wheels.corp.example/\n",
	      "main https://u:p@pip.corp.example/simple;extra https://one.corp.example/simple;"
	      "extra https://two.corp.example/simple;extra /opt/wheels;extra https://wheels.corp.example/;");
	tells(registry_read_pip_conf, "index-url = https://no.section.example\n", "");
}

static void test_uv_toml(void **state)
{
	(void)state;
	tells(registry_read_uv_toml,
	      "index-url = \"https://a.example/simple\"\nextra-index-url = [\"https://b.example/simple\"]\n"
	      "[pip]\nindex-url = \"https://c.example\"\n[other]\nindex-url = \"https://not.example\"\n",
	      "main https://a.example/simple;extra https://b.example/simple;main https://c.example;");
	tells(registry_read_uv_toml,
	      "[[index]]\nname = \"x\"\nurl = \"https://x.example\"\n[[index]]\nurl = \"https://y.example\"\ndefault = "
	      "true\n"
	      "[[index]]\nname = 'none'\n",
	      "extra https://x.example;main https://y.example;");
	refuses(registry_read_uv_toml, "index-url = \"https://a.example\n");
}

/* ---- cargo ------------------------------------------------------------------------------------------------------- */

static void test_cargo_config(void **state)
{
	(void)state;
	tells(registry_read_cargo_config, "[build]\njobs = 4\n", "");
	tells(registry_read_cargo_config,
	      "[source.crates-io]\nreplace-with = 'mirror'\n[source.mirror]\n"
	      "registry = \"sparse+https://cargo.corp.example/index/\"\n[net]\ngit-fetch-with-cli = true\n",
	      "main ;main sparse+https://cargo.corp.example/index/;");
	tells(registry_read_cargo_config,
	      "source.crates-io.replace-with = 'a'\nsource.a = { replace-with = 'b' }\n[source.b]\ngit = "
	      "'https://g.example/i'\n",
	      "main ;main https://g.example/i;");
	tells(registry_read_cargo_config,
	      "[source.crates-io]\nreplace-with = \"vendored-sources\"\n[source.vendored-sources]\ndirectory = "
	      "\"vendor\"\n",
	      "main ;");
	tells(registry_read_cargo_config, "[registries]\nteam = { index = \"https://team.corp.example/git/index\" }\n",
	      "extra https://team.corp.example/git/index;");
	/* A ring of replacements ends. */
	tells(registry_read_cargo_config,
	      "[source.crates-io]\nreplace-with = 'a'\n[source.a]\nreplace-with = 'b'\n[source.b]\nreplace-with = "
	      "'a'\n",
	      "main ;");
	refuses(registry_read_cargo_config, "[source.crates-io\n");
}

/* ---- go ---------------------------------------------------------------------------------------------------------- */

static void test_go_env(void **state)
{
	(void)state;
	tells(registry_read_go_env, "# set by hand\nGOFLAGS=-buildvcs=false\nGOPROXY=https://go.corp.example,direct\n",
	      "main ;main https://go.corp.example;");
	tells(registry_read_go_env, "GOPROXY=https://a.example|https://b.example, off\nGOSUMDB=off\n",
	      "main ;main https://a.example;main https://b.example;sums ;");
	tells(registry_read_go_env, "GOPROXY=\nGOSUMDB=sum.corp.example+1234+abc\n",
	      "sums ;sums https://sum.corp.example;");
	tells(registry_read_go_env, "GOSUMDB=sum.golang.org https://sums.corp.example/x\n",
	      "sums ;sums https://sums.corp.example/x;");
}

/* ---- maven ------------------------------------------------------------------------------------------------------- */

static void test_maven_settings(void **state)
{
	(void)state;
	tells(registry_read_maven_settings,
	      "<?xml version=\"1.0\"?>\n<settings xmlns=\"x>y\">\n <!-- <mirror><url>http://no.example</url></mirror> "
	      "-->\n"
	      " <offline/>\n <mirrors>\n  <mirror>\n   <id>corp</id>\n   <mirrorOf>external:*,!team</mirrorOf>\n"
	      "   <url> https://maven.corp.example/all </url>\n  </mirror>\n"
	      "  "
	      "<mirror><id>b</id><mirrorOf>external:http:*</mirrorOf><url>http://0.0.0.0/</url><blocked>true</"
	      "blocked></mirror>\n"
	      "  <mirror><url>https://other.corp.example</url><mirrorOf>*,!central</mirrorOf></mirror>\n </mirrors>\n"
	      " <servers><server><password>x</password></server></servers>\n"
	      " <profiles><profile><repositories><repository><url>https://r.corp.example</url></repository></"
	      "repositories>\n"
	      " <pluginRepositories><pluginRepository><url>https://p.corp.example</url></pluginRepository>"
	      "</pluginRepositories></profile></profiles>\n</settings>\n",
	      "main https://maven.corp.example/all;extra https://other.corp.example;extra https://r.corp.example;"
	      "extra https://p.corp.example;");
	tells(registry_read_maven_settings, "<settings/>", "");
}

static void test_other_xml_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"<!DOCTYPE settings [<!ENTITY x \"y\">]><settings/>",
		"<settings>",
		"<settings></other>",
		"</settings>",
		"<settings><a b='></settings>",
		"<settings><!-- </settings>",
		"<settings><?x </settings>",
		"<><settings/>",
		"<settings><![CDATA[x]]></settings>",
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		refuses(registry_read_maven_settings, wrong[i]);
	char deep[33 * 3 + 1] = "";
	for (size_t i = 0; i < 33; i++)
		memcpy(deep + 3 * i, "<a>", 4);
	refuses(registry_read_maven_settings, deep);
}

/* ---- apt --------------------------------------------------------------------------------------------------------- */

static void test_apt_list(void **state)
{
	(void)state;
	tells(registry_read_apt_list,
	      "# deb http://no.example x main\ndeb http://deb.debian.org/debian bookworm main\n"
	      "deb-src [ arch=amd64 signed-by=/x.gpg ] https://src.corp.example/debian bookworm main\nrpm "
	      "http://no.example\n",
	      "main http://deb.debian.org/debian;main https://src.corp.example/debian;");
	tells(registry_read_apt_list, "deb cdrom:[Debian] bookworm main\n", "main cdrom:[Debian];");
	refuses(registry_read_apt_list, "deb [ arch=amd64 https://src.corp.example x\n");
}

static void test_apt_sources(void **state)
{
	(void)state;
	tells(registry_read_apt_sources,
	      "Types: deb\n# URIs: http://no.example\nURIs: http://deb.debian.org/debian\n  "
	      "http://two.example/x\nSuites: a\n\n"
	      "Enabled: no\nURIs: http://off.example\n\nTypes: deb\nuris: https://sec.corp.example/x "
	      "https://b.example\n",
	      "main http://deb.debian.org/debian;main http://two.example/x;main https://sec.corp.example/x;"
	      "main https://b.example;");
	tells(registry_read_apt_sources, "URIs:\n http://last.example", "main http://last.example;");
	tells(registry_read_apt_sources, "Types: deb\n", "");
	tells(registry_read_apt_sources, "", "");
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static void test_the_host_of_an_address(void **state)
{
	(void)state;
	static const char *const good[][3] = {
		{"https://registry.npmjs.org/", "registry.npmjs.org", "https://registry.npmjs.org/"},
		{"HTTPS://U:P%40@NPM.Corp.example:8443/x?y", "npm.corp.example:8443",
		 "https://npm.corp.example:8443/x?y"},
		{"https://a@b@host.example", "host.example", "https://host.example"},
		{"http://deb.debian.org/debian", "deb.debian.org:80", "http://deb.debian.org/debian"},
		{"http://localhost:4873", "localhost:4873", "http://localhost:4873"},
		{"http://h:443/", "h", "http://h:443/"},
		{"sparse+https://index.crates.io/", "index.crates.io", "https://index.crates.io/"},
		{"https://[2001:db8::1]:444/x", "[2001:db8::1]:444", "https://[2001:db8::1]:444/x"},
		{"https://10.0.0.7/simple", "10.0.0.7", "https://10.0.0.7/simple"},
	};
	char host[REGISTRY_HOST_MAX], plain[REGISTRY_URL_MAX];
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(registry_url_host(str_from(good[i][0]), host));
		assert_string_equal(host, good[i][1]);
		assert_true(registry_url_plain(str_from(good[i][0]), plain));
		assert_string_equal(plain, good[i][2]);
	}
}

static void test_what_is_no_address(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"https",
		"https:",
		"https://",
		"ftp://x.example",
		"file:///x",
		"/opt/wheels",
		"https:/x.example",
		"//x.example",
		"https://*.example",
		"https://a..b",
		"https://.a",
		"https://a.",
		"https://a b",
		"https://a\tb",
		"https://a:0",
		"https://a:65536",
		"https://a:",
		"https://a:x",
		"https://[::1",
		"https://[]",
		"https://[x::1]",
		"https://a,b",
		"https://a\\b",
		"https://a%2eb",
		"https://@",
		"sparse+ftp://x.example",
		"https://a]b",
		"https://[::1]x",
	};
	char host[REGISTRY_HOST_MAX], plain[REGISTRY_URL_MAX];
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(registry_url_host(str_from(bad[i]), host));
		assert_false(registry_url_plain(str_from(bad[i]), plain));
	}
	char longer[2000] = "https://h.example/";
	memset(longer + strlen(longer), 'x', 1500);
	assert_true(registry_url_host(str_from(longer), host));
	assert_false(registry_url_plain(str_from(longer), plain));
}

static void test_words_of_variables(void **state)
{
	(void)state;
	struct told told = {.len = 0};
	const struct registry_sink sink = {&told, add, variable};
	assert_true(
		registry_read_words(STR(" https://a.example/s?x=y  corp=https://b.example\n"), REGISTRY_EXTRA, &sink));
	assert_string_equal(told.text, "extra https://a.example/s?x=y;extra https://b.example;");
}

static void test_the_sink_stops_it(void **state)
{
	(void)state;
	struct told told = {.stop_after = 1};
	const struct registry_sink sink = {&told, add, variable};
	assert_false(registry_read_words(STR("https://a.example https://b.example"), REGISTRY_EXTRA, &sink));
	assert_string_equal(told.text, "extra https://a.example;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_npmrc),
		cmocka_unit_test(test_what_is_too_long_is_refused),
		cmocka_unit_test(test_yarnrc),
		cmocka_unit_test(test_pip_conf),
		cmocka_unit_test(test_uv_toml),
		cmocka_unit_test(test_cargo_config),
		cmocka_unit_test(test_go_env),
		cmocka_unit_test(test_maven_settings),
		cmocka_unit_test(test_other_xml_is_refused),
		cmocka_unit_test(test_apt_list),
		cmocka_unit_test(test_apt_sources),
		cmocka_unit_test(test_the_host_of_an_address),
		cmocka_unit_test(test_what_is_no_address),
		cmocka_unit_test(test_words_of_variables),
		cmocka_unit_test(test_the_sink_stops_it),
	};
	return cmocka_run_group_tests_name("registry_files", tests, NULL, NULL);
}
