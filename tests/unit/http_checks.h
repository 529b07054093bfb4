/* What the tests of http_flow share beside the rig: messages, and what is expected to come. */
#ifndef BERM_TESTS_HTTP_CHECKS_H
#define BERM_TESTS_HTTP_CHECKS_H

#include "unit/http_rig.h"

#define GET "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"
#define OK_2 "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define REQUEST(method, fields) method " / HTTP/1.1\r\nHost: example.org\r\n" fields "\r\n"
#define RESPONSE(fields) "HTTP/1.1 200 OK\r\n" fields "\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"
#define TO(host) "GET http://" host "/a HTTP/1.1\r\nHost: " host "\r\n"

/* Exactly this has come. */
RIG void expect(int fd, const char *text, int wanted_end)
{
	int end = 0;
	struct str heard = rig_hear(fd, &end);
	assert_string_equal(heard.ptr, text);
	assert_int_equal(end, wanted_end);
}

RIG void expect_status(const char *line, const char *part, int wanted_end)
{
	int end = 0;
	struct str heard = rig_hear(rig.client, &end);
	assert_true(str_starts(heard, str_from(line)));
	assert_non_null(strstr(heard.ptr, part));
	assert_non_null(strstr(heard.ptr, "\r\nConnection: close\r\n"));
	assert_int_equal(end, wanted_end);
}

RIG void begin(bool proxy, bool http_rules)
{
	assert_true(rig_begin());
	assert_true(rig_flow(proxy, http_rules, http_flow_start, STR("")));
}

RIG void exchange(const char *request, const char *passed, const char *response, const char *answer)
{
	rig_say(rig.client, str_from(request));
	rig_turn();
	expect(rig.upstream, passed, 0);
	rig_say(rig.upstream, str_from(response));
	rig_turn();
	expect(rig.client, answer, 0);
}

#endif
