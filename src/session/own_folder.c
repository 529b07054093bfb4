#include "session/own_folder.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHERS = S_IRWXG | S_IRWXO };

enum berm_code own_folder_make(const char *folder, struct berm_err *err)
{
	char path[PATH_MAX];
	size_t len = strlen(folder);
	if (len >= sizeof path)
		return err_set(err, BERM_ERR_LIMIT, "path too long: '%.60s'", folder);
	memcpy(path, folder, len + 1);
	for (size_t at = 1; at <= len; at++) {
		if (path[at] != '/' && path[at] != '\0')
			continue;
		path[at] = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
			return err_sys(err, "make folder '%s'", path);
		path[at] = folder[at];
	}
	return BERM_OK;
}

enum berm_code own_folder_check(int fd, const char *folder, struct berm_err *err)
{
	struct stat st = {0};
	if (fstat(fd, &st) < 0)
		return err_sys(err, "open folder '%.160s'", folder);
	if (st.st_uid != geteuid() || (st.st_mode & OTHERS) != 0)
		return err_set(err, BERM_ERR_DENIED, "folder '%.160s' is not yours alone", folder);
	return BERM_OK;
}
