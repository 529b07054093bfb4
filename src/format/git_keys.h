/*
 * Which keys of a git configuration are harmless: they name no program, no include and no path outside, whatever else
 * the configuration says. A table; what is not in it is refused. Pure, async-signal-safe.
 */
#ifndef BERM_FORMAT_GIT_KEYS_H
#define BERM_FORMAT_GIT_KEYS_H

#include "format/git_config.h"

/* NULL if the key may be set to this value in the configuration file target (absolute); else what is wrong with it, as
 * the end of a sentence that starts with the key: "names a program". */
const char *git_keys_objection(const struct git_config_entry *entry, const char *target);

/* Can git be given this as the address or name of a remote without starting a program of the configuration's choice? */
bool git_keys_remote_is_harmless(struct str value);

#endif
