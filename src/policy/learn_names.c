#include "policy/learn_names.h"

#include <string.h>

#include "base/own.h"

enum { HASH_LEAST = 8, UUID_LEN = 36 };

/* What means something else in a pattern. */
static const char wild[] = "*?[]{},\\";

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* ---- versions and hashes ----------------------------------------------------------------------------------------- */

/* "3f2a9c0b11", "123e4567-e89b-12d3-a456-426614174000". */
static bool is_hash(struct str name)
{
	bool digit = false;
	for (size_t i = 0; i < name.len; i++) {
		bool dash = name.len == UUID_LEN && (i == 8 || i == 13 || i == 18 || i == 23);
		if (dash ? name.ptr[i] != '-' : !is_hex(name.ptr[i]))
			return false;
		digit |= is_digit(name.ptr[i]);
	}
	return name.len >= HASH_LEAST && digit;
}

/* "1.2", "18.19.0", "3.11.2-rc1": digits, a dot, a digit, and then what versions have. */
static bool is_version(struct str text)
{
	static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-_";
	size_t at = 0;
	while (at < text.len && is_digit(text.ptr[at]))
		at++;
	if (at == 0 || at + 1 >= text.len || text.ptr[at] != '.' || !is_digit(text.ptr[at + 1]))
		return false;
	for (; at < text.len; at++) {
		if (memchr(others, text.ptr[at], sizeof(others) - 1) == NULL)
			return false;
	}
	return true;
}

size_t learn_version_at(struct str name)
{
	if (is_hash(name))
		return 0;
	for (size_t at = 0; at < name.len; at++) {
		char before = at > 0 ? name.ptr[at - 1] : '-';
		struct str rest = {name.ptr + at, name.len - at};
		bool begins = before == '-' || before == '_' || before == '@';
		if (begins && rest.ptr[0] == 'v')
			rest = (struct str){rest.ptr + 1, rest.len - 1};
		if (begins && is_version(rest))
			return at;
	}
	return SIZE_MAX;
}

enum berm_code learn_shape(struct arena *arena, const char *path, const char **ret_shape, struct berm_err *err)
{
	size_t at = 0;
	bool found = false;
	struct str rest = str_from(path + 1), name;
	char *shape = arena_alloc(arena, 2 * strlen(path) + 1);
	if (shape == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look for versions in paths");
	while (str_next(&rest, '/', &name)) {
		size_t before = learn_version_at(name), keep = before == SIZE_MAX ? name.len : before;
		shape[at++] = '/';
		memcpy(shape + at, name.ptr, keep);
		at += keep;
		if (before != SIZE_MAX)
			shape[at++] = '*';
		found |= before != SIZE_MAX;
	}
	shape[at] = '\0';
	*ret_shape = found && strpbrk(path, wild) == NULL ? shape : NULL;
	return BERM_OK;
}

/* ---- what is never proposed -------------------------------------------------------------------------------------- */

bool learn_is_in(const char *path, const char *folder)
{
	size_t len = strlen(folder);
	if (len == 1 && folder[0] == '/')
		return path[0] == '/';
	return strncmp(path, folder, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

bool learn_may_widen(const char *folder, const char *home, const char *workspace)
{
	/* Where many programs keep theirs. */
	static const char *const shared[] = {
		"/.config",
		"/.cache",
		"/.local",
		"/.local/share",
		"/.local/state",
		"/.local/bin",
		"/.local/lib",
		"/Library",
		"/Library/Application Support",
		"/Library/Caches",
		"/Library/Preferences",
	};
	if (folder[0] != '/' || strchr(folder + 1, '/') == NULL)
		return false;
	if ((home != NULL && learn_is_in(home, folder)) || (workspace != NULL && learn_is_in(workspace, folder)))
		return false;
	if (home == NULL || !learn_is_in(folder, home))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(shared); i++) {
		if (strcmp(folder + strlen(home), shared[i]) == 0)
			return false;
	}
	return true;
}

static bool has_odd_part(struct str path)
{
	struct str rest = {path.ptr + 1, path.len - 1}, name;
	while (str_next(&rest, '/', &name)) {
		if (name.len == 0 || str_eq(name, STR(".")) || str_eq(name, STR("..")))
			return true;
	}
	return path.len > 1 && path.ptr[path.len - 1] == '/';
}

const char *learn_never(const char *path)
{
	static const char *const kernel[] = {"/proc", "/sys", "/dev"};
	if (path[0] != '/')
		return "not an absolute path";
	if (has_odd_part(str_from(path)))
		return "not a final path";
	for (const char *at = path; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f || *at == '$')
			return "a name that a policy line cannot say";
	}
	for (size_t i = 0; i < ARRAY_LEN(kernel); i++) {
		if (learn_is_in(path, kernel[i]))
			return "a folder of the kernel's";
	}
	return strcmp(path, "/") == 0 ? "the root folder" : NULL;
}

bool learn_is_loopback(const char *address)
{
	static const char *const starts[] = {"127.", "[::1]", "localhost:", "0.0.0.0:", "[::]"};
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		if (strncmp(address, starts[i], strlen(starts[i])) == 0)
			return true;
	}
	return false;
}

/* ---- how it is written ------------------------------------------------------------------------------------------- */

char *learn_text(struct arena *arena, const char *path, const char *home, bool pattern)
{
	size_t at = 0;
	char *text = arena_alloc(arena, 2 * strlen(path) + 2);
	if (text == NULL)
		return NULL;
	if (home != NULL && strcmp(home, "/") != 0 && learn_is_in(path, home)) {
		text[at++] = '~';
		path += strlen(home);
	}
	for (; *path != '\0'; path++) {
		if (!pattern && strchr(wild, *path) != NULL)
			text[at++] = '\\';
		text[at++] = *path;
	}
	text[at] = '\0';
	return text;
}

struct str learn_saved_file(const char *path)
{
	static const char *const ends[] = {".lock", ".tmp", ".new", ".swp"};
	struct str file = str_from(path);
	const char *name = strrchr(path, '/');
	const char *tmp = name != NULL ? strstr(name + 1, ".tmp.") : NULL;
	if (tmp != NULL && tmp > name + 1)
		return (struct str){path, (size_t)(tmp - path)};
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(ends); i++) {
		struct str end = str_from(ends[i]);
		if (str_ends(file, end) && file.len - end.len > (size_t)(name + 1 - path))
			return (struct str){path, file.len - end.len};
	}
	return file;
}
