#include "session/etc_secrets.h"

#include <fts.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRETS_MAX = 512 };

struct secrets {
	char **paths;
	size_t count;
	bool no_memory;
};

/* The last place is for the end of the list. */
static void add(struct secrets *secrets, const char *path)
{
	if (secrets->count == SECRETS_MAX)
		path = "/etc";
	char *copy = strdup(path);
	secrets->no_memory |= copy == NULL;
	if (copy != NULL && secrets->count <= SECRETS_MAX)
		secrets->paths[secrets->count++] = copy;
	else
		free(copy);
}

static bool is_for_root_alone(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		return (st->st_mode & (S_IROTH | S_IXOTH)) != (S_IROTH | S_IXOTH);
	return S_ISREG(st->st_mode) && (st->st_mode & S_IROTH) == 0;
}

static void walk(FTS *tree, struct secrets *secrets)
{
	FTSENT *entry;
	while (!secrets->no_memory && secrets->count <= SECRETS_MAX && (entry = fts_read(tree)) != NULL) {
		if (entry->fts_info == FTS_DP || entry->fts_statp == NULL || !is_for_root_alone(entry->fts_statp))
			continue;
		if (entry->fts_info == FTS_D)
			(void)fts_set(tree, entry, FTS_SKIP);
		if (entry->fts_level > 0)
			add(secrets, entry->fts_path);
	}
}

enum berm_code etc_secrets_find(char ***ret_paths, struct berm_err *err)
{
	char etc[] = "/etc", *const roots[] = {etc, NULL};
	*ret_paths = NULL;
	if (geteuid() != 0)
		return BERM_OK;
	struct secrets secrets = {.paths = calloc(SECRETS_MAX + 2, sizeof(char *))};
	FTS *tree = secrets.paths != NULL ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL) : NULL;
	if (tree != NULL)
		walk(tree, &secrets);
	bool failed = tree == NULL || secrets.no_memory;
	if (tree != NULL)
		(void)fts_close(tree);
	if (failed) {
		etc_secrets_free(secrets.paths);
		return err_set(err, BERM_ERR_NOMEM, "look for what root alone may read");
	}
	*ret_paths = secrets.paths;
	return BERM_OK;
}

void etc_secrets_free(char **paths)
{
	for (size_t i = 0; paths != NULL && paths[i] != NULL; i++)
		free(paths[i]);
	free(paths);
}
