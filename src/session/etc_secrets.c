#include "session/etc_secrets.h"

#include <fts.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"

enum { SECRETS_MAX = 512 };

/* Too many of them: the whole folder, in the last place. */
static enum berm_code add(struct vec *secrets, const char *path, struct berm_err *err)
{
	char *copy = strdup(secrets->len < SECRETS_MAX ? path : "/etc");
	if (copy == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look for what root alone may read");
	enum berm_code code = vec_push(secrets, &copy, err);
	if (code != BERM_OK)
		free(copy);
	return code;
}

static bool is_for_root_alone(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return (st->st_mode & (S_IROTH | S_IXOTH)) != (S_IROTH | S_IXOTH);
	return S_ISREG(st->st_mode) && (st->st_mode & S_IROTH) == 0;
}

static enum berm_code walk(FTS *tree, struct vec *secrets, struct berm_err *err)
{
	FTSENT *entry;
	while (secrets->len <= SECRETS_MAX && (entry = fts_read(tree)) != NULL) {
		if (entry->fts_info == FTS_DP || entry->fts_statp == NULL || !is_for_root_alone(entry->fts_statp))
			continue;
		if (entry->fts_info == FTS_D)
			(void)fts_set(tree, entry, FTS_SKIP);
		if (entry->fts_level > 0)
			TRY(add(secrets, entry->fts_path, err));
	}
	return BERM_OK;
}

static enum berm_code find(struct vec *secrets, struct berm_err *err)
{
	char etc[] = "/etc", *const roots[] = {etc, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
	if (tree == NULL)
		return err_set(err, BERM_ERR_NOMEM, "look for what root alone may read");
	enum berm_code code = walk(tree, secrets, err);
	(void)fts_close(tree);
	char *const end = NULL;
	return code != BERM_OK ? code : vec_push(secrets, &end, err);
}

enum berm_code etc_secrets_find(char ***ret_paths, struct berm_err *err)
{
	struct vec secrets;
	*ret_paths = NULL;
	if (geteuid() != 0)
		return BERM_OK;
	vec_init(&secrets, sizeof(char *), SECRETS_MAX + 2);
	enum berm_code code = find(&secrets, err);
	if (code == BERM_OK)
		*ret_paths = vec_take(&secrets);
	for (size_t i = 0; code != BERM_OK && i < secrets.len; i++)
		free(*(char **)vec_at(&secrets, i));
	vec_done(&secrets);
	return code;
}

void etc_secrets_free(char **paths)
{
	for (size_t i = 0; paths != NULL && paths[i] != NULL; i++)
		free(paths[i]);
	free(paths);
}
