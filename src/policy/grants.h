/*
 * What the default policy grants beyond the workspace, and what it closes again, as tables: system folders, tools in the
 * home folder, credentials.
 */
#ifndef BERM_POLICY_GRANTS_H
#define BERM_POLICY_GRANTS_H

#include "base/str.h"
#include "berm/berm.h"

/* A path of the system. */
struct grant_system {
	const char *path;
	unsigned rights;
	bool with_network; /* only where the network is the host's */
};
extern const struct grant_system grant_systems[];
extern const size_t grant_system_count;

/* base is below the home folder unless the variable (or NULL) names another folder; sub is below that, "" for all. */
struct grant_home {
	const char *variable, *base, *sub;
	unsigned rights;
	enum berm_extent extent;
};
extern const struct grant_home grant_homes[];
extern const size_t grant_home_count;

/* A folder that is the sandbox's own. absolute: base is no name below the home folder. */
struct grant_scratch {
	const char *variable, *base;
	bool absolute;
};
extern const struct grant_scratch grant_scratches[];
extern const size_t grant_scratch_count;

/* Secrets below /etc, and what shows that the user is one who can read such things. */
extern const char *const grant_etc_probes[];
extern const size_t grant_etc_probe_count;
extern const char *const grant_etc_secrets[];
extern const size_t grant_etc_secret_count;

enum { GRANT_HOME_SECRETS_MAX = 128 };
/* Secrets below the home folder, closed again where a flag grants a folder around them. */
extern const char *const grant_home_secrets[];
extern const size_t grant_home_secret_count;

/* Variables whose value is the path of a file with certificates, which may be read. */
extern const char *const grant_certificates[];
extern const size_t grant_certificate_count;

#endif
