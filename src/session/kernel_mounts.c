#include "session/kernel_mounts.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/vec.h"
#include "format/path.h"
#include "os/fd.h"

enum { TEXT_MAX = 16 * 1024 * 1024, READ_STEP = 4096, MOUNT_POINT = 4 };

static bool is_kernels(struct str type)
{
	static const char *const types[] = {"proc",    "sysfs",	      "devtmpfs",  "debugfs",  "tracefs", "securityfs",
					    "bpf",     "pstore",      "efivarfs",  "configfs", "cgroup",  "cgroup2",
					    "fusectl", "binfmt_misc", "selinuxfs", "smackfs",  "resctrl"};
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(type, str_from(types[i])))
			return true;
	return false;
}

/* These have rows of their own (policy/floor.c). */
static bool is_usual(struct str path)
{
	return path_is_in(path, STR("/proc")) || path_is_in(path, STR("/sys")) || path_is_in(path, STR("/dev"));
}

static bool is_octal(const char *at)
{
	return at[0] >= '0' && at[0] <= '3' && at[1] >= '0' && at[1] <= '7' && at[2] >= '0' && at[2] <= '7';
}

/* A blank in a path is written as "\040". Empty: there is a byte 0 in it, which no path has. */
static char *unescaped(struct str path)
{
	char *text = malloc(path.len + 1), *out = text;
	for (size_t i = 0; text != NULL && i < path.len; i++) {
		bool escape = path.ptr[i] == '\\' && path.len - i > 3 && is_octal(path.ptr + i + 1);
		const char *digits = path.ptr + i + 1;
		*out++ = escape ? (char)((digits[0] - '0') << 6 | (digits[1] - '0') << 3 | (digits[2] - '0'))
				: path.ptr[i];
		i += escape ? 3 : 0;
	}
	if (text == NULL)
		return NULL;
	*out = '\0';
	if (strlen(text) != (size_t)(out - text))
		text[0] = '\0';
	return text;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": the mount point is the fifth, the type stands behind the
 * "-". */
static enum berm_code take_line(struct str line, struct vec *paths, struct berm_err *err)
{
	struct str field, path = {NULL, 0}, type = {NULL, 0};
	for (size_t i = 0; str_next(&line, ' ', &field); i++) {
		if (i == MOUNT_POINT)
			path = field;
		if (i > MOUNT_POINT + 1 && str_eq(field, STR("-")) && str_next(&line, ' ', &type))
			break;
	}
	if (path.len == 0 || type.len == 0)
		return err_set(err, BERM_ERR_PARSE, "not a line of mountinfo");
	if (!is_kernels(type) || is_usual(path))
		return BERM_OK;
	char *text = unescaped(path);
	if (text == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look at mounts");
	enum berm_code code =
		text[0] == '/' ? vec_push(paths, &text, err) : err_set(err, BERM_ERR_PARSE, "not a line of mountinfo");
	if (code != BERM_OK)
		free(text);
	return code;
}

static enum berm_code take_lines(struct str mountinfo, struct vec *paths, struct berm_err *err)
{
	struct str line;
	char *const end = NULL;
	while (str_next(&mountinfo, '\n', &line))
		if (line.len > 0)
			TRY(take_line(line, paths, err));
	return vec_push(paths, &end, err);
}

enum berm_code kernel_mounts_parse(struct str mountinfo, char ***ret_paths, struct berm_err *err)
{
	struct vec paths;
	vec_init(&paths, sizeof(char *), KERNEL_MOUNTS_MAX + 1);
	enum berm_code code = take_lines(mountinfo, &paths, err);
	if (code == BERM_OK)
		*ret_paths = vec_take(&paths);
	vec_done_texts(&paths);
	return code;
}

enum berm_code kernel_mounts_find(char ***ret_paths, struct berm_err *err)
{
	char bytes[READ_STEP];
	ssize_t got = 0;
	auto_buf struct buf text;
	buf_init(&text, TEXT_MAX);
	auto_fd int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (got = fd_read_full(fd, bytes, sizeof bytes)) > 0)
		buf_put(&text, bytes, (size_t)got);
	if (fd < 0 || got < 0)
		return err_sys(err, "look at mounts");
	TRY(buf_check(&text, err));
	return kernel_mounts_parse(buf_str(&text), ret_paths, err);
}
