#include "session/distro.h"

#include <fcntl.h>
#include <string.h>

#include "base/own.h"
#include "os/fd.h"

enum { MAX_BYTES = 4096 };

/* The value of NAME=VALUE, without quotes; what a shell would have to work on is no name of a distribution. */
static struct str value_of(struct str text, struct str name)
{
	struct str line, value = {NULL, 0};
	while (str_next(&text, '\n', &line)) {
		if (!str_starts(line, name))
			continue;
		value = (struct str){line.ptr + name.len, line.len - name.len};
		if (value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') &&
		    value.ptr[value.len - 1] == value.ptr[0])
			value = (struct str){value.ptr + 1, value.len - 2};
	}
	for (size_t i = 0; i < value.len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789._- ", value.ptr[i]) == NULL || value.ptr[i] == '\0')
			return (struct str){NULL, 0};
	return value;
}

void distro_parse(struct str text, char *ret_words, size_t size)
{
	struct str id = value_of(text, STR("ID=")), like = value_of(text, STR("ID_LIKE="));
	size_t need = id.len + (like.len > 0 ? 1 + like.len : 0);
	ret_words[0] = '\0';
	if (id.len == 0 || need >= size)
		return;
	memcpy(ret_words, id.ptr, id.len);
	if (like.len > 0) {
		ret_words[id.len] = ' ';
		memcpy(ret_words + id.len + 1, like.ptr, like.len);
	}
	ret_words[need] = '\0';
}

void distro_find(char *ret_words, size_t size)
{
	static const char *const paths[] = {"/etc/os-release", "/usr/lib/os-release"};
	char text[MAX_BYTES];
	ret_words[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		ssize_t len = fd_read_file(AT_FDCWD, paths[i], text, sizeof text);
		if (len < 0)
			continue;
		distro_parse((struct str){text, (size_t)len}, ret_words, size);
		return;
	}
}
