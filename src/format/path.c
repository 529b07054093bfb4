#include "format/path.h"

#include <string.h>

struct str path_name(struct str path)
{
	size_t at = path.len;
	while (at > 0 && path.ptr[at - 1] != '/')
		at--;
	return (struct str){path.ptr + at, path.len - at};
}

struct str path_parent(struct str path)
{
	size_t len = path.len - path_name(path).len;
	return (struct str){path.ptr, len > 0 ? len - 1 : 0};
}

bool path_is_in(struct str path, struct str folder)
{
	while (folder.len > 0 && folder.ptr[folder.len - 1] == '/')
		folder.len--;
	return str_starts(path, folder) && (path.len == folder.len || path.ptr[folder.len] == '/');
}

/* Appends one component to an absolute path under construction; "" stands for "/". */
static bool resolve_step(char *ret, size_t size, size_t *len, struct str name)
{
	if (name.len == 0 || str_eq(name, STR(".")))
		return true;
	if (str_eq(name, STR(".."))) {
		if (*len == 0)
			return false;
		while (ret[--*len] != '/')
			;
		return true;
	}
	if (*len + 1 + name.len >= size)
		return false;
	ret[(*len)++] = '/';
	memcpy(ret + *len, name.ptr, name.len);
	*len += name.len;
	return true;
}

static bool resolve_all(char *ret, size_t size, size_t *len, struct str path)
{
	struct str name;
	while (str_next(&path, '/', &name))
		if (!resolve_step(ret, size, len, name))
			return false;
	return true;
}

bool path_resolve(struct str folder, struct str path, char *ret, size_t size)
{
	size_t len = 0;
	bool absolute = str_starts(path, STR("/"));
	if (size < 2 || (!absolute && !resolve_all(ret, size, &len, folder)) || !resolve_all(ret, size, &len, path))
		return false;
	if (len == 0)
		ret[len++] = '/';
	ret[len] = '\0';
	return true;
}
