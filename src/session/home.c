#include "session/home.h"

#include <fcntl.h>
#include <string.h>

#include "base/own.h"
#include "os/fd.h"

enum { FIELD_UID = 2, FIELD_HOME = 5, MAX_PASSWD = 256 * 1024 };

bool home_parse(struct str passwd, uid_t uid, struct str *ret_home)
{
	struct str line, field;
	while (str_next(&passwd, '\n', &line)) {
		uint64_t number = 0;
		bool matches = false;
		for (int i = 0; str_next(&line, ':', &field); i++) {
			if (i == FIELD_UID)
				matches = str_u64(field, UINT32_MAX, &number, NULL) == BERM_OK && number == uid;
			if (i == FIELD_HOME && matches && str_starts(field, STR("/"))) {
				*ret_home = field;
				return true;
			}
		}
	}
	return false;
}

static bool copy(struct str home, char *ret_home, size_t size)
{
	if (home.len == 0 || home.ptr[0] != '/' || home.len >= size)
		return false;
	memcpy(ret_home, home.ptr, home.len);
	ret_home[home.len] = '\0';
	return true;
}

bool home_find(const char *variable, uid_t uid, char *ret_home, size_t size)
{
	if (copy(str_from(variable), ret_home, size))
		return true;
	auto_free char *text = malloc(MAX_PASSWD);
	if (text == NULL)
		return false;
	ssize_t len = fd_read_file(AT_FDCWD, "/etc/passwd", text, MAX_PASSWD);
	struct str home;
	return len > 0 && home_parse((struct str){text, (size_t)len}, uid, &home) && copy(home, ret_home, size);
}
